import Foundation
import TestSupport
import Testing

/// What an operator does with the ledger of a stopped gateway.
@Suite("suspensions")
struct SuspensionsTests {
    private let gate: Tenantgate
    private let file: String
    private let ledger: [String]

    init() throws {
        gate = try Tenantgate()
        file = try gate.writeFile()
        ledger = ["--ledger", "sqlite:" + gate.folder.path("var/tenantgate.db")]
    }

    private func run(_ command: String, _ more: [String] = []) throws -> Tenantgate.Outcome {
        try gate.run(["suspensions", command] + ledger + more)
    }

    /// Adds with the gateway's file, so that a ledger is made where there is none.
    private func add(_ directory: String, _ user: String, _ more: [String] = []) throws -> Tenantgate.Outcome {
        try run("add", ["--config", file, "--directory", directory, "--user", user, "--reason", "INC-1"] + more)
    }

    private func objects(_ text: String) throws -> [[String: Any]] {
        try text.split(separator: "\n").map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
    }

    @Test("a block by hand is listed, exported, logged and lifted again, and the ledger stays whole")
    func byHand() throws {
        #expect(try add("rinne", "usr_ben").status == 0)
        #expect(try add("jitsudo", TestIssuers.acmeMember.uppercased(), ["--tenant", TestIssuers.acme, "--operator", "maria"]).status == 0)
        let listed = try objects(run("list").output)
        #expect(Set(listed.compactMap { $0["user"] as? String }) == ["usr_ben", TestIssuers.acmeMember])
        #expect(listed.allSatisfy { $0["source"] as? String == "operator" && $0["reason"] as? String == "INC-1" })

        let exported = try run("export")
        #expect(try objects(exported.output).count == 2)
        let log = try objects(run("log").output)
        #expect(log.map { $0["number"] as? Int } == [1, 2])
        #expect(log.last?["actor"] as? String == "maria")

        let lifted = try run("lift", ["--directory", "rinne", "--user", "usr_ben", "--reason", "false alarm"])
        #expect(lifted.status == 0)
        #expect(try objects(run("list").output).count == 1)
        let verified = try run("verify")
        #expect(verified.status == 0)
        #expect(verified.output.contains("its log has 3 entries"))
    }

    @Test("what was exported can be imported into a new ledger")
    func exportImport() throws {
        _ = try add("rinne", "usr_ben")
        _ = try add("jitsudo", TestIssuers.acmeMember, ["--tenant", TestIssuers.acme])
        let lines = try gate.folder.write(run("export").output, to: "lines")
        let other = ["--ledger", "sqlite:" + gate.folder.path("other.db")]
        let imported = try gate.run(["suspensions", "import"] + other + ["--config", file, lines])
        #expect(imported.status == 0)
        #expect(imported.output == "imported 2 lines\n")
        let again = try objects(gate.run(["suspensions", "export"] + other).output)
        for name in ["directory", "tenant", "user", "reason"] {
            #expect(again.map { $0[name] as? String } == (try objects(run("export").output)).map { $0[name] as? String })
        }
    }

    @Test("one bad line refuses the whole import, and every bad line is named")
    func badLine() throws {
        let text = """
            {"directory":"rinne","user":"usr_ben"}
            {"directory":"rinnne","user":"usr_ben"}
            {"directory":"jitsudo","user":"no uuid"}
            {"directory":"rinne","user":"usr_ben","user":"usr_ana"}

            """
        let imported = try run("import", ["--config", file, try gate.folder.write(text, to: "lines")])
        #expect(imported.status == 1)
        for line in ["line 2:", "line 3:", "line 4:"] { #expect(imported.errors.contains(line)) }
        #expect(!imported.errors.contains("line 1:"))
        #expect(try run("list").output.isEmpty)
    }

    @Test("the ledger of a running gateway is left alone, and the message says what to do")
    func held() throws {
        let gateway = try Gateway(file: file, in: gate.folder)
        let outcome = try run("list")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("in use by another process"))
        gateway.process.terminate()
        #expect(try run("list").status == 0)
    }

    @Test("a user blocked by hand is refused by the gateway that is started then")
    func inForce() throws {
        #expect(try add("rinne", TestIssuers.northMember).status == 0)
        let gateway = try Gateway(file: file, in: gate.folder)
        let token = TestIssuers.rinneToken(TestIssuers.northMember)
        let answer = try gateway.ask(request("GET", "/core/v1/users", token: token))
        #expect(answer.status == 403)
        #expect(answer.gatewayCode == "user_suspended")
    }

    @Test("a ledger that was edited by hand is found damaged")
    func edited() throws {
        for number in 0..<3 { _ = try add("rinne", "usr_\(number)") }
        let path = gate.folder.path("var/tenantgate.db")
        let edit = "DROP TRIGGER log_is_not_edited; UPDATE log SET user = 'usr_9' WHERE number = 2;"
        guard try ChildProcess.run("sqlite3", [path, edit], in: gate.folder).status == 0 else { return }
        let outcome = try run("verify")
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("log entry 2 has been altered"))
    }

    @Test("without a ledger the message says how to name one")
    func withoutLedger() throws {
        let outcome = try gate.run("suspensions", "list")
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("--ledger sqlite:FILE"))
    }
}
