import GRDB
import Policy

/// When calls were lost, in the order of the shared log: whose outcome is unknown says nothing of the user, so no word tells that.
///
/// Each lost call has an entry of its own in the shared log, about nobody, that is published like a word. A gateway that had its number in
/// force when a call began has begun that call after the lost one; such a word settles it, wherever it was said.
extension LedgerTransaction {
    /// The next numbers of this gateway's own, for words and losses; the last of them.
    @discardableResult
    func takeLocals(_ count: Int = 1) throws -> Int64 {
        let statement = try db.cachedStatement(sql: "UPDATE fleet SET local = local + ? RETURNING local")
        let local = try Int64.fetchOne(statement, arguments: [count])!
        try noteWriter()
        return local
    }

    /// The last number of the shared log that is in force here.
    func applied() throws -> Int64 { try Int64.fetchOne(db.cachedStatement(sql: "SELECT applied FROM fleet"))! }

    /// A call's outcome is unknown; it takes the place of what was lost of the user before.
    mutating func lose(_ outcome: Outcome, scope: Int64, user: DatabaseValue) throws {
        guard isJoined else { return }
        let local = try takeLocals()
        try run("INSERT OR REPLACE INTO fleet_losses VALUES (?, ?, ?, ?, ?, NULL)", [scope, user, outcome.at, fleet.writer, local])
        say(.loss(fleet.writer, local, base: try applied(), at: outcome.at))
    }

    /// Lost calls that the fleet hasn't been told of: those of before it was joined, or of a program that doesn't tell them.
    func loseWhatStood() throws {
        let told = """
            SELECT 1 FROM fleet_losses AS told WHERE told.scope = lost.scope AND told.user = lost.user AND told.at = lost.at
            """
        try run(
            """
            INSERT OR REPLACE INTO fleet_losses
            SELECT scope, user, at, ?, (SELECT local FROM fleet) + row_number() OVER (), NULL FROM unconfirmed AS lost
            WHERE cause <> ? AND NOT EXISTS (\(told))
            """, [fleet.writer, Self.contest])
        if db.changesCount > 0 { try takeLocals(db.changesCount) }
    }

    /// One of this ledger's own has come back with its number. One that another loss of the user has replaced is nobody's any more.
    func hearLoss(_ head: FleetHead) throws {
        try run("UPDATE fleet_losses SET number = ? WHERE writer = ? AND local = ?", [head.number, head.writer, head.local])
    }

    /// Whether a word about a user was begun after the call of his that is unconfirmed here. A program that doesn't tell losses may have
    /// recorded that one: then it is of another time than what was told.
    func isAfterLoss(_ word: FleetHead, scope: Int64, user: DatabaseValue) throws -> Bool {
        let statement = try db.cachedStatement(
            sql: """
                SELECT number FROM fleet_losses AS told JOIN unconfirmed AS lost
                ON lost.scope = told.scope AND lost.user = told.user AND lost.at = told.at WHERE told.scope = ? AND told.user = ?
                """)
        return try Int64.fetchOne(statement, arguments: [scope, user]).map { $0 <= word.base } ?? false
    }

    /// What was lost of a user is settled.
    func settle(scope: Int64, user: DatabaseValue) throws {
        try run("DELETE FROM unconfirmed WHERE scope = ? AND user = ?", [scope, user])
        if isJoined { try run("DELETE FROM fleet_losses WHERE scope = ? AND user = ?", [scope, user]) }
    }

    /// Losses that the shared log doesn't have yet.
    func untoldLosses(_ limit: Int) throws -> [FleetEntry] {
        let base = try applied()
        return try Row.fetchAll(
            db, sql: "SELECT writer, local, at FROM fleet_losses WHERE number IS NULL ORDER BY local LIMIT ?", arguments: [limit]
        ).map { .loss($0["writer"], $0["local"], base: base, at: $0["at"]) }
    }
}
