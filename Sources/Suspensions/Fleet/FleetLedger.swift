import Foundation
import Policy
import Synchronization

/// What the ledger's transactions need to know of the fleet, and what the authority asks of them without waiting.
final class FleetLedger: Sendable {
    private struct State {
        var isJoined = false
        var appliedAtStart: Int64 = 0
        var epochs = FleetEpochs([])
        var contested = 0
        var runs: Set<String> = []
        var last = FleetChanges()
        var outbox = FleetOutbox()
        var wall: @Sendable () -> Int64 = { Int64(Date.now.timeIntervalSince1970 * 1000) }
    }

    /// This run of this gateway. A new one at each start, so that a ledger that was restored or copied is never taken for the other.
    let writer = UUID().uuidString.lowercased()
    private let state = Mutex(State())

    /// Milliseconds since 1970 by this machine's clock. What is heard counts from when it was heard: another machine's clock may be wrong.
    var wall: Int64 { state.withLock { $0.wall }() }

    func tellTime(by wall: @escaping @Sendable () -> Int64) { state.withLock { $0.wall = wall } }

    /// Whether a word is this ledger's, of this run or of an earlier one.
    func isOwn(_ writer: String) -> Bool { writer == self.writer || state.withLock { $0.runs.contains(writer) } }

    /// Runs of this ledger that are over, or of one that it was copied from.
    var earlierRuns: [String] { state.withLock { $0.runs.filter { $0 != writer } } }

    /// Whether words are kept for the fleet. Stays so where the file no longer says `fleet`: it may be put back.
    var isJoined: Bool { state.withLock { $0.isJoined } }
    /// The last number of the shared log that the ledger had when it was opened.
    var appliedAtStart: Int64 { state.withLock { $0.appliedAtStart } }
    var epochs: FleetEpochs { state.withLock { $0.epochs } }
    /// Subjects and sources whose words differ.
    var contestedCount: Int { state.withLock { $0.contested } }

    /// The ledger was opened, for the first time or again: another process may have written it meanwhile.
    func loaded(applied: Int64, contested: Int, runs: [String]) {
        state.withLock { state in
            state.isJoined = true
            state.appliedAtStart = applied
            state.contested = contested
            state.runs = Set(runs)
            state.outbox = FleetOutbox()
        }
    }

    /// A transaction has succeeded. On the ledger's thread, before anything else is written or answered.
    func take(_ changes: FleetChanges) {
        state.withLock { state in
            if changes.joins { state.isJoined = true }
            if let epochs = changes.epochs { state.epochs = epochs }
            state.contested += changes.contestedMore
            state.outbox.take(changes)
            state.last = changes
        }
    }

    /// Words that are to be published, as far as memory has all of them; nil where the ledger has to be asked.
    func takeOutbox() -> [FleetEntry]? { state.withLock { $0.outbox.takeAll() } }

    /// What was taken could not be published: the ledger has it.
    func loseOutbox() { state.withLock { $0.outbox = FleetOutbox() } }

    /// What the last transaction has left of these changes. On the ledger's thread, before anything else is written.
    func verdict(on changes: [LedgerChange]) -> FleetVerdict {
        state.withLock { state in
            var verdict = FleetVerdict()
            guard state.isJoined else { return verdict }
            for case .record(let outcome) in changes {
                let key = BlockKey(outcome.subject, outcome.source)
                if outcome.result == .state(.active), state.last.stands[key] == true { verdict.kept.insert(key) }
                if state.last.isContested[outcome.subject] == true { verdict.contested.insert(outcome.subject) }
            }
            return verdict
        }
    }
}

/// One source's block of a subject.
struct BlockKey: Hashable, Sendable {
    let subject: Subject
    let source: BlockSource

    init(_ subject: Subject, _ source: BlockSource) {
        self.subject = subject
        self.source = source
    }
}

/// What a transaction changes of what is known in memory of the fleet: in force when it has succeeded.
struct FleetChanges: Sendable {
    var joins = false
    var epochs: FleetEpochs?
    /// Blocks that were spoken of: whether they stand at the end.
    var stands: [BlockKey: Bool] = [:]
    /// Subjects that were spoken of: whether the words about their upstream's block differ at the end.
    var isContested: [Subject: Bool] = [:]
    /// So many more, or fewer, blocks with words that differ.
    var contestedMore = 0
    /// This gateway's words, since the ledger was last asked for those that aren't published.
    var said: [FleetEntry] = []
    /// The ledger was asked; whether it has told all.
    var asked: Bool?
}

/// What has become of changes in the ledger, where other gateways have a say.
struct FleetVerdict: Sendable {
    /// Blocks that stand though a change said that they don't: another gateway's word overlapped, or came in the same transaction.
    var kept: Set<BlockKey> = []
    /// Users whose calls overlapped with others.
    var contested: Set<Subject> = []
}

/// One step of the fleet's in the ledger, in the order of everything else that is written.
package final class FleetStep: Sendable, Equatable {
    typealias Body = @Sendable (inout LedgerTransaction, inout LedgerScopes) throws -> Void

    let body: Body
    init(_ body: @escaping Body) { self.body = body }

    package static func == (one: FleetStep, other: FleetStep) -> Bool { one === other }
}
