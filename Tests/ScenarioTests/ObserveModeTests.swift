import Foundation
import TestSupport
import Testing

/// How an existing API is brought in (SPEC §1, observe mode): what would be refused is noted and passes, and nothing unverified with it.
@Suite("observe mode", .serialized, .timed)
struct ObserveModeTests {
    private static let token = Dialect.jitsudo.memberToken
    private static let expired = TestIssuers.jitsudo.token(
        user: TestIssuers.acmeMember, ["tenant_id": TestIssuers.acme], expiresIn: -3600)
    private static let identityFields = ["x-tenant-id", "x-user-id", "x-user-roles"]

    private static let routes = [
        "- {path: /v1/legacy/**, upstream: jitsudo, mode: observe, until: 2999-12-31}",
        "- {path: /v1/legacy/admin, upstream: jitsudo, mode: observe, until: 2999-12-31, require: {roles: [admin]}}",
        "- {path: /v1/ended/**, upstream: jitsudo, mode: observe, until: 2020-02-29}",
        "- {host: old.test, path: /v1/**, upstream: jitsudo, mode: observe, until: 2999-12-31, require: upstream}",
    ]

    /// One request to an observed route: what the log says it would have been refused with, and which identity goes upstream.
    struct Case: Sendable, CustomStringConvertible {
        let description: String
        var path = "/v1/legacy/page"
        let fields: [String]
        let wouldRefuse: String?
        var user: String?
        var tenant: String?
    }

    private static let cases: [Case] = [
        Case(description: "no token", fields: ["X-Tenant-ID: \(TestIssuers.acme)", "X-User-ID: root"], wouldRefuse: "unauthenticated"),
        Case(
            description: "a token that is none", fields: ["Authorization: Bearer x.y.z", "X-Tenant-ID: \(TestIssuers.acme)"],
            wouldRefuse: "invalid_token"),
        Case(
            description: "an expired token", fields: ["Authorization: Bearer \(expired)", "X-Tenant-ID: \(TestIssuers.acme)"],
            wouldRefuse: "token_expired"),
        Case(
            description: "a second credential",
            fields: ["Authorization: Bearer \(token)", "X-API-Key: k", "X-Tenant-ID: \(TestIssuers.acme)"],
            wouldRefuse: "ambiguous_credential"),
        Case(
            description: "another tenant", fields: ["Authorization: Bearer \(token)", "X-Tenant-ID: \(TestIssuers.globex)"],
            wouldRefuse: "tenant_mismatch", user: TestIssuers.acmeMember),
        Case(
            description: "no tenant", fields: ["Authorization: Bearer \(token)"], wouldRefuse: "tenant_required",
            user: TestIssuers.acmeMember),
        Case(
            description: "a role too few", path: "/v1/legacy/admin",
            fields: ["Authorization: Bearer \(token)", "X-Tenant-ID: \(TestIssuers.acme)"], wouldRefuse: "insufficient_role",
            user: TestIssuers.acmeMember, tenant: TestIssuers.acme),
        Case(
            description: "nothing wrong",
            fields: ["Authorization: Bearer \(token)", "X-Tenant-ID: \(TestIssuers.acme)", "X-User-ID: root"],
            wouldRefuse: nil, user: TestIssuers.acmeMember, tenant: TestIssuers.acme),
    ]

    @Test("what stages 3 to 6 would refuse passes with what was verified of it, and is in the log with its code")
    func passes() throws {
        let bench = try Bench { $0.routes = Self.routes }
        for one in Self.cases {
            let answer = try bench.ask(request("GET \(one.path)", one.fields))
            #expect(answer.status == 200, "\(one)")
            let sent = try #require(bench.upstream.takeRequests().first, "\(one)")
            #expect(sent.field("x-user-id") == one.user, "\(one)")
            #expect(sent.field("x-tenant-id") == one.tenant, "\(one)")
            for field in one.fields where field.hasPrefix("Authorization") || field.hasPrefix("X-API-Key") {
                #expect(sent.text.contains(field), "\(one): the service goes on judging for itself")
            }
        }
        _ = bench.gateway.process.terminate()
        // Two loops write the log, each in its own order.
        let noted = bench.gateway.accessLog.map { $0["would_refuse"] as? String ?? "-" }
        #expect(noted.sorted() == Self.cases.map { $0.wouldRefuse ?? "-" }.sorted())
        #expect(bench.gateway.accessLog.allSatisfy { $0["code"] as? String == "-" })
    }

    @Test("stages 1 and 2 stay strict, and so does every suspend call")
    func strict() throws {
        let bench = try Bench { $0.routes = Self.routes }
        let suspend = "POST /v1/users/\(TestIssuers.acmeMember)/suspend"
        let body = "Content-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"active\": false}"
        let strict: [(request: [UInt8], code: String)] = [
            (request("GET /v1/legacy/../page", []), "ambiguous_path"),
            (request("GET /v1/legacy/page", ["Authorization: Bearer a", "Authorization: Bearer b"]), "duplicate_header"),
            (request("GET /v1/legacy/page", ["X_Tenant_ID: \(TestIssuers.acme)"]), "bad_request"),
            (Array("\(suspend) HTTP/1.1\r\nHost: old.test\r\n\(body)".utf8), "unauthenticated"),
            (
                Array(
                    "\(suspend) HTTP/1.1\r\nHost: old.test\r\nAuthorization: Bearer \(Self.token)\r\nX-Tenant-ID: \(TestIssuers.globex)\r\n\(body)"
                        .utf8), "tenant_mismatch"
            ),
        ]
        for (request, code) in strict {
            #expect(try bench.ask(request).gatewayCode == code, "\(String(decoding: request, as: UTF8.self))")
        }
        #expect(bench.upstream.takeRequests().isEmpty)
    }

    @Test("a suspended user passes where the route only observes, and nowhere else")
    func suspended() throws {
        let bench = try Bench { $0.routes = Self.routes }
        bench.upstream.answer { request in
            [.json(request.target.hasSuffix("/suspend") ? #"{"id":"\#(TestIssuers.acmeMember.uppercased())","active":false}"# : "{}")]
        }
        #expect(try bench.gateway.ask(Dialect.jitsudo.setActive(false, TestIssuers.acmeMember)).status == 200)
        let fields = ["Authorization: Bearer \(Self.token)", "X-Tenant-ID: \(TestIssuers.acme)"]
        #expect(try bench.ask(request("GET /v1/page", fields)).gatewayCode == "user_suspended")
        #expect(try bench.ask(request("GET /v1/legacy/page", fields)).status == 200)
        _ = bench.gateway.process.terminate()
        #expect(bench.gateway.accessLog.compactMap { $0["would_refuse"] as? String } == ["user_suspended"])
    }

    @Test("past its last day the route enforces")
    func ended() throws {
        let bench = try Bench { $0.routes = Self.routes }
        #expect(try bench.ask(request("GET /v1/ended/page", [])).gatewayCode == "unauthenticated")
        #expect(bench.upstream.takeRequests().isEmpty)
    }

    private func request(_ start: String, _ fields: [String]) -> [UInt8] {
        Array("\(start) HTTP/1.1\r\nHost: gateway.test\r\n\(fields.map { $0 + "\r\n" }.joined())\r\n".utf8)
    }
}
