import Policy

/// Users whom others have suspended while the ledger took nothing: blocked in memory alone. Nobody of them is lifted before the ledger has
/// heard all that they were blocked by.
struct FleetHeld: Sendable {
    private var subjects: Set<Subject> = []
    /// Too many to remember: everybody counts as one of them.
    private var isEverybody = false

    mutating func insert(_ subject: Subject) {
        guard !isEverybody else { return }
        subjects.insert(subject)
        if subjects.count > Limits.fleetHeldUsers { (subjects, isEverybody) = ([], true) }
    }

    func contains(_ subject: Subject) -> Bool { isEverybody || subjects.contains(subject) }
}

extension SuspensionAuthority {
    /// Puts what others have suspended in force in memory alone, where the ledger takes nothing: this gateway knows of nothing more than
    /// before, and `hear` has to be given the same entries when the ledger takes them, then `release`. Blocks until it is in force.
    ///
    /// Who is reactivated in the same entries by a word that knew of the suspension is left as he is.
    func hold(_ entries: [FleetEntry]) {
        let (directories, writer) = state.withLock { ($0.fleet?.directories ?? [], $0.fleet?.ledger.writer) }
        var words: [BlockKey: (heads: FleetHeads, at: Int64)] = [:]
        // What this run has said itself is in force as it should be.
        for entry in entries where entry.head.writer != writer {
            guard let subject = directories.subject(of: entry), subject.directory < index.reaches.count else { continue }
            var heads = words[BlockKey(subject, entry.source)]?.heads ?? FleetHeads()
            heads.hear(entry.head)
            words[BlockKey(subject, entry.source)] = (heads, entry.at)
        }
        let effects = words.filter { $0.value.heads.state == .suspended }.map { key, word in
            FleetEffect(subject: key.subject, source: key.source, state: .suspended, at: word.at, isContested: false, open: nil)
        }
        guard !effects.isEmpty else { return }
        awaited { done in
            surroundings.run { [self] in
                state.withLock { state in
                    for effect in effects { state.fleet?.held.insert(effect.subject) }
                }
                block(heard: effects)
                // What the ledger has of their calls stays as it is in memory.
                handle(.heard(effects, isLosing: Set(effects.map(\.subject))))
                done(())
            }
        }
    }

    /// The ledger has heard everything that was held: who of these entries' users isn't suspended by it is so no more in memory either.
    func release(_ entries: [FleetEntry]) throws(LedgerError) {
        _ = try step(patience: Limits.ledgerPatienceSeconds) { transaction, scopes in
            try transaction.released(entries, &scopes)
        } then: { [self] effects in
            for effect in effects where effect.subject.directory < index.reaches.count && index.stands(effect.source, for: effect.subject) {
                liftUnlessBusy(effect.subject, effect.source, at: effect.at)
            }
        }
    }

    /// Nobody is held any more but by what the ledger has. On any thread; before `release`, when all is heard.
    func holdNobody() {
        awaited { done in
            surroundings.run { [self] in
                state.withLock { $0.fleet?.held = FleetHeld() }
                done(())
            }
        }
    }
}

extension LedgerTransaction {
    /// Those of the entries' users who don't stand as blocked, with the time of their reactivation.
    mutating func released(_ entries: [FleetEntry], _ scopes: inout LedgerScopes) throws -> [FleetEffect] {
        try entries.compactMap { entry in
            guard entry.head.state == .suspended, let subject = scopes.directories.subject(of: entry) else { return nil }
            let (scope, user) = (try number(subject, &scopes), LedgerScopes.value(subject.user.id))
            guard try isBlocked(scope, user, entry.source) == .active else { return nil }
            let since = try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT at FROM reactivations WHERE scope = ? AND user = ?"), arguments: [scope, user])
            return FleetEffect(
                subject: subject, source: entry.source, state: .active, at: since ?? fleet.wall, isContested: false, open: nil)
        }
    }
}
