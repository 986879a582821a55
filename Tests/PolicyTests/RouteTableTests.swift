import Policy
import TestSupport
import Testing

/// Route choice (SPEC §5): host, then the most specific pattern, then the method; no falling through.
@Suite struct RouteTableTests {
    private static let routes = [
        "/v1/**",  // 0
        "POST /v1/users/{user}/suspend",  // 1
        "GET,PATCH /v1/users/{user}",  // 2
        "DELETE /v1/users/{id}",  // 3
        "/v1/auth/**",  // 4
        "GET /healthz",  // 5
        "GET /",  // 6
        "GET /v1/users/me",  // 7
        "/v1/{section}/settings/all",  // 8
        "GET /files/a%20b",  // 9
        "GET /{tenant}/users/list",  // 10
        "GET /v1/users:export",  // 11
    ]

    private let routes = table(Self.routes)

    @Test(
        "the most specific pattern is taken, with turning back",
        arguments: [
            ("GET", "/v1", 0), ("GET", "/v1/", 0), ("GET", "/v1/x", 0), ("PURGE", "/v1/x", 0), ("POST", "/v1/users/7/suspend", 1),
            ("POST", "/v1/users/7/suspend/", 1), ("GET", "/v1/users/7", 2), ("PATCH", "/v1/users/7/", 2), ("DELETE", "/v1/users/7", 3),
            ("POST", "/v1/auth/login", 4), ("GET", "/v1/auth", 4), ("GET", "/healthz", 5), ("GET", "/healthz/", 5), ("GET", "/", 6),
            ("GET", "/v1/users/me", 7), ("GET", "/v1/users/me2", 2), ("GET", "/v1/users/m", 2), ("GET", "/v1/users/settings/all", 8),
            ("GET", "/v1/users/settings/other", 0), ("GET", "/v1/users/7/suspend/now", 0), ("GET", "/v1/authx", 0),
            ("GET", "/files/a%20b", 9),
            ("GET", "/v2/users/list", 10), ("GET", "/v1/users/list", 2), ("GET", "/v1/users:export", 11), ("GET", "/v1/users", 0),
        ])
    func found(method: String, path: String, route: Int) {
        #expect(routes.match(method, path) == .route(route))
    }

    @Test(
        "a path that no pattern matches has no route",
        arguments: ["/v2", "/healthz/x", "/healthy", "/health", "/HEALTHZ", "/V1", "/V1/users/7", "/files/a", "/v2/users/list/x", "/v12"])
    func notFound(path: String) {
        #expect(routes.match("GET", path) == .notFound)
    }

