import Foundation
import GRDB
import Policy

/// Whether the ledger is whole: its pages, its log's chain, and whether the blocks are what the log says.
enum LedgerCheck {
    /// What every start asks: SQLite's `quick_check`, and the last entries' chain. Throws `LedgerError.damaged`.
    ///
    /// In a large ledger the log's pages, which decide about nobody, are left to `verify`: reading gigabytes would keep the gateway down.
    static func atStart(_ db: Database, path: String, chain: LogChain, wholeUpTo: Int = Limits.wholeQuickCheck) throws {
        let size = try Int.fetchOne(db, sql: "PRAGMA page_count")! * Int.fetchOne(db, sql: "PRAGMA page_size")!
        for part in size <= wholeUpTo ? ["1"] : try stateTables(db) {
            if let complaint = try String.fetchOne(db, sql: "PRAGMA quick_check(\(part))"), complaint != "ok" {
                throw LedgerError.damaged(path: path, complaint)
            }
        }
        try checkChain(db, path: path, chain: chain, last: Limits.chainCheckedAtStart)
    }

    /// Everything but the log: what says who is suspended. The fleet's tables too, and those of a later program.
    static func stateTables(_ db: Database) throws -> [String] {
        try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'log' ORDER BY name")
            .map { "\"\($0)\"" }
    }

    /// The whole log, from its first entry, and every block against it. Returns the number of entries.
    static func everything(_ db: Database, path: String, chain: LogChain) throws -> Int64 {
        if let complaint = try String.fetchOne(db, sql: "PRAGMA integrity_check(1)"), complaint != "ok" {
            throw LedgerError.damaged(path: path, complaint)
        }
        let entries = try checkChain(db, path: path, chain: chain, last: nil)
        if let difference = try Row.fetchOne(db, sql: differences) {
            let what = difference["logged"] as Bool ? "the log says is suspended has no block" : "is blocked, but not by the log"
            throw LedgerError.damaged(path: path, "a user who \(what) (scope \(difference["scope"] as Int64))")
        }
        if let scope = try Int64.fetchOne(db, sql: otherReactivations) {
            throw LedgerError.damaged(path: path, "a user was reactivated at another time than the log says (scope \(scope))")
        }
        return entries
    }

    /// The last entries, or all: each hash follows from the one before it, numbers have no gap, and the head is the last entry.
    @discardableResult
    private static func checkChain(_ db: Database, path: String, chain: LogChain, last: Int?) throws -> Int64 {
        let head = try Row.fetchOne(db, sql: "SELECT number, hash FROM head")
        guard let head else { throw LedgerError.damaged(path: path, "the log's head is missing") }
        let end: Int64 = head["number"]
        var number = last.map { max(end - Int64($0), 0) } ?? 0
        var previous = LogChain.start
        if number > 0 {
            let before = try Data.fetchOne(db, sql: "SELECT hash FROM log WHERE number = ?", arguments: [number])
            guard let before else { throw LedgerError.damaged(path: path, "log entry \(number) is missing") }
            previous = Array(before)
        }
        let rows = try Row.fetchCursor(db, sql: LedgerLog.query + " WHERE log.number > ? ORDER BY log.number", arguments: [number])
        while let row = try rows.next() {
            let entry = try LedgerLog.entry(row)
            let hash = chain.hash(entry, after: previous)
            number += 1
            guard entry.number == number else { throw LedgerError.damaged(path: path, "log entry \(number) is missing") }
            guard hash == Array(row["hash"] as Data) else { throw LedgerError.damaged(path: path, "log entry \(number) has been altered") }
            previous = hash
        }
        guard number == end, previous == Array(head["hash"] as Data) else {
            throw LedgerError.damaged(path: path, "the log ends at entry \(number), its head says \(end)")
        }
        return end
    }

    private static let otherReactivations = """
        SELECT scope FROM (SELECT * FROM (\(LedgerSchema.loggedReactivations)) EXCEPT SELECT scope, user, at FROM reactivations)
        UNION ALL
        SELECT scope FROM (SELECT scope, user, at FROM reactivations EXCEPT SELECT * FROM (\(LedgerSchema.loggedReactivations)))
        LIMIT 1
        """

    /// Blocks that the log's last word doesn't explain, and last words "suspended" without a block.
    private static let differences = """
        WITH last AS (SELECT scope, user, source, becomes, max(number) FROM log GROUP BY scope, user, source),
             standing AS (SELECT scope, user, source FROM last WHERE becomes = 1)
        SELECT 1 AS logged, scope FROM (SELECT * FROM standing EXCEPT SELECT scope, user, source FROM blocks)
        UNION ALL
        SELECT 0 AS logged, scope FROM (SELECT scope, user, source FROM blocks EXCEPT SELECT * FROM standing)
        LIMIT 1
        """
}

/// Reading the log's entries.
enum LedgerLog {
    static let query = """
        SELECT log.*, directories.name AS directory, scopes.tenant AS tenant
        FROM log LEFT JOIN scopes ON scopes.id = log.scope LEFT JOIN directories ON directories.id = scopes.directory
        """

    static func entry(_ row: Row) throws -> LogEntry {
        guard let directory = row["directory"] as String?, let user = try LedgerScopes.id(row["user"]),
            let source = BlockSource(rawValue: row["source"]), let from = UserState(rawValue: row["was"]),
            let to = UserState(rawValue: row["becomes"]), let learned = Learned(rawValue: row["learned"])
        else { throw LedgerError.readFailed("log entry \(row["number"] as Int64) can't be understood") }
        return LogEntry(
            number: row["number"], at: row["at"], directory: directory, tenant: try LedgerScopes.id(row["tenant"])?.canonical,
            user: user.canonical, source: source, from: from, to: to, learned: learned, actor: Array((row["actor"] as String).utf8),
            requestID: Array((row["request"] as String).utf8), reason: row["reason"])
    }
}
