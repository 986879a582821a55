import Dispatch
package import Policy
import Synchronization

/// Who is meant by an alias: what verified fields of user objects have said, kept by the ledger, and asked at the service where it isn't
/// known yet.
///
/// Callable from any thread; nothing here waits. Work is done on a thread of the book's own. Event loops remember answers as long as
/// `generation` stays: an alias that moves, is taken away or becomes doubtful changes it before anything else is answered.
package final class AliasBook: Sendable {
    struct State {
        var table: AliasTable
        /// Whom nobody knew lately, until when (steady nanoseconds) and as what.
        var unknown: [AliasKey: (until: Int64, verdict: AliasVerdict)] = [:]
        var searches: [AliasKey: Search] = [:]
        /// Searches that have not begun.
        var line = AliasLines()
        /// Aliases whose holders are to be read before anything else.
        var doubts = AliasLines()
        /// Searches under way.
        var open = AliasPlaces(ofOne: Limits.aliasSearchesAtOnce, all: Limits.aliasSearchesAtOnceInAll)
        /// Holders that are being read anew, where nobody is believed for longer than `belief`.
        var reading = AliasPlaces(ofOne: Limits.aliasReadsAtOnce, all: Limits.aliasReadsAtOnceInAll)
        var waiting = AliasPlaces(ofOne: Limits.aliasWaiters / 2, all: Limits.aliasWaiters)
        var allowance = AliasAllowances(ofOne: Limits.aliasSearchesPerSecond, all: Limits.aliasSearchesPerSecondInAll)
        /// Reads of holders, where nobody is believed for longer than `belief`.
        var reads = AliasAllowances(ofOne: Limits.aliasReadsPerSecond, all: Limits.aliasReadsPerSecondInAll)
        /// Nanoseconds for which a reading is believed; nil: until a later one says otherwise.
        var belief: Int64?
        /// When the holders of an alias were last read anew.
        var reread: [AliasKey: Int64] = [:]
        var source: (any AliasSource)?
        /// Rows that a failing ledger has not taken, the last of each user.
        var owed: [AliasOwner: AliasRow] = [:]
        var isRetrying = false
        /// Whether the ledger is another process' now.
        var isHeld = false
        /// Told of what makes void what was answered before.
        var tell: (@Sendable (AliasWord) -> Void)?
        var tally = AliasTally()
    }

    struct Search {
        let question: AliasQuestion
        /// Asked a second time, since something else was learned while its answer was on its way.
        var isRepeated = false
        var answers: [@Sendable (AliasAnswer) -> Void]
    }

    let state: Mutex<State>
    private let changes = Atomic<Int>(0)
    private let queued = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)
    private let keys: AliasKeys
    private let limit: Int
    let kinds: [Set<[UInt8]>]
    private let writer: LedgerWriter
    let steady: @Sendable () -> Int64
    let run: @Sendable (@escaping @Sendable () -> Void) -> Void

    /// Reads what the ledger keeps. `kinds`: of each directory the rules that are in use (`AliasRule.kind`); what was kept by others is
    /// forgotten. `run` does work one after the other.
    init(
        store: any LedgerStore, writer: LedgerWriter, kinds: [Set<[UInt8]>], steady: @escaping @Sendable () -> Int64,
        run: (@Sendable (@escaping @Sendable () -> Void) -> Void)? = nil, limit: Int = Limits.aliases
    ) throws(LedgerError) {
        keys = AliasKeys()
        (self.limit, self.kinds) = (limit, kinds)
        var loading = Loading(table: AliasTable(limit: limit, keys: keys), kinds: kinds)
        try store.forEachAlias { loading.take($0) }
        let thread = DispatchQueue(label: "tenantgate.aliases", qos: .userInitiated)
        self.run = run ?? { thread.async(execute: $0) }
        self.steady = steady
        self.writer = writer
        state = Mutex(State(table: loading.table))
        keep(loading.stale)
    }

    /// Reads the ledger's rows into a table.
    private struct Loading {
        var table: AliasTable
        /// Rows that nobody goes by any more.
        var stale: [AliasRow] = []
        let kinds: [Set<[UInt8]>]

        mutating func take(_ row: AliasRow) {
            guard row.directory < kinds.count else { return }
            if kinds[row.directory].contains(row.kind) {
                stale += table.load(row).rows
            } else {
                stale.append(row.without)
            }
        }
    }

    /// A table of these rows with this book's keys, and the rows that it doesn't go by.
    func table(of rows: [AliasRow]) -> (AliasTable, stale: [AliasRow]) {
        var loading = Loading(table: AliasTable(limit: limit, keys: keys), kinds: kinds)
        for row in rows { loading.take(row) }
        return (loading.table, loading.stale)
    }

    /// Nobody is remembered by what was answered before.
    func renew() { changes.add(1, ordering: .releasing) }

    /// Changes whenever somebody may have been told otherwise before. Cheap enough for every request.
    package var generation: Int { changes.load(ordering: .acquiring) }

    package func question(_ alias: UserAlias, directory: DirectoryIndex, tenant: FormattedID?) -> AliasQuestion {
        let scope = AliasTable.Scope(directory: directory, tenant: tenant, kind: alias.rule.kind)
        return AliasQuestion(alias, directory: directory, tenant: tenant, key: keys.alias(alias.value, in: scope))
    }

    /// Has unknown aliases looked up by `source` from now on; nil: nowhere.
    package func search(by source: (any AliasSource)?) { state.withLock { $0.source = source } }

    /// Believes a reading for so long only, since others see changes that this gateway doesn't: then its user is read before he is anybody's
    /// answer, and where he can't be read nobody is. To be said before anybody asks.
    package func believe(forSeconds seconds: Int64) { state.withLock { $0.belief = seconds * 1_000_000_000 } }

    /// What is known now, without asking anybody else.
    package func known(_ question: AliasQuestion) -> AliasAnswer {
        let now = steady()
        return state.withLock { $0.answer(question.key, .nobody, generation, now: now) }
    }

    /// Answers who is meant, once that is known.
    package func find(_ question: AliasQuestion, then answer: @escaping @Sendable (AliasAnswer) -> Void) {
        run { [self] in look(question, answer) }
    }

    /// Takes what one answer said of users, whose request was sent `age` ago. Costs the caller nothing where there are no readings.
    package func learn(_ readings: [AliasReading], directory: DirectoryIndex, tenant: FormattedID?, age: Duration) {
        learn(readings, directory: directory, tenant: tenant, asked: steady() - age.nanoseconds)
    }

    /// How things stand, for metrics.
    package var tally: AliasTally {
        state.withLock { state in
            var tally = state.tally
            tally.known = state.table.count
            tally.contested = state.table.contested
            tally.dropped = dropped.load(ordering: .relaxed)
            return tally
        }
    }
}

