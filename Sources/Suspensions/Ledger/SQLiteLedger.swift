import Foundation
import GRDB
package import Policy
import Synchronization

/// A directory as the ledger knows it: by name, so that the file may be rearranged, and with the formats that its ids were read in.
package struct LedgerDirectory: Sendable, Equatable {
    package let name: String
    package let idFormat: IDFormat
    package let tenantFormat: IDFormat

    package init(name: String, idFormat: IDFormat, tenantFormat: IDFormat) {
        self.name = name
        self.idFormat = idFormat
        self.tenantFormat = tenantFormat
    }
}

/// The ledger in a local SQLite database: WAL, `synchronous=FULL`, exclusively locked, one process (SPEC §4 "Keeping").
///
/// A transaction that `commit` has acknowledged survives `kill -9` and power loss. Use it from one thread at a time.
package final class SQLiteLedger: LedgerStore {
    /// The directories that subjects' numbers mean: the configuration's first.
    package let directories: [LedgerDirectory]
    let path: String
    private let connection: Mutex<DatabaseQueue>
    let chain: LogChain
    let scopes: Mutex<LedgerScopes>
    let fleet = FleetLedger()

    /// Opens or makes the ledger and checks it: `quick_check`, and the chain of the log's last entries.
    ///
    /// - Parameters:
    ///   - directories: the configuration's, in its order: their places are the `DirectoryIndex` of subjects. Directories that only the
    ///     ledger knows follow after them.
    ///   - digest: SHA-256.
    package init(path: String, directories: [LedgerDirectory], digest: @escaping Digest) throws(LedgerError) {
        self.path = path
        chain = LogChain(digest: digest)
        let (database, known) = try Self.prepared(path, directories, chain, fleet)
        connection = Mutex(database)
        self.directories = known.directories
        scopes = Mutex(known)
    }

    var database: DatabaseQueue { connection.withLock { $0 } }

    package func close() { try? database.close() }

    /// The same checks as at first. Directories keep their numbers; those that another process has added since are not ours.
    package func reopen() throws(LedgerError) {
        let (database, known) = try Self.prepared(path, directories, chain, fleet)
        connection.withLock { $0 = database }
        scopes.withLock { $0 = known }
    }

    private static func prepared(
        _ path: String, _ directories: [LedgerDirectory], _ chain: LogChain, _ fleet: FleetLedger
    ) throws(LedgerError) -> (DatabaseQueue, LedgerScopes) {
        let database = try open(path)
        do {
            let known = try database.write { db in
                try LedgerSchema.prepare(db, path: path)
                try LedgerCheck.atStart(db, path: path, chain: chain)
                try FleetTables.load(db, into: fleet)
                return try LedgerScopes(db, configured: directories)
            }
            try database.inDatabase { db in try readBack(db, path: path) }
            return (database, known)
        } catch {
            try? database.close()
            throw LedgerError(error, path: path)
        }
    }

    // MARK: opening

    private static func open(_ path: String) throws(LedgerError) -> DatabaseQueue {
        // Made here, so that only this user can read who is suspended; SQLite gives its -wal the same mode.
        let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unreachable(path: path, unsafe String(cString: strerror(errno))) }
        Glibc.close(descriptor)
        var configuration = Configuration()
        configuration.label = "tenantgate.sqlite"
        configuration.maximumReaderCount = 1
        configuration.prepareDatabase { db in
            // Exclusive first: the -wal's index then lives in this process, and no other can ever read half of it.
            try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.execute(sql: "PRAGMA foreign_keys = ON")
            try db.execute(sql: "PRAGMA trusted_schema = OFF")
        }
        do {
            return try DatabaseQueue(path: path, configuration: configuration)
        } catch {
            throw LedgerError(error, path: path)
        }
    }

    /// What durability rests on, asked from the connection that writes.
    static func settings(_ db: Database) throws -> [String: String] {
        var settings: [String: String] = [:]
        for name in ["locking_mode", "journal_mode", "synchronous"] {
            settings[name] = try String.fetchOne(db, sql: "PRAGMA \(name)")
        }
        return settings
    }

    private static func readBack(_ db: Database, path: String) throws {
        let found = try settings(db)
        for (name, wanted) in ["locking_mode": "exclusive", "journal_mode": "wal", "synchronous": "2"] where found[name] != wanted {
            throw LedgerError.notDurable(path: path, "\(name) = \(wanted)")
        }
    }
}

extension LedgerError {
    /// What an error of SQLite means for the ledger.
    init(_ error: any Error, path: String, writing: Bool = false) {
        if let own = error as? LedgerError {
            self = own
            return
        }
        guard let error = error as? DatabaseError else {
            self = writing ? .writeFailed("\(error)") : .readFailed("\(error)")
            return
        }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .held(path: path)
        case .SQLITE_CORRUPT: self = .damaged(path: path, error.message ?? "a page can't be read")
        case .SQLITE_NOTADB: self = .notALedger(path: path)
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM: self = .unreachable(path: path, error.message ?? "no access")
        default: self = writing ? .writeFailed(error.message ?? "\(error.resultCode)") : .readFailed(error.message ?? "\(error.resultCode)")
        }
    }
}
