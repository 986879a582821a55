import Foundation
import TestSupport
import Testing

/// Pages of other origins (Fetch §3.2): who is told what, and that nothing of it moves a decision.
@Suite("CORS", .serialized, .timed)
struct CORSTests {
    private static let app = "https://app.example"
    private static let vary = ["Origin"]
    private static let routes = [
        "- {path: /v1/open/**, upstream: jitsudo, cors: {origins: [\"\(app)\", \"https://b.example:8443\"], max_age: 5m}}",
        "- {path: \"/v1/users/{user}/suspend\", methods: [POST], upstream: jitsudo, require: upstream, host: cors.test, "
            + "cors: {origins: [\"\(app)\"]}}",
        "- {path: /v1/star/**, upstream: jitsudo, cors: {origins: [\"*\"], expose: [], headers: [X-Own]}}",
        "- {path: /v1/get/**, methods: [GET], upstream: jitsudo, cors: {origins: [\"\(app)\"], methods: [GET]}}",
        "- {path: /v1/get/**, methods: [PUT], upstream: jitsudo}",
        "- {path: /v1/cookies/**, upstream: jitsudo, allow_credentials: [Cookie], "
            + "cors: {origins: [\"\(app)\"], credentials: true}}",
    ]

    private func bench() throws -> Bench { try Bench { $0.routes = Self.routes } }

    private func preflight(
        _ path: String, origin: String? = app, method: String? = "POST", host: String = "gateway.test", _ more: [String] = []
    ) -> [UInt8] {
        var lines = ["OPTIONS \(path) HTTP/1.1", "Host: \(host)"]
        if let origin { lines.append("Origin: \(origin)") }
        if let method { lines.append("Access-Control-Request-Method: \(method)") }
        return Array((lines + more + ["", ""]).joined(separator: "\r\n").utf8)
    }

    private func get(_ path: String, origin: String?, method: String = "GET", identity: String = GoodRequest.identity) -> [UInt8] {
        let line = origin.map { "Origin: \($0)\r\n" } ?? ""
        return Array("\(method) \(path) HTTP/1.1\r\nHost: gateway.test\r\n\(identity)\(line)\r\n".utf8)
    }

    @Test("a preflight from a listed origin is answered by the gateway, with what the page may go on to send")
    func allowed() throws {
        let bench = try bench()
        let answer = try bench.ask(preflight("/v1/open/page", ["Access-Control-Request-Headers: authorization, x-tenant-id"]))
        #expect(answer.status == 204)
        #expect(answer.values("access-control-allow-origin") == [Self.app])
        #expect(answer.values("access-control-allow-methods") == ["GET, HEAD, POST, PUT, PATCH, DELETE"])
        #expect(answer.values("access-control-allow-headers") == ["Authorization, Content-Type, X-Tenant-ID"])
        #expect(answer.values("access-control-max-age") == ["300"])
        #expect(answer.values("access-control-allow-credentials") == [])
        #expect(answer.values("vary") == Self.vary)
        #expect(answer.values("x-request-id").count == 1)
        #expect(answer.body.isEmpty && answer.field("content-length") == nil)
        #expect(bench.upstream.received == 0)
        let cookies = try bench.ask(preflight("/v1/cookies/page"))
        #expect(cookies.values("access-control-allow-credentials") == ["true"])
        let star = try bench.ask(preflight("/v1/star/page", origin: "https://who.example"))
        #expect(star.values("access-control-allow-origin") == ["*"] && star.values("access-control-allow-headers") == ["X-Own"])
    }

    @Test(
        "an origin that is not listed, however much it looks like one that is, is told nothing",
        arguments: [
            "null", "https://evil.example", "http://app.example", "https://app.example:443", "https://APP.example", "HTTPS://app.example",
            "https://app.example/", "https://app.example.evil.example", "https://evilapp.example", "https://sub.app.example",
            "https://app.example@evil.example", "https://app.examplE", "https://app.example https://b.example:8443", "*",
            "https://app.example, https://b.example:8443", "https://b.example", "https://app.example%00", "\u{FF}", "",
        ])
    func unlisted(origin: String) throws {
        let bench = try Self.shared.get()
        for request in [
            preflight("/v1/open/page", origin: origin), get("/v1/open/page", origin: origin),
            get("/v1/open/page", origin: origin, identity: ""),
        ] {
            let answer = try bench.ask(request)
            #expect(answer.fields.allSatisfy { !$0.name.hasPrefix("access-control-") }, "\(origin)")
            #expect(answer.values("vary").contains("Origin"), "\(origin)")
        }
    }

