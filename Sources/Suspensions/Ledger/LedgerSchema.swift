import GRDB

/// The tables of the ledger, and the version that says which they are.
///
/// Users are a 16-byte blob where the id is a uuid and text where it is a string. A null tenant means all tenants.
enum LedgerSchema {
    static let version = 4
    /// "tnGL" in `application_id`, so that no other program's database is taken for a ledger.
    static let applicationID = 0x746E_474C

    /// Makes the tables in an empty file; refuses a file that isn't a ledger, or is a newer one's.
    static func prepare(_ db: Database, path: String) throws {
        let application = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let isEmpty = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") == 0
        if isEmpty, application == 0, found == 0 {
            try db.execute(sql: tables + reactivations + fillings + aliases + versions)
            try db.execute(sql: "PRAGMA application_id = \(applicationID)")
            try db.execute(sql: "PRAGMA user_version = \(version)")
            return
        }
        guard application == applicationID else { throw LedgerError.notALedger(path: path) }
        guard found <= version else { return try enter(newer: found, db, path: path) }
        if found == 1 {
            try db.execute(sql: reactivations)
            try db.execute(sql: "INSERT INTO reactivations " + loggedReactivations)
        }
        if found < 3 { try db.execute(sql: fillings) }
        if found < 4 { try db.execute(sql: aliases + versions) }
        if found >= 4 { try comeBack(db) }
        if found < version { try db.execute(sql: "PRAGMA user_version = \(version)") }
    }

    /// A ledger that a later program has written may be read and written by this one where it says so: an upgrade in place that comes to
    /// nothing, or is taken back, goes on with what the new program has left.
    ///
    /// What a later version owes for that, from 4 on: a table `versions` (one row: `one` = 1, `oldest`, `writer`). `oldest` is the oldest version
    /// whose program may use the ledger: the one before, as long as every table here has the same columns and every number in them the same
    /// meanings, and none besides; new tables are no obstacle. `writer` is the version of the program that opened it last: where that is an
    /// older one, what only the newer program writes has to be brought up to date.
    private static func enter(newer found: Int, _ db: Database, path: String) throws {
        guard try db.tableExists("versions"), let oldest = try Int.fetchOne(db, sql: "SELECT oldest FROM versions WHERE one = 1"),
            oldest <= version
        else { throw LedgerError.newerVersion(path: path, found: found, known: version) }
        try db.execute(sql: "UPDATE versions SET writer = \(version)")
    }

    /// Brings up to date what an older program has left alone while it went on with the ledger.
    ///
    /// Version 3 knows no aliases: whoever lost his meanwhile, or whose directory got ids of another format, would still be found by it. They
    /// are all let go of; the next token that names one has it asked for at the service, as for the first time.
    private static func comeBack(_ db: Database) throws {
        let writer = try Int.fetchOne(db, sql: "SELECT writer FROM versions WHERE one = 1") ?? 0
        guard writer != version else { return }
        if writer < 4 { try db.execute(sql: "DELETE FROM aliases") }
        try db.execute(sql: "INSERT OR REPLACE INTO versions VALUES (1, 3, \(version))")
    }

    /// Since version 4: which programs may go on with the ledger (`enter`). The aliases are all that is new in it, so those of version 3 may.
    private static let versions = """
        CREATE TABLE versions (one INTEGER PRIMARY KEY CHECK (one = 1), oldest INTEGER NOT NULL, writer INTEGER NOT NULL) STRICT;
        INSERT INTO versions VALUES (1, 3, 4);

        """

    /// How outcomes are learned that nobody knows, for SQL.
    static let unknown = "\(Learned.unconfirmed.rawValue), \(Learned.crash.rawValue)"

    /// The last time that the log says a subject was reactivated. Outcomes that nobody knows are in it too, with the state as it was, and so
    /// are looks at users who weren't blocked.
    static let loggedReactivations = """
        SELECT scope, user, max(at) FROM log
        WHERE becomes = 0 AND learned NOT IN (\(unknown))
        AND NOT (was = 0 AND learned IN (\(Learned.read.rawValue), \(Learned.reconcile.rawValue))) GROUP BY scope, user
        """

    /// Since version 2.
    private static let reactivations = """
        CREATE TABLE reactivations (
            scope INTEGER NOT NULL, user ANY NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (scope, user)) STRICT, WITHOUT ROWID;

        """

    /// Since version 3: directories that were filled from their service's list, or are being.
    private static let fillings = """
        CREATE TABLE fillings (directory INTEGER PRIMARY KEY REFERENCES directories (id), done INTEGER NOT NULL) STRICT;

        """

    private static let tables = """
        CREATE TABLE directories (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, id_format TEXT NOT NULL, tenant_format TEXT NOT NULL) STRICT;
        CREATE TABLE scopes (id INTEGER PRIMARY KEY, directory INTEGER NOT NULL REFERENCES directories (id), tenant ANY) STRICT;
        CREATE UNIQUE INDEX scope_once ON scopes (directory, ifnull(tenant, ''));
        CREATE TABLE blocks (
            scope INTEGER NOT NULL, user ANY NOT NULL, source INTEGER NOT NULL, learned INTEGER NOT NULL, at INTEGER NOT NULL,
            reason TEXT, PRIMARY KEY (scope, user, source)) STRICT, WITHOUT ROWID;
        CREATE TABLE intents (
            id INTEGER PRIMARY KEY, scope INTEGER NOT NULL, user ANY NOT NULL, wanted INTEGER NOT NULL, caller TEXT NOT NULL,
            request TEXT NOT NULL, blocks_on_unknown INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
        CREATE TABLE unconfirmed (
            scope INTEGER NOT NULL, user ANY NOT NULL, wanted INTEGER NOT NULL, caller TEXT NOT NULL, request TEXT NOT NULL,
            cause TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (scope, user)) STRICT, WITHOUT ROWID;
        CREATE TABLE log (
            number INTEGER PRIMARY KEY, at INTEGER NOT NULL, scope INTEGER NOT NULL, user ANY NOT NULL, source INTEGER NOT NULL,
            was INTEGER NOT NULL, becomes INTEGER NOT NULL, learned INTEGER NOT NULL, actor TEXT NOT NULL, request TEXT NOT NULL,
            reason TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
        CREATE TRIGGER log_is_not_edited BEFORE UPDATE ON log BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
        CREATE TRIGGER log_is_not_cut BEFORE DELETE ON log BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
        CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
        INSERT INTO head VALUES (1, 0, zeroblob(32));

        """
}