    @Test(
        "a pattern without the method answers 405 with those it has, and nothing less specific is asked",
        arguments: [
            ("GET", "/v1/users/7/suspend", "POST"), ("POST", "/v1/users/7", "DELETE, GET, PATCH"), ("POST", "/v1/users/me", "GET"),
            ("HEAD", "/healthz", "GET"), ("post", "/v1/users/7/suspend", "POST"), ("Post", "/v1/users/7/suspend", "POST"),
            ("get", "/v1/x", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            ("GEt", "/v1/x", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            ("", "/v1/x", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            ("TRACE", "/v1/x", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            ("CONNECT", "/healthz", "GET"), ("trace", "/healthz", "GET"), ("TRACE", "/nowhere", ""), ("CONNECT", "/v1/users/ME", ""),
        ])
    func methodNotAllowed(method: String, path: String, allow: String) {
        #expect(routes.match(method, path) == .methodNotAllowed(allow: allow))
    }

    @Test(
        "a path that misses a more specific pattern only by its spelling is ambiguous, whatever the method",
        arguments: [
            "/v1/users/7/SUSPEND", "/v1/Users/7/suspend", "/v1/users/7/suspenD/", "/v1/USERS/me", "/v1/users/ME", "/v1/users/mE/",
            "/v1/Auth/login", "/v1/AUTH", "/v1/users%3Aexport", "/v1/Users%3Aexport", "/v1/x/Settings/all",
            "/v1/users/settings/ALL", "/V1/users/list",
        ])
    func ambiguous(path: String) {
        for method in ["GET", "POST", "DELETE"] { #expect(routes.match(method, path) == .ambiguousPath) }
    }

    @Test(
        "letters of parameters and of the rest are nobody's spelling",
        arguments: [("/v1/users/ABC", 2), ("/v1/X/y/Z", 0), ("/v1/users/SUSPEND", 2), ("/v1/auth/LOGIN", 4), ("/v1/users/%C3%9F", 2)])
    func parametersKeepTheirCase(path: String, route: Int) {
        #expect(routes.match("GET", path) == .route(route))
    }

    @Test("patterns that differ in case are two patterns, each taken by its own spelling")
    func twoSpellings() {
        let routes = table(["/a/Users", "/a/users", "/a/**"])
        #expect(routes.match("GET", "/a/Users") == .route(0))
        #expect(routes.match("GET", "/a/users") == .route(1))
        #expect(routes.match("GET", "/a/USERS") == .ambiguousPath)
    }

    @Test("a more specific pattern in other case is seen behind an exact first segment")
    func lateAmbiguity() {
        let routes = table(["/a/B/{x}", "/A/b/c"])
        #expect(routes.match("GET", "/a/B/c") == .ambiguousPath)
        #expect(routes.match("GET", "/a/B/d") == .route(0))
        #expect(routes.match("GET", "/A/b/c") == .route(1))
        #expect(routes.match("GET", "/a/b/c") == .notFound)
    }

    @Test("an overlap of methods on one host and pattern is a conflict, however its parameters are named")
    func conflicts() {
        #expect(throws: RouteConflict.overlap(first: 0, second: 1, method: "GET")) {
            try RouteTable([route("GET,POST /a/{x}"), route("PUT,GET /a/{y}")])
        }
        #expect(throws: RouteConflict.overlap(first: 0, second: 1, method: "POST")) { try RouteTable([route("/a"), route("POST /a")]) }
        #expect(throws: RouteConflict.overlap(first: 0, second: 1, method: "*")) { try RouteTable([route("/a/**"), route("/a/**")]) }
        #expect(RouteTable.conflicts(in: [route("/a"), route("/a@x.example"), route("GET /b"), route("POST /b"), route("/A")]) == [])
    }

    @Test("a method that no request may have is a conflict", arguments: ["TRACE", "CONNECT", "get", "Get", "G T"])
    func methods(name: String) {
        var bad = route("/a")
        bad.methods = [bytes("GET"), bytes(name)]
        #expect(RouteTable.conflicts(in: [bad]) == [.method(route: 0, name: name)])
    }
}

/// The host is chosen before the path, and there is no way back.
@Suite struct RouteHostTests {
    private let routes = table([
        "/a@api.example.com",  // 0
        "/a@*.example.com",  // 1
        "/a@*.eu.example.com",  // 2
        "/a",  // 3
        "/b",  // 4
        "/a@[2001:db8::1]",  // 5
        "/a@127.0.0.1",  // 6
    ])

    @Test(
        "an exact host goes before the longest wildcard before any",
        arguments: [
            ("api.example.com", 0), ("API.Example.COM", 0), ("www.example.com", 1), ("a.b.example.com", 1), ("x.eu.example.com", 2),
            ("x.y.EU.example.com", 2), ("eu.example.com", 1), ("example.com", 3), ("xexample.com", 3), ("other.org", 3),
            ("api.example.co", 3),
            ("apiexample.com", 3), ("[2001:db8::1]", 5), ("[2001:DB8:0:0:0:0:0:1]", 5), ("[2001:db8::0.0.0.1]", 5), ("[2001:db8::2]", 3),
            ("127.0.0.1", 6), ("127.0.0.2", 3),
        ])
    func chosen(host: String, route: Int) {
        #expect(routes.match("GET", "/a", host: host) == .route(route))
    }

    @Test("a host with routes of its own doesn't fall through to those of any host")
    func noFallingThrough() {
        #expect(routes.match("GET", "/b", host: "other.org") == .route(4))
        #expect(routes.match("GET", "/b", host: "api.example.com") == .notFound)
        #expect(routes.match("GET", "/b", host: "www.example.com") == .notFound)
    }

    @Test("without routes for any host, an unknown one has no route")
    func unknownHost() {
        let routes = table(["/a@api.example.com", "/a@*.eu.example.com"])
        #expect(routes.match("GET", "/a", host: "api.example.com") == .route(0))
        #expect(routes.match("GET", "/a", host: "example.com") == .notFound)
        #expect(routes.match("GET", "/a", host: ".eu.example.com") == .notFound)
        #expect(routes.match("TRACE", "/a", host: "example.com") == .methodNotAllowed(allow: ""))
    }

    @Test("a route's host is a host, '*.' and a domain, or '*'")
    func hostPatterns() {
        #expect(HostPattern("*") == .any)
        #expect(HostPattern("API.example.com") == .exact(bytes("api.example.com")))
        #expect(HostPattern("*.Example.com") == .wildcard(bytes(".example.com")))
        #expect(HostPattern("[2001:DB8::1]") == .exact(bytes("[2001:db8:0:0:0:0:0:1]")))
        #expect(HostPattern("[::ffff:192.0.2.1]") == .exact(bytes("[0:0:0:0:0:ffff:c000:201]")))
        for bad in ["", "*.", "*example.com", "a.*.com", "**", "api.example.com:443", "a b", "*.127.0.0.1", "*.[::1]", "http://a", "a."] {
            #expect(HostPattern(bad) == nil, "\(bad)")
        }
    }
}

/// The trie against the definition, on routes and paths made at random.
@Suite struct RouteAgreementTests {
    @Test("the trie takes what the definition takes")
    func agrees() throws {
        var numbers = SeededRandom(seed: 0xB0B)
        var seen: [String: Int] = [:]
        for _ in 0..<1_000 {
            let patterns = randomPatterns(&numbers)
            let routes = try RouteTable(patterns.map { Route(index: 0, pattern: $0, upstream: 0, directory: nil) })
            for _ in 0..<20 {
                let path = randomPath(&numbers)
                let match = routes.match("GET", path)
                try #require(match == naive(patterns, path), "\(patterns.map(\.text)) \(path)")
                seen["\(match)".prefix(5).description, default: 0] += 1
            }
        }
        #expect(seen.values.allSatisfy { $0 > 300 } && seen.count == 3)
    }

    /// Of all patterns that match, the one that none is more specific than; ambiguous if a loose match is more specific still.
    private func naive(_ patterns: [PathPattern], _ path: String) -> RouteTable.Match {
        let exact = patterns.indices.filter { matches(patterns[$0].segments[...], segments(path), { $0 }) }
        let loose = patterns.indices.filter { matches(patterns[$0].segments[...], segments(path), looseText) }
        guard let best = exact.first(where: { one in !exact.contains { patterns[$0].isMoreSpecific(than: patterns[one]) } }) else {
            return .notFound
        }
        return loose.contains { patterns[$0].isMoreSpecific(than: patterns[best]) } ? .ambiguousPath : .route(best)
    }

    private func matches(
        _ pattern: ArraySlice<PathPattern.Segment>, _ path: ArraySlice<String>, _ spelling: (String) -> String
    ) -> Bool {
        guard let first = pattern.first else { return path.isEmpty }
        if first == .rest { return true }
        guard let segment = path.first else { return false }
        if case .literal(let literal) = first, spelling(text(literal)) != spelling(segment) { return false }
        return matches(pattern.dropFirst(), path.dropFirst(), spelling)
    }

    private func segments(_ path: String) -> ArraySlice<String> { path.split(separator: "/").map(String.init)[...] }

    private func looseText(_ segment: String) -> String {
        text(percentDecodedSegment(bytes(segment).span) ?? []).lowercased()
    }

    private let words = ["a", "A", "b", "B", "a:b", "a%3Ab", "A%3AB", "ab"]

    private func randomPatterns(_ numbers: inout SeededRandom) -> [PathPattern] {
        var shapes: [[PathPattern.Segment]] = []
        for _ in 0..<Int.random(in: 1...8, using: &numbers) {
            var segments = (0..<Int.random(in: 0...4, using: &numbers)).map { _ -> PathPattern.Segment in
                Int.random(in: 0..<3, using: &numbers) == 0
                    ? .parameter(name: "") : .literal(bytes(words.randomElement(using: &numbers) ?? ""))
            }
            if Bool.random(using: &numbers) { segments.append(.rest) }
            if !shapes.contains(segments) { shapes.append(segments) }
        }
        return shapes.map { PathPattern(segments: $0) }
    }

    private func randomPath(_ numbers: inout SeededRandom) -> String {
        let segments = (0..<Int.random(in: 0...4, using: &numbers)).map { _ in words.randomElement(using: &numbers) ?? "" }
        return "/" + segments.joined(separator: "/") + (segments.isEmpty || Bool.random(using: &numbers) ? "" : "/")
    }
}
