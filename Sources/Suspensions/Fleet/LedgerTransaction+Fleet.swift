import GRDB
import Policy

/// What becomes of a subject whose words are shared: kept beside its block, in the same transaction.
extension LedgerTransaction {
    /// Why a user stays suspended whose calls overlapped, as it is listed.
    static let contest = "calls at two gateways overlapped: suspended until it is settled"

    /// Takes this gateway's own word and returns the state that stands then.
    mutating func say(
        _ outcome: Outcome, _ state: UserState, scope: Int64, user: DatabaseValue, _ scopes: LedgerScopes
    ) throws -> UserState {
        guard isJoined else { return state }
        let word = FleetHead(
            writer: fleet.writer, local: try takeLocals(), number: nil,
            base: (shared.epochs ?? fleet.epochs).cap(try outcome.base ?? applied()), state: state)
        var heads = try heads(scope, user, outcome.source)
        let before = heads
        heads.say(word, own: fleet.isOwn)
        try replace(before, by: heads, of: outcome, learned: outcome.learned, scope: scope, user: user)
        say(entry(heads.all.last ?? word, outcome, scopes))
        return heads.state
    }

    /// To be published. More than a batch are asked of the ledger.
    mutating func say(_ entry: FleetEntry) {
        if shared.said.count <= Limits.fleetBatch { shared.said.append(entry) }
    }

    private func entry(_ word: FleetHead, _ outcome: Outcome, _ scopes: LedgerScopes) -> FleetEntry {
        FleetEntry(
            head: word, directory: scopes.name(outcome.subject.directory), tenant: outcome.subject.tenant?.canonical,
            user: outcome.subject.user.id.canonical, source: outcome.source, learned: outcome.learned, actor: text(outcome.actor),
            requestID: text(outcome.requestID), reason: text(outcome.reason), at: outcome.at, since: outcome.since)
    }

    /// Whether words are kept, also if only this transaction has begun it.
    var isJoined: Bool { shared.joins || fleet.isJoined }

    /// Shows a subject among those with an unknown outcome as long as the words about its upstream's block differ.
    mutating func showContest(_ outcome: Outcome, scope: Int64, user: DatabaseValue) throws {
        guard isJoined else { return }
        let statement = try db.cachedStatement(
            sql: "SELECT EXISTS (SELECT 1 FROM fleet_contests WHERE scope = ? AND user = ? AND source = ?)")
        let isContested = try Bool.fetchOne(statement, arguments: [scope, user, BlockSource.upstream.rawValue])!
        if isContested || shared.isContested[outcome.subject] != nil { shared.isContested[outcome.subject] = isContested }
        if isContested {
            // A call of this gateway's that is unconfirmed stays so: none of the words is about it.
            try run(
                "INSERT OR IGNORE INTO unconfirmed VALUES (?, ?, ?, ?, ?, ?, ?)",
                [scope, user, UserState.active.rawValue, text(outcome.actor), text(outcome.requestID), Self.contest, outcome.at])
        } else {
            try run("DELETE FROM unconfirmed WHERE scope = ? AND user = ? AND cause = ?", [scope, user, Self.contest])
        }
    }

    /// Takes entries of the shared log, in its order, up to `number`. Those of directories that this file doesn't have are passed over:
    /// `join` asks for all entries again when one comes.
    mutating func hear(_ entries: [FleetEntry], upTo number: Int64, _ scopes: inout LedgerScopes) throws -> [FleetEffect] {
        var effects: [FleetEffect] = []
        for entry in entries {
            if let effect = try hear(entry, &scopes) { effects.append(effect) }
        }
        try run("UPDATE fleet SET applied = max(applied, ?)", [number])
        return effects
    }

    private mutating func hear(_ entry: FleetEntry, _ scopes: inout LedgerScopes) throws -> FleetEffect? {
        if entry.isLoss { try hearLoss(entry.head) }
        guard let subject = scopes.directories.subject(of: entry) else { return nil }
        let scope = try number(subject, &scopes)
        let user = LedgerScopes.value(subject.user.id)
        var heads = try heads(scope, user, entry.source)
        let before = heads
        heads.hear(entry.head)
        guard heads != before else { return nil }
        let lost = entry.source == .upstream ? try wordOfLostCall(scope, user) : nil
        try replace(before, by: heads, of: entry.outcome(subject), learned: entry.learned, scope: scope, user: user)
        // Its own word that has come back with its number.
        let isOld = before.all.contains { $0.writer == entry.head.writer && $0.local == entry.head.local }
        guard !isOld || heads.state != before.state || heads.areContested != before.areContested else { return nil }
        // One that an own word has overtaken, which is yet to be published.
        guard heads.last != before.last else { return nil }
        // Only a call that was begun after the lost one settles it: nobody else can tell which of them came last at the service.
        let isAfter = try lost.map { !heads.all.contains($0) } ?? isAfterLoss(entry.head, scope: scope, user: user)
        let saysSo = entry.source == .upstream && (entry.learned == .call || entry.learned == .hand)
        let settles = saysSo && isAfter && !heads.areContested
        let outcome = entry.outcome(subject, heardAt: fleet.wall)
        try enter(outcome, heads.state, settles: settles, scope: scope, user: user, scopes)
        return FleetEffect(
            subject: subject, source: entry.source, state: heads.state, at: outcome.at, isContested: heads.areContested,
            open: try openCall(scope, user))
    }