    private static let shared = Result { try Bench { $0.routes = routes } }

    @Test("two Origin lines are nobody's, and control characters in one are refused before anything is read of it")
    func twoOrigins() throws {
        let bench = try Self.shared.get()
        let two = try bench.ask(preflight("/v1/open/page", ["Origin: https://evil.example"]))
        #expect(two.status == 401 && two.field("access-control-allow-origin") == nil)
        let answered = try bench.ask(
            Array(
                "GET /v1/open/page HTTP/1.1\r\nHost: gateway.test\r\nOrigin: \(Self.app)\r\nOrigin: \(Self.app)\r\n\(GoodRequest.identity)\r\n"
                    .utf8))
        #expect(answered.status == 200 && answered.field("access-control-allow-origin") == nil)
        for bad in ["\(Self.app)\rX: y", "\(Self.app)\nX: y", "\(Self.app)\u{0}", "\(Self.app)\r\n X: y"] {
            let answer = try bench.ask(preflight("/v1/open/page", origin: bad))
            #expect(answer.status == 400 && answer.fields.allSatisfy { !$0.name.hasPrefix("access-control-") }, "\(bad.debugDescription)")
        }
        // A whole line of its own is a field of its own, and no answer repeats it.
        let split = try bench.ask(preflight("/v1/open/page", origin: "\(Self.app)\r\nX-Injected: y"))
        #expect(split.status == 204 && split.field("x-injected") == nil)
    }

    @Test("an answer of the service carries the gateway's word in place of the service's")
    func replaced() throws {
        let bench = try bench()
        bench.upstream.answer { _ in
            [
                .json(
                    "{}",
                    fields: "Access-Control-Allow-Origin: *\r\naccess_control_allow_origin: *\r\nAccess-Control-Allow-Credentials: true\r\n"
                        + "ACCESS-CONTROL-EXPOSE-HEADERS: X-Secret\r\nVary: Accept\r\n")
            ]
        }
        let answer = try bench.ask(get("/v1/open/page", origin: Self.app))
        #expect(answer.status == 200)
        #expect(answer.values("access-control-allow-origin") == [Self.app])
        #expect(answer.values("access-control-allow-credentials") == [])
        #expect(answer.values("access-control-expose-headers") == ["X-Request-ID, Retry-After"])
        #expect(answer.field("access_control_allow_origin") == nil)
        #expect(answer.values("vary") == ["Accept", "Origin"])
        let unlisted = try bench.ask(get("/v1/open/page", origin: "https://evil.example"))
        #expect(unlisted.status == 200 && unlisted.fields.allSatisfy { !$0.name.contains("allow") && !$0.name.contains("expose") })
        let elsewhere = try bench.ask(get("/v1/page", origin: Self.app))
        #expect(elsewhere.values("access-control-allow-origin") == ["*"], "a route without `cors` leaves it to the service")
        #expect(elsewhere.values("vary") == ["Accept"])
    }

    @Test("a refusal carries the CORS fields too, at every stage that knows the route, and the decision stays the same")
    func refusals() throws {
        let bench = try Bench {
            $0.routes = Self.routes + ["- {path: /core/v1/dead, methods: [GET], upstream: rinne, cors: {origins: [\"\(Self.app)\"]}}"]
            $0.rinnePort = 1  // nobody listens there
        }
        let rinne = "Authorization: Bearer \(TestIssuers.rinneToken(TestIssuers.northMember))\r\n"
        let other = "Authorization: Bearer \(GoodRequest.token)\r\nX-Tenant-ID: \(TestIssuers.globex)\r\n"
        for (path, identity, code) in [
            ("/v1/open/page", "", "unauthenticated"), ("/v1/open/page", "Authorization: Bearer x\r\n", "invalid_token"),
            ("/v1/open/page", other, "tenant_mismatch"), ("/core/v1/dead", rinne, "upstream_unavailable"),
        ] {
            let answer = try bench.ask(get(path, origin: Self.app, identity: identity))
            #expect(answer.gatewayCode == code)
            #expect(answer.values("access-control-allow-origin") == [Self.app], "\(code)")
            #expect(answer.values("access-control-expose-headers") == ["X-Request-ID, Retry-After"], "\(code)")
            #expect(answer.values("vary") == Self.vary, "\(code)")
        }
        let none = try bench.ask(get("/nowhere", origin: Self.app))
        #expect(none.gatewayCode == "route_not_found" && none.field("access-control-allow-origin") == nil)
    }

