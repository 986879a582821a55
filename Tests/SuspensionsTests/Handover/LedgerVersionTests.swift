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
            UPDATE versions SET oldest = \(oldest), writer = \(version);
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

    /// An alias of anna's, as the ledger keeps it.
    private var alias: AliasRow {
        AliasRow(directory: 1, tenant: nil, kind: emailRule.kind, user: named("anna"), value: Array("anna@x".utf8))
    }

    private func aliases(_ store: SQLiteLedger) throws -> [AliasRow] {
        var rows: [AliasRow] = []
        try store.forEachAlias { rows.append($0) }
        return rows
    }

    private func versions(_ folder: LedgerFolder) throws -> [Int?] {
        let queue = try DatabaseQueue(path: folder.path)
        defer { try? queue.close() }
        return try queue.read { db in
            try ["SELECT oldest FROM versions", "SELECT writer FROM versions", "PRAGMA user_version"].map { try Int.fetchOne(db, sql: $0) }
        }
    }

    @Test("one of this version says that version 3 may go on with it, whether it was made or brought up to date", arguments: [1, 2, 3, 4])
    func saysSo(made: Int) throws {
        let folder = try LedgerFolder()
        try folder.open().close()
        let dropped = [1: "reactivations", 2: "fillings", 3: "aliases"].filter { $0.key >= made }.map { "DROP TABLE \($0.value);" }
        if made < 4 { try folder.tamper(dropped.joined() + "DROP TABLE versions; PRAGMA user_version = \(made)") }
        try folder.open().close()
        #expect(try versions(folder) == [3, 4, 4])
    }

    @Test("aliases last while programs of this version come and go; once an older one was there they are all asked for anew")
    func olderWriter() throws {
        let folder = try LedgerFolder()
        let store = try folder.open()
        try store.commit([.alias(alias), outcome(anna, .state(.suspended), at: 10)])
        store.close()
        let again = try folder.open()
        #expect(try aliases(again) == [alias])
        again.close()
        // As `enter` of version 3 leaves it.
        try folder.tamper("UPDATE versions SET writer = 3")
        for learnsAnew in [true, false] {
            let back = try folder.open()
            #expect(try aliases(back) == (learnsAnew ? [] : [alias]))
            #expect(try back.verify() == 1)
            try back.commit([.alias(alias)])
            back.close()
            #expect(try versions(folder) == [3, 4, 4])
        }
    }

    @Test("one whose tables don't say who wrote it last is opened, with aliases that are asked for anew")
    func silent() throws {
        let folder = try LedgerFolder()
        let store = try folder.open()
        try store.commit([.alias(alias)])
        store.close()
        try folder.tamper("DELETE FROM versions")
        let back = try folder.open()
        #expect(try aliases(back).isEmpty)
        back.close()
        #expect(try versions(folder) == [3, 4, 4])
    }
}
