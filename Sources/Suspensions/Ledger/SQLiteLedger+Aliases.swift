import GRDB
import Policy

extension LedgerSchema {
    /// Since version 4: verified aliases of users, by the rule that they were read by. `number` tells in which order they were learned.
    static let aliases = """
        CREATE TABLE aliases (
            number INTEGER PRIMARY KEY, scope INTEGER NOT NULL, kind TEXT NOT NULL, user ANY NOT NULL, value TEXT NOT NULL,
            UNIQUE (scope, kind, user)) STRICT;

        """
}

extension AliasRow {
    /// Writes the row, or takes it away.
    func keep(_ db: Database, scope: Int64) throws {
        let kind = String(decoding: kind, as: UTF8.self)
        let user = LedgerScopes.value(user.id)
        guard let value else {
            try db.cachedStatement(sql: "DELETE FROM aliases WHERE scope = ? AND kind = ? AND user = ?").execute(
                arguments: [scope, kind, user])
            return
        }
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO aliases (scope, kind, user, value) VALUES (?, ?, ?, ?)").execute(
            arguments: [scope, kind, user, String(decoding: value, as: UTF8.self)])
    }
}

extension SQLiteLedger {
    package func forEachAlias(_ body: (AliasRow) -> Void) throws(LedgerError) {
        let scopes = scopes.withLock { $0 }
        try reading { db in
            let rows = try Row.fetchCursor(db, sql: "SELECT scope, kind, user, value FROM aliases ORDER BY number")
            while let row = try rows.next() {
                guard let place = scopes.place(row["scope"]), let user = try LedgerScopes.id(row["user"]) else {
                    throw LedgerError.damaged(path: path, "an alias can't be read")
                }
                body(
                    AliasRow(
                        directory: place.directory, tenant: place.tenant, kind: Array((row["kind"] as String).utf8), user: UserID(user),
                        value: Array((row["value"] as String).utf8)))
            }
        }
    }
}