// MARK: learning

extension AliasBook {
    /// Waits for nothing: an event loop may say what it has read.
    private func learn(_ readings: [AliasReading], directory: DirectoryIndex, tenant: FormattedID?, asked: Int64) {
        guard !readings.isEmpty else { return }
        let waiting = queued.add(readings.count, ordering: .relaxed).newValue
        guard waiting <= Limits.aliasReadings else {
            queued.subtract(readings.count, ordering: .relaxed)
            dropped.add(readings.count, ordering: .relaxed)
            return
        }
        run { [self] in
            queued.subtract(readings.count, ordering: .relaxed)
            // While a failing ledger owes so many, nothing new is learned: what is void goes, and what is known is confirmed.
            let taken = state.withLock { state in
                guard state.owed.count >= Limits.undurableUsers else { return readings }
                return readings.filter { $0.value == nil || state.table.has($0, directory: directory, tenant: tenant) }
            }
            learn(AliasWord(taken, directory: directory, tenant: tenant, asked: asked))
        }
    }

    /// Takes what one answer said.
    func learn(_ word: AliasWord) { apply(word) { $0.learn(word.rows, asked: word.asked) } }

    /// In memory first, so that no request is judged by what is void, then durably. `word`: what another process has to be told where it
    /// makes anything void, unless it was `isHeard` from one: whoever has heard it tells it on.
    func apply(_ word: AliasWord, isHeard: Bool = false, _ work: (inout AliasTable) -> AliasTable.Change) {
        let (change, tell) = state.withLock { state in
            let change = work(&state.table)
            if change.isVoid { renew() }
            state.tally.evicted += change.evicted
            for row in change.rows { state.owed[AliasOwner(row)] = row }
            if change.rows.contains(where: { $0.value != nil }), !state.unknown.isEmpty {
                for row in change.rows {
                    guard let value = row.value else { continue }
                    let scope = AliasTable.Scope(directory: row.directory, tenant: row.tenant, kind: row.kind)
                    state.unknown[state.table.key(value, in: scope)] = nil
                }
            }
            return (change, change.isNews && !isHeard ? state.tell : nil)
        }
        if let tell { for part in word.parts { tell(part) } }
        keep(change.rows)
    }

    /// Gives rows to the ledger; those that it doesn't take are given again, in place of older ones of the same user.
    func keep(_ rows: [AliasRow]) {
        guard !rows.isEmpty else { return }
        for start in stride(from: 0, to: rows.count, by: Limits.ledgerGroup) {
            let part = Array(rows[start..<min(start + Limits.ledgerGroup, rows.count)])
            let isHeld = state.withLock { state in
                for row in part { state.owed[AliasOwner(row)] = row }
                return state.isHeld
            }
            guard !isHeld else { continue }
            writer.submit(part.map { .alias($0) }) { [self] error in
                run { self.written(part, error) }
            }
        }
    }

    private func written(_ rows: [AliasRow], _ error: LedgerError?) {
        let retries = state.withLock { state in
            if error == nil {
                for row in rows where state.owed[AliasOwner(row)] == row { state.owed[AliasOwner(row)] = nil }
            }
            guard error != nil, !state.isRetrying else { return false }
            state.isRetrying = true
            return true
        }
        guard retries else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Int(Limits.ledgerRetryMilliseconds))) { [weak self] in
            guard let self else { return }
            run {
                let owed = self.state.withLock { state in
                    state.isRetrying = false
                    return Array(state.owed.values)
                }
                self.keep(owed)
            }
        }
    }
}

/// Whose row it is.
struct AliasOwner: Hashable {
    let directory: DirectoryIndex
    let tenant: FormattedID?
    let kind: [UInt8]
    let user: UserID

    init(_ row: AliasRow) {
        (directory, tenant, kind, user) = (row.directory, row.tenant, row.kind, row.user)
    }
}
