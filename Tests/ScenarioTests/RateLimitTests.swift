import Foundation
import Synchronization
import TestSupport
import Testing

/// Rate limits over real sockets: who is counted with whom, over both loops, and what doesn't get around it.
@Suite("rate limits", .serialized, .timed)
struct RateLimitTests {
    /// Three at once, and the next in a third of a day: nothing comes back while a test runs.
    private static let three = "{requests: 3, per: 24h, burst: 3}"

    private func jitsudo(_ token: String, tenant: String = TestIssuers.acme, path: String = "/v1/page") -> [UInt8] {
        Array("GET \(path) HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer \(token)\r\nX-Tenant-ID: \(tenant)\r\n\r\n".utf8)
    }

    private func rinne(_ token: String, tenant: String? = nil) -> [UInt8] {
        let line = tenant.map { "X-Tenant-ID: \($0)\r\n" } ?? ""
        return Array("GET /core/v1/page HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer \(token)\r\n\(line)\r\n".utf8)
    }

    private func token(_ user: String, tenant: String = TestIssuers.acme) -> String { TestIssuers.jitsudoToken(user, tenant: tenant) }

    @Test("a caller who makes too many suspend calls is told by which limit")
    func suspendCalls() throws {
        let world = try World { $0.more = ["limits: {suspend_calls_per_minute: 1}"] }
        let call = Dialect.jitsudo.setActive(false, TestIssuers.acmeMember)
        #expect(try world.gateway.ask(call).status == 200)
        let refused = try world.gateway.ask(call)
        #expect(refused.status == 429 && refused.text.contains(#""rule":"limits.suspend_calls_per_minute""#), "\(refused.text)")
    }

