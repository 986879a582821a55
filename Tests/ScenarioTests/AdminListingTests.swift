import Foundation
import TestSupport
import Testing

/// Lists, imports, exports and the log of a running gateway.
@Suite("the admin API's lists", .serialized, .timed)
struct AdminListingTests {
    private static func lines(_ users: Range<Int>) -> String {
        users.map { #"{"directory":"rinne","user":"usr_\#($0)","reason":"list","at":"2026-01-31T12:00:00Z"}"# }.joined(separator: "\n")
            + "\n"
    }

    private func send(_ text: String, to gateway: Gateway, trial: Bool = false) throws -> WireAnswer {
        try gateway.admin("POST", "/api/suspensions/import" + (trial ? "?dry_run=true" : ""), type: "application/x-ndjson", body: text)
    }

    @Test("an import blocks everybody at once and durably, an export gives them back, and pages show each once")
    func roundTrip() throws {
        let world = try World { $0.admin = true }
        let text = Self.lines(0..<2500) + #"{"directory":"jitsudo","tenant":"\#(TestIssuers.acme)","user":"\#(TestIssuers.acmeMember)"}"#
        #expect(try send(text, to: world.gateway, trial: true).json?["lines"] as? Int == 2501)
        #expect(try world.isBlocked("usr_7", .rinne) == false, "a trial")
        let imported = try send(text, to: world.gateway)
        #expect(imported.status == 200, "\(imported.text)")
        #expect(try world.isBlocked("usr_7", .rinne) == true && world.isBlocked("usr_2499", .rinne) == true)
        #expect(try world.isBlocked(TestIssuers.acmeMember, .jitsudo) == true)

        var listed: [String] = []
        var cursor: String?
        repeat {
            let page = try world.gateway.admin("GET", "/api/suspensions?limit=700" + (cursor.map { "&cursor=\($0)" } ?? ""))
            listed += (page.json?["suspensions"] as? [[String: Any]] ?? []).compactMap { $0["user"] as? String }
            cursor = page.json?["next"] as? String
        } while cursor != nil
        #expect(listed.count == 2501 && Set(listed).count == 2501)

        let exported = try world.gateway.admin("GET", "/api/suspensions/export")
        #expect(exported.field("content-type") == "application/x-ndjson" && !exported.isCut)
        #expect(Set(exported.text.split(separator: "\n")).count == 2501)
        #expect(exported.text.contains(#""user":"usr_7","reason":"list","at":"2026-01-31T12:00:00.000Z""#))
        try world.killAndRestart()
        #expect(try world.isBlocked("usr_2499", .rinne) == true)
        #expect(try send(exported.text, to: world.gateway).status == 200, "what was exported can be imported")
    }

    @Test("a search finds a user, a tenant, a directory and a source")
    func search() throws {
        let world = try World { $0.admin = true }
        let (acme, globex) = (TestIssuers.acme, TestIssuers.globex)
        for (directory, tenant, user) in [
            ("jitsudo", acme, TestIssuers.acmeMember), ("jitsudo", globex, TestIssuers.acmeMember),
            ("jitsudo", acme, TestIssuers.acmeOwner),
            ("rinne", nil, "usr ben+1"),
        ] as [(String, String?, String)] {
            #expect(
                try world.gateway.admin("POST", "/api/suspensions", body: TestAdmin.wish(directory, tenant: tenant, user)).status == 200)
        }
        #expect(try world.gateway.ask(Dialect.jitsudo.setActive(false, TestIssuers.acmeMember)).status == 200)
        func count(_ query: String) throws -> Int? {
            let answer = try world.gateway.admin("GET", "/api/suspensions?\(query)")
            return (answer.json?["suspensions"] as? [Any])?.count
        }
        #expect(try count("") == 5)
        #expect(try count("user=\(TestIssuers.acmeMember.uppercased())") == 3)
        #expect(try count("user=\(TestIssuers.acmeMember)&tenant=\(globex)") == 1)
        #expect(try count("tenant=\(acme)&source=operator") == 2)
        #expect(try count("directory=rinne&user=usr%20ben%2B1") == 1)
        #expect(try count("directory=rinne&user=usr+ben%2B1") == 1)
        #expect(try count("directory=jitsudo&source=upstream") == 1)
        #expect(try count("user=nobody") == 0)
    }

    @Test("one bad line refuses the whole import, and every bad line is named")
    func badLines() throws {
        let world = try World { $0.admin = true }
        let text = Self.lines(0..<3) + "{\"directory\":\"rinnne\",\"user\":\"a\"}\n\n" + Self.lines(3..<5) + "[]\n"
        for trial in [true, false] {
            let refused = try send(text, to: world.gateway, trial: trial)
            #expect(refused.status == 400 && refused.code == "import_refused")
            let details = refused.json?["details"] as? [String: Any]
            #expect(details?["bad_lines"] as? Int == 3)
            #expect((details?["problems"] as? [[String: Any]])?.map { $0["line"] as? Int } == [4, 5, 8])
        }
        #expect(try world.isBlocked("usr_0", .rinne) == false)
        let many = try send(String(repeating: "x\n", count: 300), to: world.gateway)
        let details = many.json?["details"] as? [String: Any]
        #expect(details?["bad_lines"] as? Int == 300 && (details?["problems"] as? [Any])?.count == 100)
        #expect(try world.gateway.admin("GET", "/api/log").json?["last"] as? Int == 0)
    }