    /// Block and log follow the words.
    private mutating func enter(
        _ outcome: Outcome, _ state: UserState, settles: Bool, scope: Int64, user: DatabaseValue, _ scopes: LedgerScopes
    ) throws {
        let was = try isBlocked(scope, user, outcome.source)
        if state == .active { try reactivate(outcome, scope: scope, user: user) }
        if settles { try settle(scope: scope, user: user) }
        try showContest(outcome, scope: scope, user: user)
        try keep(state, outcome, scope: scope, user: user)
        try append(outcome, scope: scope, user: user, from: was, to: state, scopes)
    }

    // MARK: rows

    /// The word that an unconfirmed call of this gateway's has said, where it blocks the user (`on_unknown: suspend`). Others say none.
    private func wordOfLostCall(_ scope: Int64, _ user: DatabaseValue) throws -> FleetHead? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT head.writer, head.local, head.number, head.base, head.state FROM unconfirmed JOIN fleet_heads AS head
                ON head.scope = unconfirmed.scope AND head.user = unconfirmed.user AND head.at = unconfirmed.at
                AND head.request = unconfirmed.request AND head.actor = unconfirmed.caller AND head.state = unconfirmed.wanted
                WHERE unconfirmed.scope = ? AND unconfirmed.user = ? AND head.source = \(BlockSource.upstream.rawValue)
                AND head.learned IN (\(LedgerSchema.unknown))
                """)
        return try Row.fetchAll(statement, arguments: [scope, user]).map(Self.head).first { fleet.isOwn($0.writer) }
    }

    private func openCall(_ scope: Int64, _ user: DatabaseValue) throws -> FleetEffect.OpenCall? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT wanted, EXISTS (
                    SELECT 1 FROM blocks WHERE blocks.scope = unconfirmed.scope AND blocks.user = unconfirmed.user
                    AND source = \(BlockSource.upstream.rawValue) AND learned IN (\(LedgerSchema.unknown))) AS blocking
                FROM unconfirmed WHERE scope = ? AND user = ?
                """)
        return try Row.fetchOne(statement, arguments: [scope, user]).map { row in
            guard let wanted = UserState(rawValue: row["wanted"]) else { throw LedgerError.readFailed("an unconfirmed call can't be read") }
            return FleetEffect.OpenCall(wanted: wanted, isBlocking: row["blocking"])
        }
    }

    private func heads(_ scope: Int64, _ user: DatabaseValue, _ source: BlockSource) throws -> FleetHeads {
        let statement = try db.cachedStatement(
            sql: "SELECT writer, local, number, base, state FROM fleet_heads WHERE scope = ? AND user = ? AND source = ?")
        return FleetHeads(try Row.fetchAll(statement, arguments: [scope, user, source.rawValue]).map(Self.head))
    }

    private static func head(_ row: Row) throws -> FleetHead {
        guard let state = UserState(rawValue: row["state"]) else { throw LedgerError.readFailed("a word of the fleet can't be read") }
        return FleetHead(writer: row["writer"], local: row["local"], number: row["number"], base: row["base"], state: state)
    }

    private mutating func replace(
        _ before: FleetHeads, by after: FleetHeads, of outcome: Outcome, learned: Learned, scope: Int64, user: DatabaseValue
    ) throws {
        for head in before.all where !after.all.contains(head) {
            try run(
                "DELETE FROM fleet_heads WHERE scope = ? AND user = ? AND source = ? AND writer = ? AND local = ?",
                [scope, user, outcome.source.rawValue, head.writer, head.local])
        }
        for head in after.all where !before.all.contains(head) {
            try run(
                "INSERT INTO fleet_heads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    scope, user, outcome.source.rawValue, head.writer, head.local, head.number, head.base, head.state.rawValue,
                    learned.rawValue, text(outcome.actor), text(outcome.requestID), text(outcome.reason), outcome.at,
                    outcome.since,
                ])
        }
        // Blocks alone are not lifted by anybody: an import of millions is not remembered.
        let key = BlockKey(outcome.subject, outcome.source)
        if outcome.learned == .fleet || outcome.result == .state(.active) || shared.stands[key] != nil {
            shared.stands[key] = after.state == .suspended
        }
        guard before.areContested != after.areContested else { return }
        shared.contestedMore += after.areContested ? 1 : -1
        try run(
            after.areContested
                ? "INSERT INTO fleet_contests VALUES (?, ?, ?)" : "DELETE FROM fleet_contests WHERE scope = ? AND user = ? AND source = ?",
            [scope, user, outcome.source.rawValue])
    }
}

extension FleetEntry {
    /// As the shared log has it; or, `heardAt` this machine's time, as this gateway's own log and what follows from it have it.
    fileprivate func outcome(_ subject: Subject, heardAt: Int64? = nil) -> Outcome {
        Outcome(
            intent: nil, subject: subject, source: source, result: .state(head.state), learned: .fleet, actor: Array(actor.utf8),
            requestID: Array(requestID.utf8), reason: reason, at: heardAt ?? at, since: heardAt == nil ? since : since ?? at)
    }
}

extension [LedgerDirectory] {
    /// Whom an entry is about; nil for a directory that the file doesn't have, or ids that don't fit its formats.
    func subject(of entry: FleetEntry) -> Subject? {
        guard let directory = firstIndex(where: { $0.name.utf8.elementsEqual(entry.directory.utf8) }),
            let user = UserID(entry.user.span, format: self[directory].idFormat)
        else { return nil }
        guard let tenant = entry.tenant else { return Subject(directory: directory, tenant: nil, user: user) }
        guard let id = TenantID(tenant.span, format: self[directory].tenantFormat) else { return nil }
        return Subject(directory: directory, tenant: id.id, user: user)
    }
}
