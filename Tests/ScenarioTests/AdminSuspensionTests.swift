import Foundation
import TestSupport
import Testing

/// Whoever is on call suspends somebody by hand on a running gateway (SPEC §7, §8).
@Suite("suspending by hand", .serialized, .timed)
struct AdminSuspensionTests {
    private static func wish(_ dialect: Dialect, _ user: String, tenant: String? = nil, source: String? = nil) -> String {
        TestAdmin.wish(dialect.description, tenant: tenant, user, source: source)
    }

    @Test("the next request on every connection is refused, also after kill -9; lifted, the token works again", arguments: Dialect.both)
    func everywhere(_ dialect: Dialect) throws {
        let world = try World {
            $0.admin = true
            $0.threads = 3
        }
        // More connections than loops: each loop has some.
        let clients = try (0..<12).map { _ in try world.gateway.client() }
        for client in clients { #expect(isBlocked(try client.exchange(dialect.probe(dialect.memberToken))) == false) }
        let added = try world.gateway.admin(
            "POST", "/api/suspensions", body: Self.wish(dialect, dialect.member.uppercased(if: dialect.isJITSudo)))
        #expect(added.status == 200, "\(added.text)")
        #expect(added.json?["changed"] as? Bool == true)
        for client in clients { #expect(isBlocked(try client.exchange(dialect.probe(dialect.memberToken))) == true) }
        #expect(isBlocked(try clients[0].exchange(dialect.probe(dialect.adminToken))) == false, "nobody else")
        #expect(try world.isSuspendedAtService(dialect.member, dialect) == false, "the service was not asked")

        try world.killAndRestart()
        #expect(try world.isBlocked(dialect.member, dialect) == true)
        let again = try world.gateway.admin("POST", "/api/suspensions", body: Self.wish(dialect, dialect.member))
        #expect(again.json?["changed"] as? Bool == false)

        let lifted = try world.gateway.admin("POST", "/api/suspensions/lift", body: Self.wish(dialect, dialect.member))
        #expect(lifted.status == 200, "\(lifted.text)")
        #expect(lifted.json?["lifted"] as? [String] == ["operator"])
        #expect((lifted.json?["stands"] as? [Any])?.isEmpty == true)
        #expect(try world.isBlocked(dialect.member, dialect) == false)
        try world.killAndRestart()
        #expect(try world.isBlocked(dialect.member, dialect) == false)
        #expect(try world.gateway.admin("POST", "/api/suspensions/lift", body: Self.wish(dialect, dialect.member)).code == "not_suspended")
        #expect(world.gateway.process.errorText.contains("admin: ") == false, "a refused change is no change")
    }

    @Test("a block in one tenant is for that tenant, and a service's answer lifts none that an operator set", arguments: Dialect.both)
    func sources(_ dialect: Dialect) throws {
        let world = try World { $0.admin = true }
        let gateway = world.gateway
        let tenant = dialect.isJITSudo ? dialect.tenant : nil
        #expect(
            try gateway.admin("POST", "/api/suspensions", body: Self.wish(dialect, dialect.member, tenant: dialect.otherTenant)).status
                == 200)
        #expect(try world.isBlocked(dialect.member, dialect) == false, "another tenant")

        #expect(try gateway.admin("POST", "/api/suspensions", body: Self.wish(dialect, dialect.member, tenant: tenant)).status == 200)
        #expect(try gateway.ask(dialect.setActive(false, dialect.member)).status == 200)
        #expect(try gateway.ask(dialect.setActive(true, dialect.member)).status == 200)
        #expect(try world.isBlocked(dialect.member, dialect) == true, "the operator's block stands")

        #expect(try gateway.ask(dialect.setActive(false, dialect.member)).status == 200)
        let lifted = try gateway.admin(
            "POST", "/api/suspensions/lift", body: Self.wish(dialect, dialect.member, tenant: tenant, source: "operator"))
        #expect(lifted.json?["lifted"] as? [String] == ["operator"])
        #expect((lifted.json?["stands"] as? [[String: Any]])?.map { $0["source"] as? String } == ["upstream"])
        #expect(try world.isBlocked(dialect.member, dialect) == true)
        let rest = try gateway.admin("POST", "/api/suspensions/lift", body: Self.wish(dialect, dialect.member, tenant: tenant))
        #expect(rest.json?["lifted"] as? [String] == ["upstream"])
        #expect(try world.isBlocked(dialect.member, dialect) == false)
    }

    @Test("open work of the user is cut, and nobody else's", arguments: Dialect.both)
    func cut(_ dialect: Dialect) throws {
        let bench = try Bench { $0.admin = true }
        bench.upstream.answer { _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nbegun"), .hang] }
        let (theirs, others) = (try bench.gateway.client(), try bench.gateway.client())
        try theirs.stream.send(Array(dialect.call("GET", "/export", token: dialect.memberToken).utf8))
        try others.stream.send(Array(dialect.call("GET", "/export", token: dialect.adminToken).utf8))
        #expect(try theirs.begin(until: "begun").status == 200)
        #expect(try others.begin(until: "begun").status == 200)
        #expect(try bench.gateway.admin("POST", "/api/suspensions", body: Self.wish(dialect, dialect.member)).status == 200)
        #expect(try theirs.end(within: 5) == false, "cut without a clean end")
        #expect(try others.end(within: 0.2) == nil)
    }

    @Test("a call whose outcome nobody knows is shown on top and settled by hand", arguments: Dialect.both)
    func unconfirmed(_ dialect: Dialect) throws {
        let world = try World { $0.admin = true }
        try world.service(of: dialect).arm(#"{"kind":"drop"}"#)
        #expect(try world.gateway.ask(dialect.setActive(false, dialect.member)).status == 502)
        let list = try world.gateway.admin("GET", "/api/suspensions")
        #expect(list.json?["unconfirmed_users"] as? Int == 1)
        let calls = try world.gateway.admin("GET", "/api/unconfirmed").json?["calls"] as? [[String: Any]]
        #expect(calls?.map { $0["unconfirmed"] as? String } == ["suspend"])
        func more(_ query: String) throws -> Bool? { try world.gateway.admin("GET", "/api/unconfirmed\(query)").json?["more"] as? Bool }
        #expect(try more("") == false && more("?limit=1") == false)
        try world.service(of: dialect).arm(#"{"kind":"drop"}"#)
        let other = dialect.isJITSudo ? TestIssuers.acmeOwner : "usr_mia"
        #expect(try world.gateway.ask(dialect.setActive(true, other)).status == 502)
        #expect(try more("") == false && more("?limit=1") == true, "a list that is cut says so")
        let second = try world.gateway.admin(
            "POST", "/api/suspensions/lift", body: Self.wish(dialect, other, tenant: dialect.isJITSudo ? dialect.tenant : nil))
        #expect(second.json?["settled"] as? Bool == true, "\(second.text)")
        let tenant = dialect.isJITSudo ? dialect.tenant : nil
        let settled = try world.gateway.admin("POST", "/api/suspensions/lift", body: Self.wish(dialect, dialect.member, tenant: tenant))
        #expect(settled.json?["settled"] as? Bool == true, "\(settled.text)")
        #expect(try world.gateway.admin("GET", "/api/suspensions").json?["unconfirmed_users"] as? Int == 0)
        #expect((try world.gateway.admin("GET", "/api/unconfirmed").json?["calls"] as? [Any])?.isEmpty == true)
    }

    @Test("every change is in the log under the token's name, and told on standard error")
    func log() throws {
        let world = try World { $0.admin = true }
        let dialect = Dialect.rinne
        let added = try world.gateway.admin("POST", "/api/suspensions", body: Self.wish(dialect, dialect.member))
        #expect(try world.gateway.admin("POST", "/api/suspensions/lift", body: Self.wish(dialect, dialect.member)).status == 200)
        let entries = try #require(try world.gateway.admin("GET", "/api/log").json?["entries"] as? [[String: Any]])
        #expect(entries.map { $0["to"] as? String } == ["active", "suspended"], "the newest first")
        #expect(entries.allSatisfy { $0["actor"] as? String == "ops" && $0["reason"] as? String == "INC-4711" })
        let id = try #require(added.field("x-request-id"))
        #expect(entries.last?["request"] as? String == id)
        _ = try world.gateway.process.waitForErrors {
            $0.contains("admin: ops suspended user \"usr_ben\" in all tenants of directory rinne: \"INC-4711\" (request \(id))")
                ? true : nil
        }
        _ = try world.gateway.process.waitForErrors { $0.contains("admin: ops lifted (operator) user \"usr_ben\"") ? true : nil }
    }
}

extension String {
    fileprivate func uppercased(if wanted: Bool) -> String { wanted ? uppercased() : self }
}