    @Test("a preflight is matched by the method that it asks for; where that has no CORS route, OPTIONS is judged as ever")
    func methods() throws {
        let bench = try bench()
        let get = try bench.ask(preflight("/v1/get/page", method: "GET"))
        #expect(get.status == 204 && get.values("access-control-allow-methods") == ["GET"])
        for (method, code) in [
            ("PUT", "method_not_allowed"), ("DELETE", "method_not_allowed"), ("get", "method_not_allowed"), ("TRACE", "method_not_allowed"),
        ] {
            let answer = try bench.ask(preflight("/v1/get/page", method: method))
            #expect(answer.gatewayCode == code, "\(method)")
            #expect(answer.field("access-control-allow-origin") == nil, "\(method)")
        }
        let plain = try bench.ask(preflight("/v1/open/page", method: nil))
        #expect(plain.gatewayCode == "unauthenticated", "OPTIONS that is no preflight")
        #expect(try bench.ask(preflight("/v1/open/page", origin: nil)).gatewayCode == "unauthenticated")
        #expect(try bench.ask(preflight("/v1/page")).gatewayCode == "unauthenticated", "a route without CORS")
        #expect(try bench.ask(preflight("/v1/open/../page")).gatewayCode == "ambiguous_path")
        #expect(try bench.ask(preflight("/v1/open/page", method: nil, ["Access_Control_Request_Method: POST"])).status == 401)
        #expect(bench.upstream.received == 0)
    }

    @Test("a preflight to a suspend call does nothing but say who may go on")
    func suspendCall() throws {
        let bench = try bench()
        let path = "/v1/users/\(TestIssuers.acmeMember)/suspend"
        let answer = try bench.ask(
            preflight(path, host: "cors.test", ["Content-Length: 17", "Content-Type: application/json", "", "{\"active\": false}"]))
        #expect(answer.status == 204 && answer.values("access-control-allow-methods") == ["POST"])
        #expect(bench.upstream.received == 0)
        #expect(try bench.ask(get("/v1/open/page", origin: Self.app)).status == 200, "nobody was suspended")
        bench.upstream.answer { _ in [.json(#"{"id":"\#(TestIssuers.acmeMember.uppercased())","active":false}"#)] }
        let admin = TestIssuers.jitsudoToken(TestIssuers.acmeAdmin)
        let call = try bench.ask(
            Array(
                "POST \(path) HTTP/1.1\r\nHost: cors.test\r\nOrigin: \(Self.app)\r\nAuthorization: Bearer \(admin)\r\nX-Tenant-ID: \(TestIssuers.acme)\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{\"active\": false}"
                    .utf8))
        #expect(call.status == 200 && call.values("access-control-allow-origin") == [Self.app], "a held answer says so too")
        let suspended = try bench.ask(get("/v1/open/page", origin: Self.app))
        #expect(suspended.gatewayCode == "user_suspended" && suspended.values("access-control-allow-origin") == [Self.app])
    }

    @Test("a preflight is one line in the log, with the route, and the connection goes on")
    func logged() throws {
        let bench = try bench()
        let client = try bench.gateway.client()
        for _ in 0..<2 { #expect(try client.exchange(preflight("/v1/open/page"), method: "OPTIONS").status == 204) }
        let body = preflight("/v1/open/page", ["Content-Length: 5", "", "hello"])
        #expect(try client.exchange(Array(body.dropLast(4)), method: "OPTIONS").status == 204, "a body that nobody asked for")
        #expect(try client.exchange(get("/v1/open/page", origin: Self.app)).status == 200)
        client.stream.close()
        _ = bench.gateway.process.terminate()
        let log = bench.gateway.accessLog
        #expect(log.count == 4)
        for line in log.prefix(3) {
            #expect(line["method"] as? String == "OPTIONS" && line["status"] as? Int == 204 && line["code"] as? String == "-")
            #expect(line["route"] as? String == "/v1/open/**" && line["upstream"] is NSNull && line["stage"] as? String == "respond")
        }
    }
}
