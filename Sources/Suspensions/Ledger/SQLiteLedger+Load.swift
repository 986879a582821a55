import GRDB
import GRDBSQLite
package import Policy

/// Reading the state. Ten million blocks are read at every start, so their rows are stepped through SQLite's own interface: the unsafe
/// pointers here are its statement and the bytes of the row that it stands on.
extension SQLiteLedger {
    package func blockCount() throws(LedgerError) -> Int {
        try reading { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM blocks")! }
    }

    package func forEachBlock(_ body: (Subject, BlockSource) -> Void) throws(LedgerError) {
        try forEachRow("SELECT scope, source, user FROM blocks", called: "block") { subject, source in
            guard let source = UInt8(exactly: source).flatMap(BlockSource.init) else { return false }
            body(subject, source)
            return true
        }
    }

    package func forEachReactivation(_ body: (Subject, Int64) -> Void) throws(LedgerError) {
        try forEachRow("SELECT scope, at, user FROM reactivations", called: "reactivation") { subject, time in
            body(subject, time)
            return true
        }
    }

    package func forEachRecentChange(since time: Int64, _ body: (Subject, Int64) -> Void) throws(LedgerError) {
        let learned = Learned.quieting.map { "\($0.rawValue)" }.joined(separator: ", ")
        let last = "SELECT scope, at, user, learned FROM log ORDER BY number DESC LIMIT \(Limits.quietUsers)"
        try forEachRow("SELECT scope, at, user FROM (\(last)) WHERE at >= \(time) AND learned IN (\(learned))", called: "log entry") {
            subject, time in
            body(subject, time)
            return true
        }
    }

    /// Rows of a scope, a number and a user. `take` says false to a number that can't be.
    private func forEachRow(_ sql: String, called name: String, _ take: (Subject, Int64) -> Bool) throws(LedgerError) {
        let scopes = scopes.withLock { $0 }
        try reading { db in
            // The object owns SQLite's statement, so it has to outlive the loop.
            let prepared = try db.makeStatement(sql: sql)
            defer { withExtendedLifetime(prepared) {} }
            let statement = unsafe prepared.sqliteStatement
            var scope: (number: Int64, place: LedgerScopes.Place)?
            while true {
                let step = unsafe sqlite3_step(statement)
                guard step == SQLITE_ROW else {
                    guard step == SQLITE_DONE else { throw LedgerError.damaged(path: path, "the \(name)s can't be read (SQLite \(step))") }
                    return
                }
                let number = unsafe sqlite3_column_int64(statement, 0)
                if scope?.number != number { scope = scopes.place(number).map { (number, $0) } }
                guard let place = scope?.place, let user = unsafe Self.id(statement, column: 2),
                    unsafe take(
                        Subject(directory: place.directory, tenant: place.tenant, user: UserID(user)), sqlite3_column_int64(statement, 1))
                else { throw LedgerError.damaged(path: path, "a \(name) can't be read") }
            }
        }
    }

    package func unconfirmedCalls() throws(LedgerError) -> [UnconfirmedCall] {
        let scopes = scopes.withLock { $0 }
        return try reading { db in
            try Row.fetchAll(db, sql: Self.openCalls).map { row in
                guard let place = scopes.place(row["scope"]), let user = try LedgerScopes.id(row["user"]),
                    let wanted = UserState(rawValue: row["wanted"])
                else { throw LedgerError.damaged(path: self.path, "an unconfirmed call can't be read") }
                return UnconfirmedCall(
                    subject: Subject(directory: place.directory, tenant: place.tenant, user: UserID(user)), wanted: wanted,
                    caller: Array((row["caller"] as String).utf8), requestID: Array((row["request"] as String).utf8), cause: row["cause"],
                    at: row["at"], isBlocking: row["blocking"])
            }
        }
    }

    /// A block that was learned by an unknown outcome has no other cause: it doesn't change how another was learned.
    private static let openCalls = """
        SELECT unconfirmed.*, EXISTS (
            SELECT 1 FROM blocks WHERE blocks.scope = unconfirmed.scope AND blocks.user = unconfirmed.user
            AND source = \(BlockSource.upstream.rawValue) AND learned IN (\(LedgerSchema.unknown))) AS blocking
        FROM unconfirmed ORDER BY at
        """

    package func fillings() throws(LedgerError) -> [DirectoryIndex: Bool] {
        let scopes = scopes.withLock { $0 }
        return try reading { db in
            var fillings: [DirectoryIndex: Bool] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT directory, done FROM fillings") {
                if let directory = scopes.directory(at: row["directory"]) { fillings[directory] = row["done"] }
            }
            return fillings
        }
    }

    func reading<Value>(_ body: (Database) throws -> Value) throws(LedgerError) -> Value {
        do {
            return try database.read(body)
        } catch {
            throw LedgerError(error, path: path)
        }
    }

    private static func id(_ statement: SQLiteStatement, column: Int32) -> FormattedID? {
        let count = unsafe Int(sqlite3_column_bytes(statement, column))
        let bytes = unsafe UnsafeRawBufferPointer(start: sqlite3_column_blob(statement, column), count: count)
        switch unsafe sqlite3_column_type(statement, column) {
        case SQLITE_BLOB where count == 16:
            let high = unsafe UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
            let low = unsafe UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            return .uuid(UUIDBits(high: high, low: low))
        case SQLITE_TEXT: return unsafe .string(Array(bytes))
        default: return nil
        }
    }
}

/// The log.
extension SQLiteLedger {
    /// Checks every page, the whole chain of the log, and every block against it. Takes as long as reading all of it. Returns the number
    /// of entries.
    @discardableResult
    package func verify() throws(LedgerError) -> Int64 {
        try reading { db in try LedgerCheck.everything(db, path: path, chain: chain) }
    }

    /// The log, oldest first, from the entry after `number`.
    package func forEachLogEntry(after number: Int64 = 0, _ body: (LogEntry) throws -> Void) throws(LedgerError) {
        try reading { db in
            let rows = try Row.fetchCursor(db, sql: LedgerLog.query + " WHERE log.number > ? ORDER BY log.number", arguments: [number])
            while let row = try rows.next() { try body(LedgerLog.entry(row)) }
        }
    }
}
