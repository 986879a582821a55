import Foundation
import GRDB
import Policy
import Testing

@testable import Suspensions

@Suite("the SQLite ledger")
struct SQLiteLedgerTests {
    @Test("the connection that writes has WAL, synchronous FULL and the exclusive lock")
    func settings() throws {
        let store = try LedgerFolder().open()
        let settings = try store.database.inDatabase { try SQLiteLedger.settings($0) }
        #expect(settings == ["journal_mode": "wal", "synchronous": "2", "locking_mode": "exclusive"])
        try store.commit([outcome(anna, .state(.suspended))])
        #expect(try store.database.inDatabase { try SQLiteLedger.settings($0) } == settings)
    }

    @Test("a second opener is told that another process has it")
    func exclusive() throws {
        let folder = try LedgerFolder()
        let store = try folder.open()
        #expect(throws: LedgerError.held(path: folder.path)) { try folder.open() }
        store.close()
        try folder.open().close()
    }

    @Test("what was committed is there after the file is opened again, what was not is not")
    func reopened() throws {
        let folder = try LedgerFolder()
        let store = try folder.open()
        try store.commit([outcome(anna, .state(.suspended)), outcome(uuidUser, .state(.suspended)), intent(1, bob)])
        #expect(throws: (any Error).self) {
            try store.database.write { db in
                try db.execute(sql: "DELETE FROM blocks")
                throw CancellationError()
            }
        }
        store.close()
        let again = try folder.open()
        var found: Set<Subject> = []
        try again.forEachBlock { subject, _ in found.insert(subject) }
        #expect(found == [anna, uuidUser])
        try again.recover(at: 5)
        #expect(try again.unconfirmedCalls().map(\.subject) == [bob])
    }

    @Test("only this user can read the file")
    func mode() throws {
        let folder = try LedgerFolder()
        try folder.open().close()
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test("a folder that isn't there is named")
    func missingFolder() {
        #expect {
            try SQLiteLedger(path: "/nonexistent/ledger.db", directories: [], digest: testDigest)
        } throws: { error in
            if case .unreachable("/nonexistent/ledger.db", _) = error as? LedgerError { true } else { false }
        }
    }

    @Test("a newer version, another program's database and a file that is no database are refused")
    func foreignFiles() throws {
        let folder = try LedgerFolder()
        try folder.open().close()
        try folder.tamper("DROP TABLE versions; PRAGMA user_version = 5")
        #expect(throws: LedgerError.newerVersion(path: folder.path, found: 5, known: 4)) { try folder.open() }
        let foreign = try LedgerFolder()
        try foreign.tamper("CREATE TABLE notes (text TEXT)")
        #expect(throws: LedgerError.notALedger(path: foreign.path)) { try foreign.open() }
        let text = try LedgerFolder()
        try Data(String(repeating: "hello, this is text\n", count: 100).utf8).write(to: URL(fileURLWithPath: text.path))
        #expect(throws: LedgerError.notALedger(path: text.path)) { try text.open() }
    }

    @Test("a ledger of version 1 learns from its log who was reactivated when")
    func versionOne() throws {
        let folder = try LedgerFolder()
        let store = try folder.open()
        try store.commit([
            outcome(anna, .state(.suspended), at: 10), outcome(anna, .state(.active), at: 20), outcome(anna, .state(.active), at: 30),
            outcome(bob, .unknown(wanted: .active, blocks: false), learned: .unconfirmed, at: 40),
            outcome(uuidUser, .unknown(wanted: .suspended, blocks: false), learned: .crash, at: 50),
        ])
        store.close()
        try folder.tamper("DROP TABLE reactivations; DROP TABLE fillings; DROP TABLE aliases; DROP TABLE versions; PRAGMA user_version = 1")
        let upgraded = try folder.open()
        var found: [Subject: Int64] = [:]
        try upgraded.forEachReactivation { found[$0] = $1 }
        #expect(found == [anna: 30])
        #expect(try upgraded.verify() == 5)
        upgraded.close()
        try folder.open().close()
    }

    @Test("a ledger of version 2 has no directory filled, and keeps that it is from then on")
    func versionTwo() throws {
        let folder = try LedgerFolder()
        try folder.open().close()
        try folder.tamper("DROP TABLE fillings; DROP TABLE aliases; DROP TABLE versions; PRAGMA user_version = 2")
        let upgraded = try folder.open()
        #expect(try upgraded.fillings() == [:])
        try upgraded.commit([.filling(1, isDone: false), .filling(0, isDone: true), .filling(1, isDone: true)])
        try upgraded.commit([.filling(0, isDone: false)])
        upgraded.close()
        let again = try folder.open([bothDirectories[1], bothDirectories[0]])
        #expect(try again.fillings() == [0: true, 1: false])
        #expect(try again.verify() == 0)
        again.close()
    }

    @Test("a ledger of version 3 has no aliases, and keeps them from then on; they go with the format of a directory's ids")
    func versionThree() throws {
        let folder = try LedgerFolder()
        try folder.open().close()
        try folder.tamper("DROP TABLE aliases; DROP TABLE versions; PRAGMA user_version = 3")
        let upgraded = try folder.open()
        func row(_ directory: Int, _ user: UserID, _ value: String?) -> AliasRow {
            AliasRow(
                directory: directory, tenant: directory == 0 ? .uuid(UUIDBits(high: 1, low: 2)) : nil, kind: emailRule.kind, user: user,
                value: value.map { Array($0.utf8) })
        }
        func rows(_ store: SQLiteLedger) throws -> [AliasRow] {
            var rows: [AliasRow] = []
            try store.forEachAlias { rows.append($0) }
            return rows
        }
        #expect(try rows(upgraded).isEmpty)
        try upgraded.commit([
            .alias(row(1, named("anna"), "a@x")), .alias(row(0, user(77), "u@x")), .alias(row(1, named("bob"), "b@x")),
            .alias(row(1, named("anna"), "anna@x")), .alias(row(1, named("bob"), nil)), .alias(row(1, named("eve"), nil)),
        ])
        upgraded.close()
        let again = try folder.open()
        #expect(try rows(again) == [row(0, user(77), "u@x"), row(1, named("anna"), "anna@x")])
        #expect(try again.verify() == 0)
        again.close()
        let changed = try folder.open([bothDirectories[0], LedgerDirectory(name: "rinne", idFormat: .uuid, tenantFormat: .string)])
        #expect(try rows(changed) == [row(0, user(77), "u@x")])
        changed.close()
    }

    @Test("what a read shows settles a call, and is a reactivation only of who was blocked")
    func reads() throws {
        let folder = try LedgerFolder()
        let store = try folder.open()
        let lost = outcome(anna, .unknown(wanted: .suspended, blocks: true), learned: .unconfirmed, at: 10)
        try store.commit([lost])
        #expect(try store.unconfirmedCalls().map(\.isBlocking) == [true])
        // An unknown outcome doesn't change how a block was learned.
        try store.commit([
            outcome(bob, .state(.suspended), at: 10), outcome(bob, .unknown(wanted: .suspended, blocks: true), learned: .crash),
        ])
        #expect(try store.unconfirmedCalls().map(\.isBlocking) == [true, false])
        var open = Outcome(
            intent: nil, subject: anna, source: .upstream, result: .state(.suspended), learned: .read, actor: [], requestID: [], reason: "",
            at: 20)
        open.leavesOpen = true
        try store.commit([.record(open)])
        #expect(try store.unconfirmedCalls().map(\.isBlocking) == [false, false])
        try store.commit([
            outcome(anna, .state(.active), learned: .read, at: 30), outcome(bob, .seen(.active), learned: .read, at: 30),
            outcome(uuidUser, .state(.active), learned: .reconcile, at: 30),
        ])
        #expect(try store.unconfirmedCalls().isEmpty)
        var blocks: [Subject] = []
        try store.forEachBlock { subject, _ in blocks.append(subject) }
        #expect(blocks == [bob])
        var reactivations: [Subject: Int64] = [:]
        try store.forEachReactivation { reactivations[$0] = $1 }
        #expect(reactivations == [anna: 30])
        #expect(try store.verify() == 7)
        store.close()
    }

    @Test(
        "a reactivation that is not what the log says is found by verify",
        arguments: [
            "DELETE FROM reactivations", "UPDATE reactivations SET at = 19", "INSERT INTO reactivations VALUES (1, 'eve', 20)",
        ])
    func tamperedReactivation(_ sql: String) throws {
        let folder = try LedgerFolder()
        let store = try folder.open()
        try store.commit([outcome(anna, .state(.suspended), at: 10), outcome(anna, .state(.active), at: 20)])
        #expect(try store.verify() == 2)
        store.close()
        try folder.tamper(sql)
        let tampered = try folder.open()
        #expect {
            try tampered.verify()
        } throws: { error in
            if case .damaged(_, let what) = error as? LedgerError { what.contains("reactivated at another time") } else { false }
        }
    }

    @Test("directories may be added and rearranged: blocks follow their names")
    func rearranged() throws {
        let folder = try LedgerFolder()
        let store = try folder.open()
        try store.commit([outcome(anna, .state(.suspended))])
        store.close()
        let again = try folder.open([LedgerDirectory(name: "new", idFormat: .uuid, tenantFormat: .uuid), bothDirectories[1]])
        var found: [Subject] = []
        try again.forEachBlock { subject, _ in found.append(subject) }
        #expect(found == [Subject(directory: 1, tenant: nil, user: named("anna"))])
        #expect(again.directories.map(\.name) == ["new", "rinne", "jitsudo"])
    }

    @Test("a directory's format may change only while nothing is kept under the old one")
    func formatChange() throws {
        let folder = try LedgerFolder()
        let store = try folder.open()
        try store.commit([outcome(anna, .state(.suspended))])
        store.close()
        let changed = [
            LedgerDirectory(name: "jitsudo", idFormat: .string, tenantFormat: .uuid),
            LedgerDirectory(name: "rinne", idFormat: .uuid, tenantFormat: .string),
        ]
        #expect {
            try folder.open(changed)
        } throws: { error in
            if case .formatChanged("rinne", _, _) = error as? LedgerError { true } else { false }
        }
        try folder.open([changed[0], bothDirectories[1]]).close()
    }

    @Test("a damaged page stops the start")
    func damagedPage() throws {
        let folder = try LedgerFolder()
        let store = try folder.open()
        for number in 0..<40 { try store.commit((0..<50).map { outcome(person(number * 50 + $0), .state(.suspended)) }) }
        store.close()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path))
        for offset in stride(from: 4096 * 8, to: bytes.count - 4096, by: 4096) {
            bytes.replaceSubrange(offset..<offset + 64, with: Data(count: 64))
        }
        try bytes.write(to: URL(fileURLWithPath: folder.path))
        #expect {
            try folder.open()
        } throws: { error in
            if case .damaged = error as? LedgerError { true } else { false }
        }
    }

    @Test("a write for which there is no room fails whole, and the next one goes through when there is room again")
    func full() throws {
        let store = try LedgerFolder().open()
        try store.commit([outcome(anna, .state(.suspended))])
        let pages = try store.database.inDatabase { try Int.fetchOne($0, sql: "PRAGMA page_count")! }
        try store.database.inDatabase { _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = \(pages)") }
        let many = (0..<500).map { outcome(person($0), .state(.suspended)) }
        #expect(throws: LedgerError.writeFailed("database or disk is full")) { try store.commit(many) }
        #expect(try store.blockCount() == 1)
        try store.database.inDatabase { _ = try Int.fetchOne($0, sql: "PRAGMA max_page_count = 1000000") }
        try store.commit(many)
        #expect(try store.blockCount() == 501)
        #expect(try store.verify() == 501)
    }

    @Test("a scope whose transaction failed is made again by the next one")
    func failedScope() throws {
        let store = try LedgerFolder().open()
        try store.database.inDatabase {
            _ = try $0.execute(sql: "CREATE TEMP TRIGGER no BEFORE INSERT ON log BEGIN SELECT raise(ABORT, 'no'); END")
        }
        #expect(throws: LedgerError.writeFailed("no")) { try store.commit([outcome(bob, .state(.suspended))]) }
        try store.database.inDatabase { try $0.execute(sql: "DROP TRIGGER no") }
        try store.commit([outcome(bob, .state(.suspended))])
        var found: [Subject] = []
        try store.forEachBlock { subject, _ in found.append(subject) }
        #expect(found == [bob])
    }
}

func person(_ number: Int) -> Subject { Subject(directory: 1, tenant: nil, user: named("person-\(number)")) }
