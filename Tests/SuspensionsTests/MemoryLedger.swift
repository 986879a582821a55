import Policy
import Synchronization

@testable import Suspensions

/// A ledger in memory that fails when a test says so. Fulfils the same contract as the real one.
final class MemoryLedger: LedgerStore {
    struct Contents: Equatable {
        var blocks: [Subject: BlockSources] = [:]
        var intents: [Int64: Intent] = [:]
        var reactivations: [Subject: Int64] = [:]
        var unconfirmed: [Subject: UnconfirmedCall] = [:]
        var log: [Outcome] = []
        var fillings: [DirectoryIndex: Bool] = [:]
        var aliases: [AliasRow] = []
        /// Whose block nothing but an unknown outcome made.
        var blockedByUnknown: Set<Subject> = []
    }

    private let contents = Mutex(Contents())
    private let failure: Mutex<LedgerError?> = Mutex(nil)

    var current: Contents { contents.withLock { $0 } }

    /// What every write says from now on; nil lets them through.
    func fail(with error: LedgerError?) { failure.withLock { $0 = error } }

    func commit(_ changes: [LedgerChange]) throws(LedgerError) {
        if let error = failure.withLock({ $0 }) { throw error }
        contents.withLock { contents in
            for change in changes { contents.apply(change) }
        }
    }

    func recover(at time: Int64) throws(LedgerError) {
        let lost = current.intents.values.sorted { $0.number < $1.number }
        try commit(
            lost.map { intent in
                .record(
                    Outcome(
                        intent: intent.number, subject: intent.subject, source: .upstream,
                        result: .unknown(wanted: intent.wanted, blocks: intent.wanted == .suspended && intent.suspendsOnUnknown),
                        learned: .crash, actor: intent.caller, requestID: intent.requestID, reason: "the gateway stopped in between",
                        at: time))
            })
    }

    func blockCount() -> Int { current.blocks.values.reduce(0) { $0 + $1.count } }

    func forEachBlock(_ body: (Subject, BlockSource) -> Void) {
        for (subject, sources) in current.blocks { for source in sources.each { body(subject, source) } }
    }

    func forEachReactivation(_ body: (Subject, Int64) -> Void) {
        for (subject, time) in current.reactivations { body(subject, time) }
    }

    func unconfirmedCalls() -> [UnconfirmedCall] {
        let current = current
        return current.unconfirmed.values.sorted { $0.at < $1.at }.map { call in
            var call = call
            call.isBlocking = current.blockedByUnknown.contains(call.subject)
            return call
        }
    }

    /// All on one page.
    func blocks(_ query: BlockQuery) -> BlockPage {
        var page = BlockPage()
        for (subject, sources) in current.blocks where query.directory == nil || query.directory == subject.directory {
            let user = NamedUser(directory: "\(subject.directory)", tenant: subject.tenant?.canonical, user: subject.user.id.canonical)
            for source in sources.each where query.source == nil || query.source == source {
                page.blocks.append(StandingBlock(subject: subject, user: user, source: source, learned: .call, since: 0, reason: nil))
            }
        }
        return page
    }

    func forEachRecentChange(since time: Int64, _ body: (Subject, Int64) -> Void) {
        for outcome in current.log.suffix(Limits.quietUsers) where outcome.at >= time && Learned.quieting.contains(outcome.learned) {
            body(outcome.subject, outcome.at)
        }
    }

    func fillings() -> [DirectoryIndex: Bool] { current.fillings }
    func forEachAlias(_ body: (AliasRow) -> Void) { current.aliases.forEach(body) }
    func close() {}
}

extension BlockSources {
    var each: [BlockSource] { BlockSource.allCases.filter { contains(BlockSources($0)) } }
    var count: Int { each.count }
}

extension MemoryLedger.Contents {
    mutating func apply(_ change: LedgerChange) {
        switch change {
        case .intend(let intent): intents[intent.number] = intent
        case .forget(let number): intents[number] = nil
        case .record(let outcome): record(outcome)
        case .filling(let directory, let isDone): fillings[directory] = isDone
        case .alias(let row):
            aliases.removeAll { $0.directory == row.directory && $0.tenant == row.tenant && $0.kind == row.kind && $0.user == row.user }
            if row.value != nil { aliases.append(row) }
        case .probe, .fleet: break
        }
    }

    private mutating func record(_ outcome: Outcome) {
        if let intent = outcome.intent { intents[intent] = nil }
        var sources = blocks[outcome.subject] ?? []
        let stood = sources.contains(BlockSources(outcome.source))
        switch outcome.result {
        case .state(.suspended):
            sources.formUnion(BlockSources(outcome.source))
            if outcome.source == .upstream { blockedByUnknown.remove(outcome.subject) }
        case .state(.active):
            sources.subtract(BlockSources(outcome.source))
            if outcome.source == .upstream { blockedByUnknown.remove(outcome.subject) }
            let isOld = !stood && (outcome.learned == .read || outcome.learned == .reconcile)
            if !isOld { reactivations[outcome.subject] = max(reactivations[outcome.subject] ?? 0, outcome.at) }
        case .seen: break
        case .unknown(let wanted, let isBlocking):
            if isBlocking { sources.formUnion(BlockSources(outcome.source)) }
            if isBlocking, !stood { blockedByUnknown.insert(outcome.subject) }
            unconfirmed[outcome.subject] = UnconfirmedCall(
                subject: outcome.subject, wanted: wanted, caller: outcome.actor, requestID: outcome.requestID, cause: outcome.reason,
                at: outcome.at)
        }
        if outcome.settlesUnconfirmed { unconfirmed[outcome.subject] = nil }
        blocks[outcome.subject] = sources.isEmpty ? nil : sources
        log.append(outcome)
    }
}