    @Test("one import at a time, and one that stops halfway makes room")
    func oneAtATime() throws {
        let world = try World { $0.admin = true }
        let slow = try world.gateway.adminClient()
        let head = TestAdmin.request(
            "POST", "/api/suspensions/import", ["Content-Type: application/x-ndjson", "Content-Length: 1000", "Expect: 100-continue"])
        try slow.stream.send(Array(head.utf8))
        #expect(try slow.stream.receive(seconds: 5).isBytes, "100 Continue: it has been let in")
        #expect(try send(Self.lines(0..<1), to: world.gateway).code == "import_in_progress")
        slow.stream.close()
        var again = try send(Self.lines(0..<1), to: world.gateway)
        for _ in 0..<500 where again.status == 409 { again = try send(Self.lines(0..<1), to: world.gateway) }
        #expect(again.status == 200)
    }

    @Test("the log is read in pages both ways, and followed as it grows")
    func log() throws {
        let world = try World { $0.admin = true }
        #expect(try send(Self.lines(0..<250), to: world.gateway).status == 200)
        func numbers(_ query: String) throws -> [Int] {
            let entries = try world.gateway.admin("GET", "/api/log?\(query)").json?["entries"] as? [[String: Any]]
            return entries?.compactMap { $0["number"] as? Int } ?? []
        }
        #expect(try numbers("") == Array((151...250).reversed()))
        #expect(try numbers("before=151&limit=2") == [150, 149])
        #expect(try numbers("after=0&limit=3") == [1, 2, 3])
        #expect(try numbers("after=250").isEmpty)

        let follower = try world.gateway.adminClient()
        try follower.stream.send(Array(TestAdmin.request("GET", "/api/log?follow=true&after=249", token: TestAdmin.viewerToken).utf8))
        #expect(try follower.begin(until: "\"number\":250").status == 200)
        #expect(try world.gateway.admin("POST", "/api/suspensions", body: TestAdmin.wish("rinne", "usr_last")).status == 200)
        #expect(try follower.begin251())
    }

    @Test("the page's answers say how the gateway stands: status, routes, upstreams, keys, counts, reload")
    func standing() throws {
        let world = try World {
            $0.admin = true
            $0.more = ["probes: {address: 127.0.0.1:0}"]
            $0.routes = ["- {path: /v1/legacy/**, upstream: jitsudo, mode: observe, until: 2999-12-31}"]
        }
        let gateway = world.gateway
        _ = try gateway.ask(request("GET", "/v1/things"))
        let status = try #require(try gateway.admin("GET", "/api/status", token: TestAdmin.viewerToken).json)
        #expect(status["ready"] as? Bool == true && status["loops"] as? Int == 2)
        #expect((status["token"] as? [String: String]) == ["name": "eyes", "role": "viewer"])
        let routes = try gateway.admin("GET", "/api/routes").json?["routes"] as? [[String: Any]] ?? []
        #expect(
            routes.count == 7 && routes.last?["mode"] as? String == "observe" && routes.last?["observe_until"] as? String == "2999-12-31")
        #expect((routes[1]["calls"] as? [String])?.first?.contains("suspend") == true)
        let upstreams = try gateway.admin("GET", "/api/upstreams").json?["upstreams"] as? [[String: Any]] ?? []
        #expect(upstreams.map { $0["name"] as? String } == ["jitsudo", "rinne"])
        let keys = try gateway.admin("GET", "/api/keys")
        #expect((keys.json?["issuers"] as? [Any])?.count == 4)
        #expect(!keys.text.contains("jitsudo-secret-of-the-tests"))
        let counts = try gateway.admin("GET", "/api/metrics").json?["requests"] as? [[String: Any]] ?? []
        #expect(counts.contains { $0["code"] as? String == "unauthenticated" && $0["count"] as? Int == 1 })
        #expect(try gateway.admin("POST", "/api/reload").json?["changed"] as? Bool == false)
        let text = world.folder.read("tenantgate.yaml")
        try world.folder.write(text.replacing("threads:", with: "thread:"), to: "tenantgate.yaml")
        let refused = try gateway.admin("POST", "/api/reload")
        #expect(refused.status == 409 && refused.text.contains("did you mean `threads`?"))
        #expect(try gateway.metrics()["tenantgate_admin_requests_total{endpoint=\"/api/reload\",status=\"409\"}"] == 1)
    }
}

extension WireClient {
    /// Whether entry 251 comes.
    fileprivate func begin251() throws -> Bool {
        for _ in 0..<50 {
            guard case .bytes(let bytes) = try stream.receive(seconds: 5) else { return false }
            if String(decoding: bytes, as: UTF8.self).contains("\"number\":251") { return true }
        }
        return false
    }
}

extension Received {
    fileprivate var isBytes: Bool { if case .bytes = self { true } else { false } }
}