    @Test("a user who is over the limit is refused with the rule and a time, and counts for nobody else")
    func user() throws {
        let bench = try Bench { $0.more = ["rate_limits: {per_user: \(Self.three)}"] }
        // Another spelling, another token, another connection and loop: the same user.
        let spellings = [TestIssuers.acmeMember, TestIssuers.acmeMember.uppercased(), TestIssuers.acmeMember]
        for spelling in spellings { #expect(try bench.ask(jitsudo(token(spelling), tenant: TestIssuers.acme.uppercased())).status == 200) }
        for _ in 0..<4 {
            let refused = try bench.ask(jitsudo(token(TestIssuers.acmeMember)))
            #expect(refused.status == 429 && refused.gatewayCode == "rate_limited")
            #expect(refused.text.contains(#""rule":"rate_limits.per_user""#))
            let seconds = try #require(refused.field("retry-after").flatMap { Int($0) })
            #expect((28_700...28_800).contains(seconds))
        }
        #expect(try bench.ask(jitsudo(token(TestIssuers.acmeOwner))).status == 200)
        #expect(try bench.ask(rinne(TestIssuers.rinneToken(TestIssuers.northMember))).status == 200, "another directory")
        #expect(try bench.ask(jitsudo(token(TestIssuers.acmeMember), tenant: TestIssuers.globex)).gatewayCode == "tenant_mismatch")
        #expect(bench.upstream.received == 5)
        _ = bench.gateway.process.terminate()
        let refused = bench.gateway.accessLog.filter { $0["code"] as? String == "rate_limited" }
        #expect(refused.count == 4 && refused.allSatisfy { $0["stage"] as? String == "authorize" && $0["status"] as? Int == 429 })
    }

    @Test("a tenant's users are counted together, however they spell it; whoever is refused for themselves costs their tenant nothing")
    func tenant() throws {
        let bench = try Bench { $0.more = ["rate_limits: {per_user: {requests: 2, per: 24h}, per_tenant: \(Self.three)}"] }
        let (lower, upper) = (TestIssuers.acme, TestIssuers.acme.uppercased())
        for tenant in [lower, upper] { #expect(try bench.ask(jitsudo(token(TestIssuers.acmeMember), tenant: tenant)).status == 200) }
        for _ in 0..<5 {
            let refused = try bench.ask(jitsudo(token(TestIssuers.acmeMember)))
            #expect(refused.text.contains(#""rule":"rate_limits.per_user""#))
        }
        #expect(try bench.ask(jitsudo(token(TestIssuers.acmeOwner, tenant: upper), tenant: lower)).status == 200)
        let refused = try bench.ask(jitsudo(token(TestIssuers.acmeOwner), tenant: upper))
        #expect(refused.gatewayCode == "rate_limited" && refused.text.contains(#""rule":"rate_limits.per_tenant""#))
        let other = token(TestIssuers.globexAdmin, tenant: TestIssuers.globex)
        #expect(try bench.ask(jitsudo(other, tenant: TestIssuers.globex)).status == 200, "another tenant")
        // What the tenant's limit refused was not counted for the user either: with the owner's second request it could.
        #expect(try bench.ask(jitsudo(token(TestIssuers.acmeOwner))).text.contains(#""rule":"rate_limits.per_tenant""#))
    }

    @Test("not naming a tenant is no way around: the request counts for each that the credential has")
    func unselected() throws {
        let bench = try Bench { $0.more = ["rate_limits: {per_tenant: \(Self.three)}"] }
        let both = TestIssuers.rinneToken(TestIssuers.northMember, tenant: [TestIssuers.south, TestIssuers.north])
        let north = TestIssuers.rinneToken(TestIssuers.northAdmin)
        for _ in 0..<2 { #expect(try bench.ask(rinne(both)).status == 200) }
        #expect(try bench.ask(rinne(north)).status == 200)
        #expect(try bench.ask(rinne(north)).gatewayCode == "rate_limited")
        #expect(try bench.ask(rinne(both)).gatewayCode == "rate_limited")
        #expect(try bench.ask(rinne(both, tenant: TestIssuers.south)).status == 200, "what north refused was given back to south")
        #expect(try bench.ask(rinne(both, tenant: TestIssuers.south)).gatewayCode == "rate_limited")
    }

    @Test("a route's own limit counts apart, the file's over all routes, and `off` for none")
    func routes() throws {
        let bench = try Bench {
            $0.more = ["rate_limits: {per_user: \(Self.three)}"]
            $0.routes = [
                "- {path: /v1/costly/**, upstream: jitsudo, rate_limits: {per_user: {requests: 1, per: 24h}}}",
                "- {path: /v1/free/**, upstream: jitsudo, rate_limits: off}",
            ]
        }
        let ben = token(TestIssuers.acmeMember)
        #expect(try bench.ask(jitsudo(ben, path: "/v1/costly/a")).status == 200)
        let refused = try bench.ask(jitsudo(ben, path: "/v1/costly/b"))
        #expect(
            refused.gatewayCode == "rate_limited"
                && refused.text.range(of: #""rule":"routes\[[0-9]+\].rate_limits.per_user""#, options: .regularExpression) != nil)
        for _ in 0..<2 { #expect(try bench.ask(jitsudo(ben)).status == 200) }
        #expect(try bench.ask(jitsudo(ben)).gatewayCode == "rate_limited", "the costly one was the first of three")
        for _ in 0..<5 { #expect(try bench.ask(jitsudo(ben, path: "/v1/free/a")).status == 200) }
    }

    @Test("a route that observes notes it and lets pass; a suspended user is suspended first")
    func observed() throws {
        let bench = try Bench {
            $0.routes = [
                "- {path: /v1/legacy/**, upstream: jitsudo, mode: observe, until: 2999-12-31, rate_limits: {per_user: {requests: 1, per: 24h}}}"
            ]
        }
        let ben = token(TestIssuers.acmeMember)
        for _ in 0..<3 { #expect(try bench.ask(jitsudo(ben, path: "/v1/legacy/a")).status == 200) }
        _ = bench.gateway.process.terminate()
        let noted = bench.gateway.accessLog.map { $0["would_refuse"] as? String ?? "-" }
        #expect(noted.sorted() == ["-", "rate_limited", "rate_limited"])
    }

    @Test("what was used up comes back in its time, and Retry-After says when")
    func refill() throws {
        let bench = try Bench { $0.more = ["rate_limits: {per_user: {requests: 2, per: 1s, burst: 1}}"] }
        let ben = token(TestIssuers.acmeMember)
        #expect(try bench.ask(jitsudo(ben)).status == 200)
        let began = Date()
        var passed = 0
        while passed < 3, Date().timeIntervalSince(began) < 20 {
            let answer = try bench.ask(jitsudo(ben))
            if answer.status == 200 { passed += 1 } else { #expect(answer.field("retry-after") == "1") }
        }
        #expect(passed == 3 && Date().timeIntervalSince(began) >= 1, "three take a second and a half, less what the first was before")
    }

    @Test("the limit is exact over all loops, whatever comes at once")
    func exact() throws {
        let bench = try Bench { $0.more = ["rate_limits: {per_user: {requests: 50, per: 24h}}"] }
        let request = jitsudo(token(TestIssuers.acmeMember))
        let passed = Mutex(0)
        let threads = (0..<8).map { _ in
            TestThread {
                guard let client = try? bench.gateway.client() else { return }
                for _ in 0..<20 where (try? client.exchange(request))?.status == 200 { passed.withLock { $0 += 1 } }
            }
        }
        for thread in threads { thread.wait() }
        #expect(passed.withLock { $0 } == 50)
    }

    @Test("a reload gives nobody a new bucket; other numbers do")
    func reload() throws {
        let stand = try ReloadStand { $0.more = ["rate_limits: {per_user: \(Self.three)}"] }
        let request = String(decoding: jitsudo(token(TestIssuers.acmeMember)), as: UTF8.self)
        for _ in 0..<3 { #expect(try stand.gateway.ask(request).status == 200) }
        try stand.edit { $0.more += ["errors: nested"] }
        #expect(try stand.reload().contains("errors"))
        #expect(try stand.gateway.ask(request).gatewayCode == "rate_limited")
        try stand.edit { $0.more = ["rate_limits: {per_user: {requests: 4, per: 24h}}"] }
        #expect(try stand.reload().contains("rate_limits"))
        for _ in 0..<4 { #expect(try stand.gateway.ask(request).status == 200) }
        #expect(try stand.gateway.ask(request).gatewayCode == "rate_limited")
    }
}
