import TestSupport
import Testing

/// Paths and routes on the wire: what can be read in two ways is refused, what is decided is what is forwarded (SPEC §5).
@Suite("paths and routes", .serialized, .timed)
struct PathTests {
    private static let user = TestIssuers.acmeMember

    /// Targets that nobody may forward.
    private static let ambiguous: [String] = [
        "/v1/../admin", "/v1/..", "/v1/.", "/v1/./page", "/..", "/.", "/../v1/page", "/v1/page/..", "/v1/page/../page", "/v1/%2e/page",
        "/v1/%2E/page", "/v1/%2e%2e/page", "/v1/%2E%2e/page", "/v1/.%2e/page", "/v1/%2e./page", "/v1/..%2fpage", "/v1/%2e%2e%2fpage",
        "/v1/a%2Fb", "/v1/a%2fb", "/v1/%2F", "/%2f/v1/page", "/v1%2Fpage", "/v1/a%5Cb", "/v1/a%5cb", "/v1/..%5cpage", "/v1/a\\b",
        "/v1/..\\page",
        "\\v1\\page", "/v1/%00", "/v1/page%00", "/v1/page%00.png", "/v1/a%3Bb", "/v1/a%3bb", "/v1/a;b", "/v1/page;x=1", "/v1/;/page",
        "/v1/..;/page",
        "//v1/page", "/v1//page", "/v1/page//", "//", "///", "/v1/%252e%252e/page", "/v1/%252f", "/v1/%2525", "/v1/a%255cb", "/v1/%25aa",
        "/v1/page#x",
        "/v1/#", "/v1/page?a=1#x", "/v1/%ff", "/v1/%FE%FF", "/v1/%c0%ae%c0%ae/page", "/v1/%c0%af", "/v1/%e0%80%af", "/v1/%ed%a0%80",
        "/v1/%f4%90%80%80",
        "/v1/%e2%28%a1", "/v1/%80", "/v1/%c3", "/v1/%", "/v1/%4", "/v1/%zz", "/v1/%u002e", "/v1/%2", "/v1/%%32e", "/v1/%1g", "/v1/a<b",
        "/v1/a>b",
        "/v1/a\"b", "/v1/a{b", "/v1/a}b", "/v1/a|b", "/v1/a^b", "/v1/a`b", "/v1/a[b", "/v1/a]b", "/v1/\u{E4}", "/v1/a\u{7F}b",
    ]

    /// Other spellings of a path with rules of its own.
    private static let otherCase: [String] = [
        "/v1/users/\(user)/Suspend", "/v1/users/\(user)/SUSPEND", "/v1/Users/\(user)/suspend", "/V1/users/\(user)/suspend",
        "/v1/users/\(user)/%53uspend",
        "/v1/users/\(user)/suspenD/", "/core/v1/users/usr_ben/Activate", "/core/v1/Users/usr_ben/suspend", "/v1/Admin/panel", "/v1/ADMIN",
    ]

