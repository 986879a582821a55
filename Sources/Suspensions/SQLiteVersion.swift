import GRDBSQLite

/// The version of SQLite that the ledger runs with, for `--version`.
package enum SQLiteVersion {
    package static var text: String { unsafe String(cString: sqlite3_libversion()) }
}
