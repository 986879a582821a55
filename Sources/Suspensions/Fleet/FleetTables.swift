import GRDB
import Policy

/// The ledger's own tables of the fleet. They are made when it first joins one; a program that doesn't know them passes them over.
enum FleetTables {
    private static let sql = """
        CREATE TABLE IF NOT EXISTS fleet (
            one INTEGER PRIMARY KEY CHECK (one = 1), log TEXT NOT NULL, epoch INTEGER NOT NULL, applied INTEGER NOT NULL,
            local INTEGER NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS fleet_directories (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS fleet_runs (writer TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS fleet_heads (
            scope INTEGER NOT NULL, user ANY NOT NULL, source INTEGER NOT NULL, writer TEXT NOT NULL, local INTEGER NOT NULL,
            number INTEGER, base INTEGER NOT NULL, state INTEGER NOT NULL, learned INTEGER NOT NULL, actor TEXT NOT NULL,
            request TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, since INTEGER,
            PRIMARY KEY (scope, user, source, writer, local)) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS fleet_contests (
            scope INTEGER NOT NULL, user ANY NOT NULL, source INTEGER NOT NULL, PRIMARY KEY (scope, user, source)) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS fleet_intents (id INTEGER PRIMARY KEY, base INTEGER NOT NULL) STRICT;
        CREATE TABLE IF NOT EXISTS fleet_losses (
            scope INTEGER NOT NULL, user ANY NOT NULL, at INTEGER NOT NULL, writer TEXT NOT NULL, local INTEGER NOT NULL, number INTEGER,
            PRIMARY KEY (scope, user), UNIQUE (writer, local)) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS fleet_unsent ON fleet_heads (local) WHERE number IS NULL;
        CREATE INDEX IF NOT EXISTS fleet_untold ON fleet_losses (local) WHERE number IS NULL;
        """

    static func exist(_ db: Database) throws -> Bool { try db.tableExists("fleet_heads") }

    static func make(_ db: Database) throws {
        try db.execute(sql: sql)
        try db.execute(sql: "INSERT INTO fleet SELECT 1, '', 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM fleet)")
    }

    /// What is known at the start of the gateway. Costs nothing for each user.
    static func load(_ db: Database, into fleet: FleetLedger) throws {
        guard try exist(db) else { return }
        // One that joined before calls that were lost were told.
        if try !db.tableExists("fleet_losses") { try make(db) }
        fleet.loaded(
            applied: try Int64.fetchOne(db, sql: "SELECT applied FROM fleet") ?? 0,
            contested: try Int.fetchOne(db, sql: "SELECT count(*) FROM fleet_contests")!,
            runs: try String.fetchAll(db, sql: "SELECT writer FROM fleet_runs"))
    }
}
