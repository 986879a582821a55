import Policy
import Testing

@testable import Suspensions

@Suite("the operator's desk")
struct OperatorDeskTests {
    private let folder: LedgerFolder
    private let desk: OperatorDesk
    private let ann = NamedUser(directory: "rinne", tenant: nil, user: Array("anna".utf8))

    init() throws {
        folder = try LedgerFolder()
        desk = OperatorDesk(ledger: try folder.open(), operator: "ops", now: { 1_767_225_600_000 })
    }

    private func bring(_ text: String) throws -> Int {
        try desk.importLines(reading(text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)))
    }

    private func reading(_ lines: [String]) -> () -> (() -> [UInt8]?) {
        {
            var rest = lines[...]
            return { rest.popFirst().map { Array($0.utf8) } }
        }
    }

    private func exported() throws -> [String] {
        var lines: [String] = []
        try desk.exportLines { lines.append(String(decoding: $0, as: UTF8.self)) }
        return lines
    }

    @Test("adds and lifts with a reason, under the operator's name")
    func addAndLift() throws {
        #expect(try desk.add(ann, reason: "left the company"))
        #expect(try !desk.add(ann, reason: "again"))
        #expect(try desk.lift(ann, reason: "came back") == .operator)
        var log: [LogEntry] = []
        try desk.ledger.forEachLogEntry { log.append($0) }
        #expect(log.map(\.to) == [.suspended, .suspended, .active])
        #expect(log.allSatisfy { $0.actor == Array("ops".utf8) && $0.source == .operator && $0.learned == .hand })
        #expect(
            String(decoding: log[2].line, as: UTF8.self)
                == #"{"number":3,"at":"2026-01-01T00:00:00.000Z","directory":"rinne","user":"anna","source":"operator","from":"suspended","to":"active","learned":"hand","actor":"ops","reason":"came back"}"#
        )
        #expect(try desk.ledger.verify() == 3)
    }

    @Test("lifts either source, and what is not blocked is said to be so")
    func sources() throws {
        try desk.ledger.commit([outcome(anna, .state(.suspended))])
        try desk.add(ann, reason: "x")
        #expect(try desk.lift(ann, source: .upstream, reason: "wrongly learned") == .upstream)
        #expect(try desk.lift(ann, reason: "done") == .operator)
        #expect(throws: OperatorError.notBlocked(ann)) { try desk.lift(ann, reason: "done") }
    }

    @Test("settles an unconfirmed call by either word")
    func settles() throws {
        let lost = outcome(anna, .unknown(wanted: .active, blocks: false), learned: .unconfirmed, reason: "timeout")
        try desk.ledger.commit([lost])
        #expect(try desk.unconfirmed().map(\.user) == [ann])
        #expect(try desk.lift(ann, reason: "asked them") == [])
        #expect(try desk.unconfirmed().isEmpty)
        try desk.ledger.commit([lost])
        try desk.add(ann, reason: "asked them")
        #expect(try desk.unconfirmed().isEmpty)
    }

    @Test("refuses an empty reason, an unknown directory and ids of another format")
    func refusals() throws {
        for blank in ["", "  ", "\u{200B}"] { #expect(throws: OperatorError.reasonMissing) { try desk.add(ann, reason: blank) } }
        try desk.ledger.commit([outcome(anna, .state(.suspended))])
        #expect(throws: OperatorError.reasonMissing) { try desk.lift(ann, reason: "") }
        #expect(throws: OperatorError.unknownDirectory("nowhere", known: ["jitsudo", "rinne"])) {
            try desk.add(NamedUser(directory: "nowhere", tenant: nil, user: [1]), reason: "x")
        }
        let long = OperatorError.unknownDirectory(String(repeating: "x", count: 10_000) + "\u{1B}", known: [])
        #expect("\(long)".count < 200)
        #expect(
            "\(NamedUser(directory: "rinne", tenant: [0x61, 0x1B], user: Array("b\u{202E}".utf8)))"
                == #"user b\u{202e} in tenant a\u{1b} of directory rinne"#)
        let noUUID = NamedUser(directory: "jitsudo", tenant: nil, user: Array("anna".utf8))
        #expect(throws: OperatorError.notAUser(noUUID, .uuid)) { try desk.add(noUUID, reason: "x") }
        let comma = NamedUser(directory: "rinne", tenant: Array("a,b".utf8), user: Array("anna".utf8))
        #expect(throws: OperatorError.notATenant(comma, .string)) { try desk.add(comma, reason: "x") }
    }

    @Test("what is exported can be imported, and is the same")
    func roundTrip() throws {
        let lines = [
            #"{"directory":"jitsudo","tenant":"0190abcd-0000-7000-8000-000000000001","user":"0190abcd-0000-7000-8000-00000000000f","at":"2025-03-01T10:00:00.000Z"}"#,
            #"{"directory":"rinne","user":"anna","reason":"a \"quote\"","at":"1969-12-31T23:59:59.000Z"}"#,
            #"{"directory":"rinne","tenant":"acme","user":"b\u00f6b"}"#,
        ]
        #expect(try bring(lines.joined(separator: "\n")) == 3)
        let written = try exported()
        #expect(written.prefix(2) == lines.prefix(2))
        #expect(written[2] == #"{"directory":"rinne","tenant":"acme","user":"böb","at":"2026-01-01T00:00:00.000Z"}"#)
        let other = OperatorDesk(ledger: try LedgerFolder().open(), operator: "ops", now: { 0 })
        try other.importLines(reading(written))
        var again: [String] = []
        try other.exportLines { again.append(String(decoding: $0, as: UTF8.self)) }
        #expect(again == written)
    }

    @Test("a user with two sources is exported once")
    func exportedOnce() throws {
        try desk.ledger.commit([outcome(anna, .state(.suspended)), outcome(anna, .state(.suspended), source: .operator)])
        #expect(try exported().count == 1)
    }

    @Test("one bad line refuses the whole import, and every bad line is named")
    func badLines() throws {
        let text = """
            {"directory":"rinne","user":"good"}
            not json
            {"directory":"nowhere","user":"a"}
            {"directory":"rinne"}
            {"directory":"rinne","user":"a","user":"b"}
            {"directory":"rinne","user":7}
            {"directory":"rinne","user":"a","tennant":"t"}
            {"directory":"rinne","user":"a","at":"yesterday"}
            {"directory":"jitsudo","user":"a"}
            {"directory":"rinne","user":"a","tenant":"two words"}
            ["rinne","a"]

            {"directory":"rinne","user":"also good"}
            """
        #expect {
            try bring(text)
        } throws: { error in
            (error as? ImportRefused)?.problems.map(\.line) == Array(2...12)
        }
        #expect(try exported().isEmpty && desk.ledger.verify() == 0)
    }

    @Test("a ledger opened without a configuration knows the directories of the gateway that made it")
    func withoutConfiguration() throws {
        desk.ledger.close()
        let alone = OperatorDesk(ledger: try folder.open([]), operator: "ops", now: { 0 })
        try alone.add(ann, reason: "x")
        var found: [StandingBlock] = []
        try alone.ledger.forEachStandingBlock { found.append($0) }
        #expect(found.map(\.user) == [ann])
    }
}
