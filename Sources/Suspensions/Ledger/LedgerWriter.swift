import Dispatch
import Policy
import Synchronization

/// Writes to the ledger on a thread of its own: everything that waits while a disk syncs becomes the next transaction, so that many
/// calls share one fsync.
///
/// Submissions are committed in the order in which they came, and answered in that order.
final class LedgerWriter: Sendable {
    typealias Answer = @Sendable (LedgerError?) -> Void
    typealias Reading = @Sendable (any LedgerStore) -> Void

    private struct Submission: Sendable {
        let changes: [LedgerChange]
        let answer: Answer

        var isOfFleet: Bool {
            changes.contains { change in
                if case .fleet = change { true } else { false }
            }
        }
    }

    private struct Line {
        var waiting: [Submission] = []
        /// What is to be read between two transactions.
        var reads: [Reading] = []
        var isRunning = false
    }

    /// What is done in one go: a transaction, and one read, so that neither keeps the other waiting for ever.
    private struct Round {
        var group: [Submission]
        var read: Reading?
    }

    private let store: any LedgerStore
    private let thread = DispatchQueue(label: "tenantgate.ledger", qos: .userInitiated)
    private let line = Mutex(Line())
    private let commits = Atomic<Int>(0)

    /// Transactions that have succeeded since the start: whoever shows what the ledger holds looks anew when it has changed.
    var commitCount: Int { commits.load(ordering: .relaxed) }

    init(store: any LedgerStore) { self.store = store }

    /// The answer comes on the ledger's thread; nil is success, and durable.
    func submit(_ changes: [LedgerChange], then answer: @escaping Answer) {
        let starts = line.withLock { line in
            line.waiting.append(Submission(changes: changes, answer: answer))
            defer { line.isRunning = true }
            return !line.isRunning
        }
        if starts { thread.async { self.run() } }
    }

    /// Runs `body` on the ledger's thread, between two transactions; it should take milliseconds. False where too many wait already.
    func read(_ body: @escaping Reading) -> Bool {
        let (isTaken, starts) = line.withLock { line in
            guard line.reads.count < Limits.ledgerReads else { return (false, false) }
            line.reads.append(body)
            defer { line.isRunning = true }
            return (true, !line.isRunning)
        }
        if starts { thread.async { self.run() } }
        return isTaken
    }

    /// Waits until everything submitted so far is answered, then closes the store.
    func close() {
        thread.sync { store.close() }
    }

    /// Lets `body` use the store on the ledger's thread, and waits for it.
    func take<Value>(_ body: (any LedgerStore) throws(LedgerError) -> Value) throws(LedgerError) -> Value {
        let result: Result<Value, LedgerError> = thread.sync {
            do throws(LedgerError) { return .success(try body(store)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private func run() {
        while let round = nextRound() {
            if !round.group.isEmpty { commit(round.group) }
            round.read?(store)
        }
    }

    /// A step of the fleet's that fails takes nobody along: then each is a transaction of its own, and what came between two of them.
    private func commit(_ group: [Submission]) {
        var failure: LedgerError?
        do throws(LedgerError) {
            try store.commit(group.flatMap(\.changes))
            commits.add(1, ordering: .relaxed)
        } catch {
            failure = error
        }
        if failure != nil, group.count > 1, group.contains(where: \.isOfFleet) {
            for part in Self.parts(of: group) { commit(part) }
            return
        }
        for submission in group { submission.answer(failure) }
    }

    private static func parts(of group: [Submission]) -> [[Submission]] {
        var parts: [[Submission]] = []
        for submission in group {
            if let last = parts.last, !submission.isOfFleet, !last[0].isOfFleet {
                parts[parts.count - 1].append(submission)
            } else {
                parts.append([submission])
            }
        }
        return parts
    }

    private func nextRound() -> Round? {
        line.withLock { line in
            var (count, changes) = (0, 0)
            while count < line.waiting.count, count == 0 || changes + line.waiting[count].changes.count <= Limits.ledgerGroup {
                changes += line.waiting[count].changes.count
                count += 1
            }
            guard count > 0 || !line.reads.isEmpty else {
                line.isRunning = false
                return nil
            }
            defer { line.waiting.removeFirst(count) }
            let read = line.reads.isEmpty ? nil : line.reads.removeFirst()
            return Round(group: Array(line.waiting.prefix(count)), read: read)
        }
    }
}
