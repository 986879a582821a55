/// Why the ledger can't be used. Each says what to do next.
package enum LedgerError: Error, Equatable, CustomStringConvertible {
    /// Another process has it.
    case held(path: String)
    /// The file can't be opened or made.
    case unreachable(path: String, String)
    /// Not one of ours.
    case notALedger(path: String)
    /// Made by a newer version.
    case newerVersion(path: String, found: Int, known: Int)
    /// Pages, rows or the chain of the log are damaged.
    case damaged(path: String, String)
    /// The file keeps ids of a directory in another format than the configuration says.
    case formatChanged(directory: String, was: String, now: String)
    /// SQLite did not take a setting that durability rests on.
    case notDurable(path: String, String)
    /// A write failed: disk full, I/O error, failed fsync. Nothing of the transaction is in force.
    case writeFailed(String)
    /// A read failed.
    case readFailed(String)

    package var description: String {
        switch self {
        case .held(let path):
            "The ledger \(path) is in use by another process. Stop that one first."
        case .unreachable(let path, let why):
            "The ledger \(path) can't be opened: \(why). Check that the folder exists and that this user may write in it."
        case .notALedger(let path):
            "\(path) is a database of something else, not a ledger. Name another file."
        case .newerVersion(let path, let found, let known):
            "The ledger \(path) has version \(found), this program knows \(known). Run the newer program, or restore a backup."
        case .damaged(let path, let what):
            """
            The ledger \(path) is damaged: \(what). Nothing is started on it. Copy the file and its -wal aside, then restore the last \
            backup, or rescue what can be read (sqlite3 \(path) .recover | sqlite3 NEW), check it with 'tenantgate suspensions verify \
            --ledger sqlite:NEW', and start with that.
            """
        case .formatChanged(let directory, let was, let now):
            """
            Directory \(directory) has suspensions under \(was), the file says \(now) now. Put the format back, or export its \
            suspensions, lift them, and import them again under the new format.
            """
        case .notDurable(let path, let setting): "The ledger \(path) did not take \(setting). Its file system can't keep it durably."
        case .writeFailed(let why): "The ledger can't be written: \(why)."
        case .readFailed(let why): "The ledger can't be read: \(why)."
        }
    }
}
