import Foundation
import Glibc
import TestSupport
import Testing

/// Who gets in at the admin listener, and what is refused there.
@Suite("the admin listener", .serialized, .timed)
struct AdminGateTests {
    private static let wish = TestAdmin.wish("rinne", "usr_ben")

    /// A request that is refused, and how.
    struct Case: Sendable, CustomTestStringConvertible {
        let what: String
        let request: String
        let status: Int
        let code: String

        init(_ what: String, _ request: String, _ status: Int, _ code: String) {
            (self.what, self.request, self.status, self.code) = (what, request, status, code)
        }

        var testDescription: String { "\(what): \(status) \(code)" }
    }

    private static func post(_ body: String, _ path: String = "/api/suspensions", type: String = "application/json") -> String {
        TestAdmin.request("POST", path, type: type, body: body)
    }

    static let cases: [Case] = who + place + what

    private static let who: [Case] = [
        Case("no token", TestAdmin.request("GET", "/api/status", token: nil), 401, "unauthenticated"),
        Case("another token", TestAdmin.request("GET", "/api/status", token: String(repeating: "x", count: 40)), 401, "invalid_token"),
        Case(
            "the token cut short", TestAdmin.request("GET", "/api/status", token: String(TestAdmin.operatorToken.dropLast())), 401,
            "invalid_token"),
        Case("the token and more", TestAdmin.request("GET", "/api/status", token: TestAdmin.operatorToken + "0"), 401, "invalid_token"),
        Case("Basic", TestAdmin.request("GET", "/api/status", token: nil, ["Authorization: Basic b3BzOm9wcw=="]), 401, "invalid_token"),
        Case(
            "two tokens", TestAdmin.request("GET", "/api/status", ["Authorization: Bearer \(TestAdmin.viewerToken)"]), 400, "bad_request"),
        Case(
            "a viewer suspends", TestAdmin.request("POST", "/api/suspensions", token: TestAdmin.viewerToken, body: wish), 403,
            "insufficient_role"),
        Case(
            "a viewer lifts", TestAdmin.request("POST", "/api/suspensions/lift", token: TestAdmin.viewerToken, body: wish), 403,
            "insufficient_role"),
        Case("a viewer reloads", TestAdmin.request("POST", "/api/reload", token: TestAdmin.viewerToken), 403, "insufficient_role"),
        Case(
            "a viewer imports", TestAdmin.request("POST", "/api/suspensions/import", token: TestAdmin.viewerToken, body: "{}"), 403,
            "insufficient_role"),
    ]

    private static let place: [Case] = [
        Case("another name", TestAdmin.request("GET", "/api/status", host: "evil.example"), 403, "host_not_allowed"),
        Case("a name that begins well", TestAdmin.request("GET", "/api/status", host: "localhost.evil.example"), 403, "host_not_allowed"),
        Case("a page under another name", TestAdmin.request("GET", "/", token: nil, host: "evil.example:9901"), 403, "host_not_allowed"),
        Case("no Host", "GET /api/status HTTP/1.1\r\nAuthorization: Bearer \(TestAdmin.operatorToken)\r\n\r\n", 400, "bad_request"),
        Case(
            "a foreign page", TestAdmin.request("POST", "/api/suspensions", ["Origin: https://evil.example"], body: wish), 403,
            "origin_not_allowed"),
        Case(
            "another port's page", TestAdmin.request("POST", "/api/suspensions", ["Origin: http://localhost:1"], body: wish), 403,
            "origin_not_allowed"),
        Case("a sandboxed page", TestAdmin.request("POST", "/api/suspensions", ["Origin: null"], body: wish), 403, "origin_not_allowed"),
        Case("https for http", TestAdmin.request("GET", "/api/status", ["Origin: https://localhost"]), 403, "origin_not_allowed"),
    ]

