import GRDB
import Testing

@testable import Suspensions

/// One version back: what a later program has written, where it says that it may be read.
@Suite("ledgers of later versions")
struct LedgerVersionTests {
    /// What the next version would leave: its number, tables of its own, and the oldest version that may go on with it.
    private func next(_ folder: LedgerFolder, oldest: Int, version: Int = LedgerSchema.version + 1) throws {
        let store = try folder.open()
        try store.commit([outcome(anna, .state(.suspended), at: 10)])
        store.close()
        try folder.tamper(
            """
            CREATE TABLE news (id INTEGER PRIMARY KEY, scope INTEGER REFERENCES scopes (id)) STRICT;
            INSERT INTO news SELECT 1, min(id) FROM scopes;
            CREATE TABLE versions (one INTEGER PRIMARY KEY CHECK (one = 1), oldest INTEGER NOT NULL, writer INTEGER NOT NULL) STRICT;
            INSERT INTO versions VALUES (1, \(oldest), \(version));
            PRAGMA user_version = \(version);
            """)
    }

    @Test("one that says so is read and written, and notes who wrote it last; its version and tables stay")
    func readable() throws {
        let folder = try LedgerFolder()
        try next(folder, oldest: LedgerSchema.version)
        for number in 1...2 {
            let store = try folder.open()
            var found: [Subject] = []
            try store.forEachBlock { subject, _ in found.append(subject) }
            #expect(Set(found) == (number == 1 ? [anna] : [anna, bob]))
            try store.commit([intent(Int64(number), bob), outcome(bob, .state(.suspended), intent: Int64(number), at: 20)])
            #expect(try store.verify() == Int64(number) + 1)
            store.close()
        }
        let queue = try DatabaseQueue(path: folder.path)
        let found = try queue.read { db in
            try ["SELECT writer FROM versions", "PRAGMA user_version", "SELECT scope FROM news"].map { try Int.fetchOne(db, sql: $0) }
        }
        try queue.close()
        #expect(found == [LedgerSchema.version, LedgerSchema.version + 1, 1])
    }

    @Test("one that says it may not be, or says nothing, is refused with what to do, and is left as it was")
    func refused() throws {
        let folder = try LedgerFolder()
        try next(folder, oldest: LedgerSchema.version + 1)
        let error = LedgerError.newerVersion(path: folder.path, found: LedgerSchema.version + 1, known: LedgerSchema.version)
        #expect(throws: error) { try folder.open() }
        #expect(error.description.contains("Run the newer program"))
        try folder.tamper("UPDATE versions SET oldest = \(LedgerSchema.version)")
        try folder.open().close()
        try folder.tamper("DELETE FROM versions")
        #expect(throws: error) { try folder.open() }
        try folder.tamper("DROP TABLE versions")
        #expect(throws: error) { try folder.open() }
    }
}
