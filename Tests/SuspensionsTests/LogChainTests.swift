import GRDB
import Policy
import Testing

@testable import Suspensions

@Suite("the log's chain")
struct LogChainTests {
    private func filled() throws -> LedgerFolder {
        let folder = try LedgerFolder()
        let store = try folder.open()
        try store.commit([outcome(anna, .state(.suspended)), outcome(bob, .state(.suspended), learned: .passive)])
        try store.commit([outcome(anna, .state(.active), reason: "came back"), outcome(uuidUser, .state(.suspended))])
        #expect(try store.verify() == 4)
        store.close()
        return folder
    }

    private func isDamaged(_ error: any Error) -> Bool {
        if case .damaged = error as? LedgerError { true } else { false }
    }

    @Test("entries say who, whom, when, from which state to which, and how it is known")
    func entries() throws {
        let store = try filled().open()
        var entries: [LogEntry] = []
        try store.forEachLogEntry { entries.append($0) }
        #expect(entries.map(\.number) == [1, 2, 3, 4])
        #expect(entries[1].user == Array("bob".utf8) && entries[1].tenant == Array("acme".utf8) && entries[1].directory == "rinne")
        #expect(entries[1].learned == .passive && entries[1].from == .active && entries[1].to == .suspended)
        #expect(entries[2].from == .suspended && entries[2].to == .active && entries[2].reason == "came back" && entries[2].at == 2000)
    }

    @Test(
        "an edited file does not start",
        arguments: [
            "UPDATE log SET reason = 'nothing' WHERE number = 3", "UPDATE log SET at = 1 WHERE number = 1",
            "DELETE FROM log WHERE number = 2",
            "DELETE FROM log WHERE number = 4", "UPDATE log SET hash = zeroblob(32) WHERE number = 4",
            "UPDATE log SET number = 9 WHERE number = 4", "DELETE FROM head", "UPDATE directories SET name = 'other' WHERE name = 'rinne'",
        ])
    func edited(sql: String) throws {
        let folder = try filled()
        try folder.tamper("DROP TRIGGER log_is_not_edited; DROP TRIGGER log_is_not_cut; \(sql)")
        #expect { try folder.open() } throws: { isDamaged($0) }
    }

    @Test(
        "a block that the log doesn't explain, and a missing one, are found by verify",
        arguments: ["DELETE FROM blocks WHERE user = 'bob'", "INSERT INTO blocks SELECT scope, 'eve', 1, 1, 1, NULL FROM blocks LIMIT 1"])
    func blocksAgainstLog(sql: String) throws {
        let folder = try filled()
        try folder.tamper(sql)
        let store = try folder.open()
        #expect { try store.verify() } throws: { isDamaged($0) }
    }

    @Test("the log is append-only for whoever opens the file")
    func appendOnly() throws {
        let folder = try filled()
        #expect(throws: DatabaseError.self) { try folder.tamper("DELETE FROM log") }
        #expect(throws: DatabaseError.self) { try folder.tamper("UPDATE log SET reason = 'x'") }
    }

    @Test("only the last entries are read at start, all of them by verify")
    func oldEntries() throws {
        let folder = try LedgerFolder()
        let store = try folder.open()
        for _ in 0..<3 { try store.commit((0..<500).map { outcome(person($0), .state(.suspended)) }) }
        store.close()
        try folder.tamper("DROP TRIGGER log_is_not_edited; UPDATE log SET reason = 'x' WHERE number = 7")
        let again = try folder.open()
        #expect { try again.verify() } throws: { isDamaged($0) }
    }
}