    private static let what: [Case] = [
        Case("nothing there", TestAdmin.request("GET", "/api/nothing"), 404, "not_found"),
        Case("nothing there without a token", TestAdmin.request("GET", "/nothing", token: nil), 401, "unauthenticated"),
        Case("another method", TestAdmin.request("DELETE", "/api/suspensions"), 405, "method_not_allowed"),
        Case("a page is posted", TestAdmin.request("POST", "/", body: "{}"), 405, "method_not_allowed"),
        Case("an unknown parameter", TestAdmin.request("GET", "/api/suspensions?users=a"), 400, "bad_request"),
        Case("a parameter twice", TestAdmin.request("GET", "/api/suspensions?user=a&user=b"), 400, "bad_request"),
        Case("too large a page", TestAdmin.request("GET", "/api/suspensions?limit=1001"), 400, "bad_request"),
        Case("no page", TestAdmin.request("GET", "/api/suspensions?limit=0"), 400, "bad_request"),
        Case("a cursor of nobody's", TestAdmin.request("GET", "/api/suspensions?cursor=1.1.x00"), 400, "bad_request"),
        Case("a number that is empty", TestAdmin.request("GET", "/api/unconfirmed?limit="), 400, "bad_request"),
        Case("a source that is empty", TestAdmin.request("GET", "/api/suspensions?source="), 400, "bad_request"),
        Case(
            "an id that is too long", TestAdmin.request("GET", "/api/suspensions?user=\(String(repeating: "u", count: 257))"), 400,
            "bad_request"),
        Case("half an escape", TestAdmin.request("GET", "/api/suspensions?user=%4"), 400, "bad_request"),
        Case("no UTF-8", TestAdmin.request("GET", "/api/suspensions?user=%ff"), 400, "bad_request"),
        Case("an unknown directory", TestAdmin.request("GET", "/api/suspensions?directory=x"), 400, "bad_request"),
        Case("no uuid is asked for", TestAdmin.request("GET", "/api/suspensions?directory=jitsudo&user=ben"), 400, "bad_request"),
        Case("after and before", TestAdmin.request("GET", "/api/log?after=1&before=2"), 400, "bad_request"),
        Case("a body where none is", TestAdmin.request("GET", "/api/status", body: "{}"), 400, "bad_request"),
        Case("no JSON", post("directory=rinne"), 400, "bad_request"),
        Case("an array", post("[]"), 400, "bad_request"),
        Case(
            "nothing", TestAdmin.request("POST", "/api/suspensions", ["Content-Type: application/json", "Content-Length: 0"]), 400,
            "bad_request"),
        Case("a name twice", post(#"{"directory":"rinne","user":"usr_ben","user":"usr_ana","reason":"x"}"#), 400, "bad_request"),
        Case("an unknown member", post(#"{"directory":"rinne","user":"usr_ben","reason":"x","tennant":"y"}"#), 400, "bad_request"),
        Case("a number for an id", post(#"{"directory":"rinne","user":7,"reason":"x"}"#), 400, "bad_request"),
        Case("no reason", post(#"{"directory":"rinne","user":"usr_ben"}"#), 400, "bad_request"),
        Case("an empty reason", post(#"{"directory":"rinne","user":"usr_ben","reason":""}"#), 400, "bad_request"),
        Case("a reason of spaces", post(#"{"directory":"rinne","user":"usr_ben","reason":" \u00a0\u200b"}"#), 400, "bad_request"),
        Case(
            "a long reason", post(#"{"directory":"rinne","user":"usr_ben","reason":"\#(String(repeating: "x", count: 1025))"}"#), 400,
            "bad_request"),
        Case("no uuid", post(TestAdmin.wish("jitsudo", "usr_ben")), 400, "bad_request"),
        Case("a tenant that is no uuid", post(TestAdmin.wish("jitsudo", tenant: "acme", TestIssuers.acmeMember)), 400, "bad_request"),
        Case("another directory", post(TestAdmin.wish("rinnne", "usr_ben")), 400, "bad_request"),
        Case("another source", post(TestAdmin.wish("rinne", "usr_ben", source: "hand"), "/api/suspensions/lift"), 400, "bad_request"),
        Case("another type", post(wish, type: "text/plain"), 415, "unsupported_media_type"),
        Case("a form", post("user=usr_ben", type: "application/x-www-form-urlencoded"), 415, "unsupported_media_type"),
        Case("too large", post(wish + String(repeating: " ", count: 65_536)), 413, "body_too_large"),
        Case(
            "too large by its own word",
            TestAdmin.request("POST", "/api/suspensions", ["Content-Type: application/json", "Content-Length: 9999999999"]), 413,
            "body_too_large"),
        Case(
            "a bad chunk",
            TestAdmin.request("POST", "/api/suspensions", ["Content-Type: application/json", "Transfer-Encoding: chunked"]) + "zz\r\n", 400,
            "bad_request"),
        Case(
            "a head that is too large", TestAdmin.request("GET", "/api/status", ["X-A: \(String(repeating: "x", count: 20_000))"]), 400,
            "bad_request"),
    ]

    @Test("what is refused is refused with its code, and changes nothing")
    func refused() throws {
        let world = try World { $0.admin = true }
        var ids: Set<String> = []
        for (number, item) in Self.cases.enumerated() {
            let client = try world.gateway.adminClient()
            defer { client.stream.close() }
            // Wrong tokens are few here, so that none is limited.
            let answer = try client.exchange(item.request)
            #expect(
                answer.status == item.status && answer.code == item.code,
                "\(number) \(item.testDescription), not \(answer.status) \(answer.text)")
            #expect(answer.json?["message"] is String)
            #expect(answer.field("cache-control") == "no-store")
            let id = answer.field("x-request-id") ?? ""
            #expect(id.count == 32 && ids.insert(id).inserted, "\(item.testDescription): id \(id)")
            #expect(answer.field("content-security-policy")?.contains("default-src 'none'") == true)
            if item.status == 401 { #expect(answer.field("www-authenticate")?.hasPrefix("Bearer") == true) }
            if item.status == 405 { #expect(answer.field("allow") != nil) }
        }
        #expect((try world.gateway.admin("GET", "/api/suspensions").json?["suspensions"] as? [Any])?.isEmpty == true)
        #expect(try world.gateway.admin("GET", "/api/log").json?["last"] as? Int == 0)
        let metrics = world.gateway.process.errorText
        #expect(
            !metrics.contains(TestAdmin.operatorToken) && !metrics.contains(String(TestAdmin.operatorToken.dropLast())), "no token is told")
    }

    @Test("who is let in: by address, by localhost, from the own page, on one connection, by name where the file names it")
    func letIn() throws {
        let world = try World {
            $0.more = [
                "admin: {address: 127.0.0.1:0, hosts: [admin.example], tokens: [{name: ops, role: operator, file: secrets/ops.token}]}"
            ]
            $0.adminTokens = true
        }
        let client = try world.gateway.adminClient()
        for host in ["localhost", "localhost:8", "127.0.0.1:9901", "[::1]:9", "admin.example:9901", "ADMIN.example"] {
            #expect(try client.exchange(TestAdmin.request("GET", "/api/status", host: host)).status == 200, "\(host)")
            let own = TestAdmin.request("GET", "/api/status", host: host, ["Origin: http://\(host)"])
            #expect(try client.exchange(own).status == 200, "\(host)")
        }
        #expect(try client.exchange(TestAdmin.request("HEAD", "/api/status")).body.isEmpty)
        let chunked = TestAdmin.request(
            "POST", "/api/suspensions", ["Content-Type: application/json; charset=utf-8", "Transfer-Encoding: chunked"])
        let body = Self.wish
        #expect(try client.exchange(chunked + "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n").status == 200)
        #expect(try client.exchange(TestAdmin.request("GET", "/api/status")).json?["ready"] as? Bool == true)
    }

    @Test("wrong tokens are limited by source, told on standard error a few times, and lock no operator out")
    func failures() throws {
        let world = try World { $0.admin = true }
        let wrong = TestAdmin.request("GET", "/api/status", token: String(repeating: "y", count: 64))
        var statuses: [Int] = []
        let client = try world.gateway.adminClient()
        for _ in 0..<40 { statuses.append(try client.exchange(wrong).status) }
        #expect(statuses.prefix(10).allSatisfy { $0 == 401 })
        #expect(statuses.suffix(10).allSatisfy { $0 == 429 })
        #expect(try client.exchange(TestAdmin.request("GET", "/api/status")).status == 200)
        let told = try world.gateway.process.waitForErrors { text -> Int? in
            let count = text.components(separatedBy: "admin: a wrong token from 127.0.0.1").count - 1
            return count >= 10 ? count : nil
        }
        // A minute may have turned in between.
        #expect(told <= 20)
    }

    @Test("SIGHUP takes another token: the old one stops at once, also for who follows the log")
    func rotation() throws {
        let stand = try ReloadStand({ $0.admin = true })
        let follower = try stand.gateway.adminClient()
        try follower.stream.send(Array(TestAdmin.request("GET", "/api/log?follow=true&after=0").utf8))
        #expect(try stand.gateway.admin("POST", "/api/suspensions", body: Self.wish).status == 200)
        #expect(try follower.begin(until: "usr_ben").status == 200)
        let next = "another-operator-token-0123456789abcdef"
        try stand.folder.write(next + "\n", to: "secrets/ops.token")
        #expect(try stand.reload() == "reloaded \(stand.file): secrets/ops.token")
        #expect(try stand.gateway.admin("GET", "/api/status").code == "invalid_token")
        #expect(try stand.gateway.admin("GET", "/api/status", token: next).status == 200)
        _ = try follower.rest()
        try stand.folder.write("short\n", to: "secrets/ops.token")
        #expect(try stand.reload().hasPrefix("reload refused"))
        #expect(try stand.gateway.admin("GET", "/api/status", token: next).status == 200)
    }

    @Test("over TLS it is reached from elsewhere, and with a Unix socket by its file")
    func otherPlaces() throws {
        let tokens = "tokens: [{name: ops, role: operator, file: secrets/ops.token}]"
        let secure = try World {
            $0.adminTokens = true
            $0.more = ["admin: {address: 0.0.0.0:0, tls: {certificates: [{chain: tls/gateway.pem, key: tls/gateway.key}]}, \(tokens)}"]
        }
        let port = try secure.gateway.adminPort()
        let client = try WireClient.tls(port: port)
        let added = try client.exchange(TestAdmin.request("POST", "/api/suspensions", ["Origin: https://localhost"], body: Self.wish))
        #expect(added.status == 200, "\(added.text)")
        #expect(try secure.world(isBlocked: "usr_ben"))

        let local = try World {
            $0.adminTokens = true
            $0.more = ["admin: {address: \"unix:admin.sock\", \(tokens)}"]
        }
        let path = local.folder.path("admin.sock")
        #expect((try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int) == 0o600)
        let status = try ChildProcess.run(
            "curl",
            ["-sS", "--unix-socket", path, "-H", "Authorization: Bearer \(TestAdmin.operatorToken)", "http://localhost/api/status"],
            in: local.folder)
        #expect(status.output.contains("\"ready\":true"), "\(status)")
        local.gateway.process.terminate()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("another mode of its Unix socket is in force after a reload")
    func mode() throws {
        let tokens = "tokens: [{name: ops, role: operator, file: secrets/ops.token}]"
        let stand = try ReloadStand {
            $0.adminTokens = true
            $0.more = ["admin: {address: \"unix:admin.sock\", mode: \"0660\", \(tokens)}"]
        }
        func permissions() throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: stand.folder.path("admin.sock"))[.posixPermissions] as? Int
        }
        #expect(try permissions() == 0o660)
        try stand.edit { $0.more = ["admin: {address: \"unix:admin.sock\", mode: \"0600\", \(tokens)}"] }
        #expect(try stand.reload() == "reloaded \(stand.file): admin")
        #expect(try permissions() == 0o600)
    }

    @Test("a malformed request is told what is wrong in words, not in the program's own names")
    func words() throws {
        let world = try World { $0.admin = true }
        let client = try world.gateway.adminClient()
        defer { client.stream.close() }
        let answer = try client.exchange("GET /api/status HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n")
        #expect(answer.status == 400 && answer.text.contains("The request is malformed: duplicate field."), "\(answer.text)")
    }

    @Test("connections that say nothing keep nobody out")
    func silent() throws {
        let world = try World { $0.admin = true }
        let port = try world.gateway.adminPort()
        let silent = try (0..<100).map { _ in try WireClient.plain(port: port) }
        #expect(try world.gateway.admin("GET", "/api/status").status == 200)
        #expect(try silent[0].end(within: 5) != nil, "the oldest made room")
        for client in silent { client.stream.close() }
    }

    @Test("a flood at the admin listener takes nothing of the request loops")
    func flood() throws {
        let world = try World {
            $0.admin = true
            $0.threads = 1
        }
        let dialect = Dialect.rinne
        let port = try world.gateway.adminPort()
        let own = try world.gateway.client()
        for _ in 0..<20 { #expect(isBlocked(try own.exchange(dialect.probe(dialect.memberToken))) == false) }
        let before = world.gateway.process.cpuSeconds(ofThreads: "loop-")
        let threads = (0..<8).map { number in
            TestThread {
                guard let client = try? WireClient.plain(port: port) else { return }
                let requests = [
                    TestAdmin.request("GET", "/api/log", token: String(repeating: "z", count: 50)),
                    TestAdmin.request("GET", "/api/suspensions?user=usr_ben"), TestAdmin.request("GET", "/api/keys"),
                    TestAdmin.request("POST", "/api/suspensions", type: "text/plain", body: Self.wish),
                ]
                for turn in 0..<400 { _ = try? client.exchange(requests[(turn + number) % requests.count]) }
            }
        }
        var slowest = 0.0
        for _ in 0..<50 {
            let start = Date()
            #expect(isBlocked(try own.exchange(dialect.probe(dialect.memberToken))) == false)
            slowest = max(slowest, Date().timeIntervalSince(start))
        }
        for thread in threads { thread.wait() }
        let spent = world.gateway.process.cpuSeconds(ofThreads: "loop-") - before
        print("admin flood: 3200 requests there, 50 here: \(spent) s of the loop, slowest request \(slowest) s")
        #expect(spent < 0.5, "the flood is not the loops' work")
    }
}

extension World {
    fileprivate func world(isBlocked user: String) throws -> Bool { try isBlocked(user, .rinne) == true }
}
