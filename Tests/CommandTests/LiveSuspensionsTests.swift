import Foundation
import Synchronization
import TestSupport
import Testing

/// `tenantgate suspensions …` on a running gateway.
@Suite("suspensions of a running gateway")
struct LiveSuspensionsTests {
    private let gate: Tenantgate
    private let file: String
    private let gateway: Gateway

    /// By a Unix socket, since a command can find no port that the system chose.
    init() throws {
        gate = try Tenantgate()
        file = try gate.writeFile {
            $0.adminTokens = true
            $0.more = [
                "admin: {address: \"unix:admin.sock\", tokens: [{name: eyes, role: viewer, file: secrets/eyes.token}, "
                    + "{name: ops, role: operator, file: secrets/ops.token}]}"
            ]
        }
        gateway = try Gateway(file: file, in: gate.folder)
    }

    private func run(_ command: String, _ more: String...) throws -> Tenantgate.Outcome {
        try gate.run(["suspensions", command, "--config", file] + more)
    }

    private func isRefused(_ user: String) throws -> Bool {
        let answer = try gateway.ask(request("GET", "/core/v1/users", token: TestIssuers.rinneToken(user)))
        return answer.gatewayCode == "user_suspended"
    }

    @Test("add, list, log and lift, by the gateway's own file")
    func byFile() throws {
        let added = try run("add", "--directory", "rinne", "--user", "usr_ben", "--reason", "INC-1")
        #expect(added.status == 0 && added.output.contains("user usr_ben in all tenants of directory rinne is blocked now"), "\(added)")
        #expect(try isRefused("usr_ben"))
        #expect(
            try run("add", "--directory", "rinne", "--user", "usr_ben", "--reason", "INC-1").output.contains(
                "was blocked by an operator already"))
        #expect(try run("add", "--directory", "rinne", "--tenant", "comp_south", "--user", "usr_ben", "--reason", "INC-2").status == 0)
        let listed = try run("list", "--user", "usr_ben")
        #expect(listed.output.split(separator: "\n").count == 2 && listed.output.contains("\"source\":\"operator\""))
        #expect(try run("list", "--user", "usr_nobody").output.isEmpty)
        #expect(try run("list", "--text").output.contains("SUSPENDED  rinne  tenant comp_south  user usr_ben  by operator (hand) since "))
        let log = try run("log")
        #expect(log.output.contains("\"actor\":\"ops\"") && log.output.split(separator: "\n").count == 3)
        #expect(try run("log", "--after", "2", "--text").output.contains("active -> suspended  source operator, hand, by ops  (INC-2)"))
        let lifted = try run("lift", "--directory", "rinne", "--tenant", "comp_south", "--user", "usr_ben", "--reason", "false alarm")
        #expect(lifted.status == 0 && lifted.output.contains("lifted the block of operator"))
        #expect(lifted.output.contains("STILL REFUSED: in all tenants by operator"))
        #expect(try run("lift", "--directory", "rinne", "--user", "usr_ben", "--reason", "false alarm").status == 0)
        #expect(try !isRefused("usr_ben"))
        let again = try run("lift", "--directory", "rinne", "--user", "usr_ben", "--reason", "false alarm")
        #expect(again.status == 1 && again.errors.contains("is not blocked") && again.errors.contains("not_suspended"))
    }

    @Test("an import in several parts is checked whole before anybody is blocked; an export gives it back")
    func lists() throws {
        let lines = (0..<45_000).map { #"{"directory":"rinne","user":"usr_\#($0)"}"# }
        let bad = lines + [#"{"directory":"rinnne","user":"x"}"#]
        let refused = try run("import", try gate.folder.write(bad.joined(separator: "\n"), to: "bad"))
        #expect(
            refused.status == 1 && refused.errors.contains("Lines 40001…45001: 1 line is bad")
                && refused.errors.contains("\nline 45001: there is no directory rinnne"),
            "\(refused.errors)")
        #expect(try run("list").output.isEmpty)
        // Blank lines are bad ones, and numbers are the file's, in every part.
        let gaps = lines[..<2] + [""] + lines[2..<25_000] + ["", ""] + lines[25_000...]
        let gappy = try run("import", try gate.folder.write(gaps.joined(separator: "\n") + "\n\n", to: "gaps"))
        #expect(
            gappy.status == 1
                && gappy.errors.contains("1 line is bad: nothing was imported. (400 import_refused)\nline 3: the line is empty\n"))
        #expect(
            gappy.errors.contains("Lines 20001…40000: 2 lines are bad")
                && gappy.errors.contains("\nline 25002: the line is empty\nline 25003: the line is empty\n"), "\(gappy.errors)")
        #expect(gappy.errors.contains("\nline 45004: the line is empty"), "\(gappy.errors)")
        let imported = try run("import", try gate.folder.write(lines.joined(separator: "\n"), to: "good"))
        #expect(imported.output == "imported 45000 lines\n", "\(imported)")
        #expect(try isRefused("usr_44999"))
        #expect(try run("export").output.split(separator: "\n").count == 45_000)
    }

    @Test("what can't be done says what to do, and with which exit code")
    func failures() throws {
        func expect(_ arguments: [String], _ status: Int32, _ words: String) throws {
            let outcome = try gate.run(["suspensions"] + arguments)
            #expect(outcome.status == status && outcome.errors.contains(words), "\(arguments): \(outcome)")
        }
        let whom = ["--directory", "rinne", "--user", "usr_ben", "--reason", "x"]
        let ledger = ["--ledger", "sqlite:" + gate.folder.path("var/tenantgate.db")]
        try expect(["list"] + ledger, 1, "ask it: --config FILE in place of --ledger")
        try expect(["list"], 2, "--config FILE")
        try expect(["verify", "--config", file], 2, "--ledger sqlite:FILE")
        try expect(["list", "--config", file, "--operator", "me"], 2, "--operator is for --ledger")
        let none = try gate.folder.write("short\n", to: "none")
        try expect(["list", "--admin", "http://192.0.2.1:9901", "--token-file", none], 1, "holds no token")
        let token = gate.folder.path("secrets/ops.token")
        try expect(["list", "--admin", "http://192.0.2.1:9901", "--token-file", token], 2, "unencrypted")
        try expect(["list", "--admin", "http://ops:geheim@127.0.0.1:1", "--token-file", token], 2, "no user and no password")
        #expect(
            try !gate.run("suspensions", "list", "--admin", "http://ops:geheim@127.0.0.1:1", "--token-file", token).errors.contains(
                "geheim"))
        try expect(["add", "--config", file, "--directory", "rinne", "--user", "usr_ben", "--reason", " "], 1, "reason")
        let nowhere = String(repeating: "x", count: 5000)
        let lost = try gate.run("suspensions", "add", "--config", file, "--directory", nowhere, "--user", "usr_ben", "--reason", "x")
        #expect(lost.status == 1 && lost.errors.count < 400, "\(lost.errors)")
        try expect(["list", "--admin", "http://127.0.0.1:1", "--token-file", token], 1, "No gateway answers at http://127.0.0.1:1")
        try expect(["add", "--config", file, "--token-file", gate.folder.path("secrets/eyes.token")] + whom, 1, "insufficient_role")
        try expect(
            ["list", "--config", file, "--token-file", try gate.folder.write(String(repeating: "q", count: 40), to: "old")], 1,
            "reload tenantgate")
        try expect(["add", "--config", file, "--directory", "jitsudo", "--user", "ben", "--reason", "x"], 1, "must be a uuid")
        let without = try gate.folder.write(
            gate.folder.read("tenantgate.yaml").replacing("admin:", with: "limits: {} #"), to: "without.yaml")
        try expect(["list", "--config", without], 1, "has no `admin:`")
        gateway.process.kill()
        try expect(["add", "--config", file] + whom, 1, "--ledger sqlite:FILE")
    }

    @Test("while one process takes over from another, the command asks again")
    func upgrade() throws {
        let codes = ["draining", "starting", "overloaded"]
        let asked = Mutex(0)
        let admin = try RecordingUpstream { _ in
            let number = asked.withLock { asked in
                defer { asked += 1 }
                return asked
            }
            guard number < codes.count else { return [.json(#"{"changed":true}"#)] }
            let body = #"{"code":"\#(codes[number])","message":"Wait."}"#
            return [.text("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")]
        }
        let place = ["--admin", "http://127.0.0.1:\(admin.port)", "--token-file", gate.folder.path("secrets/ops.token")]
        let added = try gate.run(["suspensions", "add", "--directory", "rinne", "--user", "usr_ben", "--reason", "x"] + place)
        #expect(added.status == 0 && added.output.contains("is blocked now"), "\(added)")
        #expect(asked.withLock { $0 } == 4)
    }

    @Test("blocks of a directory that the file names no more are told at the start")
    func strangers() throws {
        #expect(try run("add", "--directory", "rinne", "--user", "usr_ben", "--reason", "x").status == 0)
        gateway.process.terminate()
        let text = gate.folder.read("tenantgate.yaml").replacing("directory: rinne", with: "directory: rinne2").replacing(
            "rinne: {dialect:", with: "rinne2: {dialect:")
        let renamed = try Gateway(file: try gate.folder.write(text, to: "renamed.yaml"), in: gate.folder)
        #expect(renamed.process.errorText.contains("the ledger has 1 block of the directory `rinne`, which the file doesn't name"))
    }

    @Test("a file that has an error elsewhere is good enough to suspend somebody")
    func brokenFile() throws {
        let broken = gate.folder.read("tenantgate.yaml").replacing("routes:", with: "rotes:").replacing(
            "secrets/jitsudo}", with: "secrets/gone}")
        let other = try gate.folder.write(broken, to: "broken.yaml")
        let added = try gate.run(["suspensions", "add", "--config", other, "--directory", "rinne", "--user", "usr_ben", "--reason", "x"])
        #expect(added.status == 0, "\(added.errors)")
        #expect(try isRefused("usr_ben"))
    }

    @Test("over TLS the listener's certificate is verified, with its name")
    func tls() throws {
        let gate = try Tenantgate()
        let file = try gate.writeFile {
            $0.adminTokens = true
            $0.more = [
                "admin: {address: 127.0.0.1:0, tls: {certificates: [{chain: tls/gateway.pem, key: tls/gateway.key}]}, "
                    + "tokens: [{name: ops, role: operator, file: secrets/ops.token}]}"
            ]
        }
        let gateway = try Gateway(file: file, in: gate.folder)
        let url = "https://localhost:\(try gateway.adminPort())"
        let arguments = ["suspensions", "list", "--admin", url, "--token-file", gate.folder.path("secrets/ops.token")]
        let trusted = try gate.run(arguments + ["--ca", gate.folder.path("tls/gateway.pem")])
        #expect(trusted.status == 0, "\(trusted.errors)")
        let untrusted = try gate.run(arguments)
        #expect(untrusted.status == 1 && untrusted.errors.contains("failed"), "\(untrusted.errors)")
        #expect(try gate.run("suspensions", "list", "--config", file).errors.contains("lets the system choose the port"))
    }

    @Test("what can't be seen in an id or a reason is written out, for people and on standard error")
    func unseen() throws {
        let user = "usr_\u{202E}neb\u{200F}"
        #expect(
            try run("add", "--directory", "rinne", "--user", user, "--reason", "INC\u{2066}\u{85}1").output.contains(
                #"user usr_\u{202e}neb\u{200f} in"#))
        let listed = try run("list", "--text").output
        #expect(listed.contains(#"user usr_\u{202e}neb\u{200f} "#) && listed.contains(#"(INC\u{2066}\u{85}1)"#), "\(listed)")
        #expect(try run("log", "--text").output.contains(#"(INC\u{2066}\u{85}1)"#))
        #expect(try run("list", "--json").output.contains(#""user":"usr_\u202eneb\u200f""#))
        _ = try gateway.process.waitForErrors { $0.contains(#"suspended user "usr_\u202eneb\u200f""#) ? true : nil }
        #expect(!gateway.process.errorText.unicodeScalars.contains("\u{202E}"))
        #expect(try run("lift", "--directory", "rinne", "--user", user, "--reason", "x").status == 0)
        #expect(
            try run("lift", "--directory", "rinne", "--user", user, "--reason", "x").errors.contains(#"ser usr_\u{202e}neb\u{200f} in all"#)
        )
    }

    @Test("a server's words are shown as words, whatever they hold")
    func serversWords() throws {
        let server = try HandUpstream()
        let asking = try ChildProcess(
            BuildProducts.program("tenantgate"),
            [
                "suspensions", "list", "--admin", "http://127.0.0.1:\(server.port)", "--token-file", gate.folder.path("secrets/ops.token"),
            ], in: gate.folder, name: "asking")
        let stream = try #require(server.accept())
        _ = try HandUpstream.head(from: stream)
        let problem = String(repeating: "y", count: 9000)
        let body = #"{"code":"bad\u202e","message":"\u001b[2Jgone\u0007","details":{"problems":["\u009b1A","\#(problem)"]}}"#
        try stream.send(Array("HTTP/1.1 400 Bad\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))
        #expect(asking.waitForExit(seconds: 20) == 1)
        let errors = asking.errorText
        #expect(errors.contains(#"\u{1b}[2Jgone\u{7} (400 bad\u{202e})"#), "\(errors)")
        #expect(errors.contains(#"\u{9b}1A"#) && errors.count < 3000)
        #expect(!errors.unicodeScalars.contains("\u{1B}") && !errors.unicodeScalars.contains("\u{9B}"))
    }

    @Test("of more unknown outcomes than a list takes, the list says that it isn't whole")
    func manyUnknown() throws {
        #expect(try run("add", "--directory", "rinne", "--user", "usr_ben", "--reason", "INC-1").status == 0)
        #expect(gateway.process.terminate() == 0)
        let sql = """
            INSERT INTO unconfirmed SELECT (SELECT max(scope) FROM blocks), 'usr_' || value, 1, 'c', 'r', 'timeout', value
            FROM generate_series(1, 1001)
            """
        let inserted = try ChildProcess.run("sqlite3", [gate.folder.path("var/tenantgate.db"), sql], in: gate.folder)
        #expect(inserted.status == 0, "\(inserted.errors)")
        let second = try Gateway(file: file, in: gate.folder)
        let listed = try run("list")
        #expect(listed.status == 0 && listed.output.split(separator: "\n").count == 1001, "1000 calls and a block: \(listed.errors)")
        #expect(listed.errors.contains("Of 1001 users the last call's outcome is unknown, and only the newest 1000"))
        second.process.kill()
    }

    @Test("the log is followed until the command is ended")
    func follow() throws {
        let program = try BuildProducts.program("tenantgate")
        let follower = try ChildProcess(program, ["suspensions", "log", "--config", file, "--follow"], in: gate.folder, name: "follow")
        _ = try run("add", "--directory", "rinne", "--user", "usr_ben", "--reason", "INC-1")
        #expect(try follower.waitForLine { $0.contains("\"user\":\"usr_ben\"") ? true : nil })
        #expect(follower.isRunning)
        follower.kill()
    }
}
