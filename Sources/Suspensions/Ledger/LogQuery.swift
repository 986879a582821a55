import GRDB

/// Which entries of the log a page has.
package enum LogRange: Sendable, Equatable {
    /// Those after this number, oldest first.
    case after(Int64)
    /// Those before this number, newest first; nil begins at the end.
    case before(Int64?)
}

extension SQLiteLedger {
    /// At most `limit` entries, and the number of the log's last one. On the ledger's thread.
    package func log(_ range: LogRange, limit: Int) throws(LedgerError) -> (entries: [LogEntry], last: Int64) {
        try reading { db in
            let last = try Int64.fetchOne(db, sql: "SELECT number FROM head") ?? 0
            let rows: [Row]
            switch range {
            case .after(let number):
                rows = try Row.fetchAll(
                    db, sql: LedgerLog.query + " WHERE log.number > ? ORDER BY log.number LIMIT ?", arguments: [number, limit])
            case .before(let number):
                rows = try Row.fetchAll(
                    db, sql: LedgerLog.query + " WHERE log.number < ? ORDER BY log.number DESC LIMIT ?",
                    arguments: [number ?? Int64.max, limit])
            }
            return (try rows.map(LedgerLog.entry), last)
        }
    }

    /// The calls whose outcome is unknown, at most `limit` of them: the newest, since who is on call looks for those.
    package func unconfirmedCalls(limit: Int) throws(LedgerError) -> [StandingCall] {
        try unconfirmedCalls().suffix(limit).reversed().map { StandingCall(user: named($0.subject), call: $0) }
    }
}