    @Test("an ambiguous path is refused with its code and reaches nobody")
    func ambiguous() throws {
        let bench = try Bench { $0.routes = ["- {path: /v1/admin/**, upstream: jitsudo, require: {roles: [admin]}}"] }
        for target in Self.ambiguous {
            let answer = try bench.ask(Array(GoodRequest.target(target).utf8))
            let codes: Set =
                target.utf8.allSatisfy { 0x21...0x7E ~= $0 } && target.hasPrefix("/")
                ? ["ambiguous_path"] : ["ambiguous_path", "bad_request"]
            #expect(codes.contains(answer.gatewayCode ?? "passed"), "\(target): \(answer.gatewayCode ?? "passed")")
        }
        for path in Self.otherCase {
            let answer = try bench.ask(Array(GoodRequest.target(path, method: "POST").utf8))
            #expect(
                ["ambiguous_path", "route_not_found"].contains(answer.gatewayCode ?? "passed"), "\(path): \(answer.gatewayCode ?? "passed")"
            )
        }
        #expect(bench.upstream.takeRequests().map(\.target) == [])
        print("paths: \(Self.ambiguous.count + Self.otherCase.count) refused")
        #expect(Self.ambiguous.count + Self.otherCase.count >= 80)
    }

    @Test(
        "a path is forwarded in its one normal form, the query byte for byte",
        arguments: [
            ("/v1/page", "/v1/page"), ("/v1/%70age", "/v1/page"), ("/%76%31/page", "/v1/page"), ("/v1/%7Ename", "/v1/~name"),
            ("/v1/a%2db%5fc%2E", "/v1/a-b_c."),
            ("/v1/%c3%a4", "/v1/%C3%A4"), ("/v1/a%20b", "/v1/a%20b"), ("/v1/a%40b", "/v1/a%40b"), ("/v1/a%3ab", "/v1/a%3Ab"),
            ("/v1/%3f", "/v1/%3F"),
            ("/v1/%23", "/v1/%23"), ("/v1/a:b@c!$&'()*+,=~d", "/v1/a:b@c!$&'()*+,=~d"), ("/v1/...", "/v1/..."),
            ("/v1/.well-known", "/v1/.well-known"),
            ("/v1/page/", "/v1/page/"), ("/v1", "/v1"), ("/v1/", "/v1/"), ("/v1/page?", "/v1/page?"),
            ("/v1/page?a=%2e%2E&b=//&c=;'[]", nil),
            ("/v1/page?a=1?b=%", nil), ("/v1/page?%6d=%00", nil), ("/v1/%25zz", "/v1/%25zz"), ("/v1/%f0%9f%98%80", "/v1/%F0%9F%98%80"),
        ] as [(String, String?)])
    func normalForm(_ sent: String, _ forwarded: String?) throws {
        let bench = try Self.plain.get()
        let answer = try bench.ask(Array(GoodRequest.target(sent).utf8))
        if forwarded == nil, answer.gatewayCode != nil {
            // Bytes that RFC 3986 does not allow in a query may be refused, but never changed.
            #expect(answer.gatewayCode == "bad_request")
            return
        }
        #expect(answer.status == 200)
        #expect(bench.upstream.takeRequests().map(\.target) == [forwarded ?? sent])
    }

    @Test(
        "routes are chosen by path, then by method, and never fall through",
        arguments: [
            ("GET", "/", "route_not_found", nil), ("GET", "/v2", "route_not_found", nil), ("GET", "/v1x", "route_not_found", nil),
            ("GET", "/v1x/page", "route_not_found", nil),
            ("GET", "/core", "route_not_found", nil), ("GET", "/core/v2/users", "route_not_found", nil),
            ("GET", "/healthz/x", "route_not_found", nil),
            ("GET", "/healthz/", nil, nil), ("HEAD", "/healthz", "method_not_allowed", "GET"),
            ("POST", "/healthz", "method_not_allowed", "GET"),
            ("GET", "/v1/users/\(user)/suspend", "method_not_allowed", "POST"),
            ("PUT", "/v1/users/\(user)/suspend/", "method_not_allowed", "POST"),
            ("post", "/v1/users/\(user)/suspend", "method_not_allowed", "POST"), ("TRACE", "/v1/page", "method_not_allowed", nil),
            ("OPTIONS", "*", "route_not_found", nil),
            ("get", "/v1/page", "method_not_allowed", nil),
        ] as [(String, String, String?, String?)])
    func routes(_ method: String, _ target: String, _ code: String?, _ allow: String?) throws {
        let bench = try Self.plain.get()
        let answer = try bench.ask(Array(GoodRequest.target(target, method: method).utf8))
        // Whether GET brings HEAD along is the file's affair: both are right.
        if method == "HEAD", answer.gatewayCode == nil { return }
        #expect(answer.gatewayCode == code, "\(method) \(target)")
        #expect(bench.upstream.takeRequests().count == (code == nil ? 1 : 0))
        if let allow { #expect(answer.field("allow")?.contains(allow) == true) }
        if code == "method_not_allowed" { #expect(answer.field("allow") != nil) }
    }

    @Test(
        "credentials and methods in the query are refused",
        arguments: [
            ("access_token=x", "ambiguous_credential"), ("a=1&access_token=x", "ambiguous_credential"),
            ("Access_Token=x", "ambiguous_credential"),
            ("access%5Ftoken=x", "ambiguous_credential"), ("%61ccess_token=x", "ambiguous_credential"),
            ("access-token=x", "ambiguous_credential"), ("access_token", "ambiguous_credential"),
            ("a&access_token=", "ambiguous_credential"), ("_method=DELETE", "bad_request"), ("a=1&_method=DELETE", "bad_request"),
            ("%5Fmethod=DELETE", "bad_request"),
            ("access_tokens=x", nil), ("a=access_token", nil), ("method=x", nil),
        ] as [(String, String?)])
    func queries(_ query: String, _ code: String?) throws {
        let bench = try Self.plain.get()
        #expect(try bench.ask(Array(GoodRequest.target("/v1/page?\(query)").utf8)).gatewayCode == code)
        #expect(bench.upstream.takeRequests().count == (code == nil ? 1 : 0))
    }

    @Test(
        "a suspend call is one however its path is spelled",
        arguments: [
            "/v1/users/\(user)/suspend", "/v1/users/\(user)/suspend/", "/v1/users/\(user)/%73uspend", "/v1/%75sers/\(user)/suspend",
            "/v1/users/\(user.uppercased())/suspend",
            "/v1/users/%30\(user.dropFirst())/suspend",
        ])
    func suspendCalls(_ path: String) throws {
        let bench = try Self.plain.get()
        let answer = try bench.ask(Array(GoodRequest.target(path, method: "POST").utf8))
        #expect(answer.gatewayCode == "bad_request", "its body is asked for: \(answer.status)")
        #expect(bench.upstream.takeRequests().isEmpty)
    }

    /// One gateway for the tests that change nothing about it.
    private static let plain = Result { try Bench() }
}
