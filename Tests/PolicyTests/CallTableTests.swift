import Policy
import Testing

/// Dialect calls, found on the path that goes upstream.
@Suite struct CallTableTests {
    private let calls = CallTable(
        ["POST /v1/users/{user}/suspend", "GET /v1/users/{user}", "GET /v1/users", "PATCH /v1/users/{id}", "GET /v1/users/me"].map {
            call($0)
        })

    private func match(_ method: String, _ path: String) -> CallTable.Match {
        calls.match(path: bytes(path).span, method: bytes(method).span)
    }

    @Test("a call is found, and whose id stands where")
    func found() {
        #expect(match("POST", "/v1/users/17/suspend") == .call(0, user: 10..<12))
        #expect(match("POST", "/v1/users/17/suspend/") == .call(0, user: 10..<12))
        #expect(match("GET", "/v1/users/%41%20b") == .call(1, user: 10..<17))
        #expect(match("GET", "/v1/users/17/") == .call(1, user: 10..<12))
        #expect(match("GET", "/v1/users") == .call(2, user: nil))
        #expect(match("GET", "/v1/users/") == .call(2, user: nil))
        #expect(match("PATCH", "/v1/users/17") == .call(3, user: nil))
        #expect(match("GET", "/v1/users/me") == .call(4, user: nil))
    }

    @Test(
        "other requests are no call",
        arguments: [
            ("GET", "/v1/users/17/suspend"), ("POST", "/v1/users/17"), ("POST", "/v1/users/17/suspend/x"), ("POST", "/users/17/suspend"),
            ("POST", "/v1/users/suspend"), ("post", "/v1/users/17/suspend"), ("DELETE", "/v1/users/17"), ("GET", "/"),
            ("PATCH", "/v1/users"),
        ])
    func none(method: String, path: String) {
        #expect(match(method, path) == .none)
    }

    @Test(
        "a path that a lax server would take for a call is ambiguous",
        arguments: [
            ("POST", "/v1/users/17/SUSPEND"), ("POST", "/V1/users/17/suspend"), ("POST", "/v1/Users/17/suspend/"), ("GET", "/v1/USERS"),
            ("GET", "/v1/users/ME"), ("PATCH", "/v1/Users/17"),
        ])
    func ambiguous(method: String, path: String) {
        #expect(match(method, path) == .ambiguousPath)
    }
}

/// How paths are called upstream.
@Suite struct UpstreamPathTests {
    @Test(
        "the prefix is taken off at a segment's end, the base put before",
        arguments: [
            ("", "", "/v1/users", "/v1/users"), ("", "", "/", "/"), ("/api", "", "/api/v1/users", "/v1/users"), ("/api", "", "/api", "/"),
            ("/api", "", "/api/", "/"), ("/api", "", "/apix/v1", "/apix/v1"), ("/api", "", "/ap", "/ap"), ("", "/core", "/v1", "/core/v1"),
            ("", "/core", "/", "/core/"), ("/api", "/core", "/api", "/core"), ("/api", "/core", "/api/", "/core/"),
            ("/a/b", "/c/d", "/a/b/e/", "/c/d/e/"), ("/API", "", "/api/x", "/api/x"),
        ])
    func mapped(prefix: String, base: String, path: String, sent: String) {
        var out = bytes("GET ")
        let mapping = UpstreamPath(stripPrefix: bytes(prefix), base: bytes(base))
        mapping.append(bytes(path).span, to: &out)
        #expect(text(out) == "GET " + sent)
        #expect(mapping.isIdentity == (prefix + base).isEmpty)
    }
}

/// What the file's routes reach.
@Suite struct RouteAuditTests {
    private static let calls = ["POST /v1/users/{user}/suspend", "GET /v1/users/{user}", "POST /v1/users/{user}/activate"].map { call($0) }

    private func audit(_ routes: [Route], base: String = "") -> RouteAudit {
        RouteAudit(routes: routes, bases: [bytes(base)], calls: [Self.calls])
    }

    private func problems(_ routes: Route..., base: String = "") -> [String] {
        audit(routes, base: base).findings.map { "\($0.route) \($0.call.map(String.init) ?? "-") \($0.problem)" }
    }

    @Test(
        "a route reaches the calls that its paths and methods can be",
        arguments: [
            ("/v1/**", [0, 1, 2]), ("/**", [0, 1, 2]), ("POST /v1/**", [0, 2]), ("GET /v1/users/{x}", [1]), ("GET /v1/users/me", [1]),
            ("/v1/{a}/{b}/suspend", [0]), ("PUT /v1/**", []), ("/v2/**", []), ("/v1/users", []), ("/V1/**", []),
            ("/v1/users/{a}/{b}", [0, 2]),
            ("POST /v1/users/17/suspend", [0]), ("/v1/users/{x}/**", [0, 1, 2]),
        ])
    func reached(line: String, calls: [Int]) {
        #expect(audit([route(line)]).callsReached(byRoute: 0) == calls)
    }

    @Test("a more specific route that takes all of a call's paths keeps it from the others, by any method")
    func shadowed() {
        let routes = [
            route("/v1/**"), route("POST /v1/users/{u}/suspend"), route("GET /v1/users/{a}/{b}"), route("/v1/users/me@x.example"),
        ]
        #expect(audit(routes).callsReached(byRoute: 0) == [1])
        #expect(audit(routes).callsReached(byRoute: 1) == [0])
        #expect(audit(routes).callsReached(byRoute: 2) == [])
        #expect(audit([route("/v1/**"), route("/v1/users/me/suspend")]).callsReached(byRoute: 0) == [0, 1, 2])
        #expect(audit([route("/v1/**"), route("POST /v1/users/{u}/suspend@x.example")]).callsReached(byRoute: 0) == [0, 1, 2])
    }

    @Test("calls are looked for at the upstream's own path")
    func mapping() {
        var stripped = route("/api/v1/**")
        stripped.stripPrefix = bytes("/api")
        #expect(audit([stripped]).callsReached(byRoute: 0) == [0, 1, 2])
        #expect(audit([stripped, route("/api/v1/users/{x}/**")]).callsReached(byRoute: 0) == [])
        #expect(audit([stripped], base: "/v1").callsReached(byRoute: 0) == [])
        #expect(audit([route("/users/**")], base: "/v1").callsReached(byRoute: 0) == [0, 1, 2])
        #expect(audit([route("/users/**"), route("GET /users/{x}")], base: "/v1").callsReached(byRoute: 0) == [0, 2])
        #expect(audit([route("/**")], base: "/v1/users/7").callsReached(byRoute: 0) == [0, 1, 2])
        #expect(audit([route("/**")], base: "/v2").callsReached(byRoute: 0) == [])
    }

    @Test("a route that reaches an intent call says who decides")
    func requirement() {
        #expect(problems(route("/v1/**")) == ["0 0 requirementMissing", "0 2 requirementMissing"])
        #expect(problems(route("/v1/**", requirement: .upstream)) == [])
        #expect(problems(route("/v1/**", requirement: .credential(roles: [bytes("admin")], scopes: []))) == [])
        #expect(
            problems(route("POST /v1/users/{u}/suspend", requirement: .credential(roles: [], scopes: [bytes("x")])))
                == ["0 0 requirementMissing"])
        #expect(problems(route("GET /v1/**")) == [])
        #expect(problems(route("/v1/**", directory: nil)) == [])
        #expect(
            problems(route("/v1/**"), route("POST /v1/users/{u}/suspend", requirement: .upstream), route("POST /v1/users/{u}/activate"))
                == ["2 2 requirementMissing"])
    }

    @Test("neither the public nor suspended users reach an intent call")
    func publicAndSuspended() {
        var open = route("POST /v1/users/{u}/suspend", requirement: .upstream)
        open.credential = .none
        #expect(problems(open) == ["0 0 intentWithoutCredential"])
        open.credential = .upstream
        #expect(problems(open) == [])
        open.allowsSuspended = true
        #expect(problems(open) == ["0 0 intentOfSuspended"])
    }

    @Test("roles need a token, and a prefix to strip is what every path begins with")
    func contradictions() {
        var route = route("/v2/**", requirement: .credential(roles: [bytes("admin")], scopes: []))
        route.credential = .upstream
        #expect(problems(route) == ["0 - requirementWithoutToken"])
        route.requirement = .upstream
        for (prefix, isProblem) in [("/v2", false), ("/v", true), ("/v2/a", true), ("", false), ("/V2", true)] {
            route.stripPrefix = bytes(prefix)
            #expect(problems(route) == (isProblem ? ["0 - prefixOutsidePattern"] : []), "\(prefix)")
        }
    }
}
