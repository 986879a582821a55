import TestSupport
import Testing

/// The bodies of JITSudo's suspend call: what could be read in two ways is refused before anything is written or sent.
@Suite("bodies of suspend calls", .serialized, .timed)
struct IntentBodyTests {
    private static let long = String(repeating: "x", count: 64 * 1024)
    private static let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)

    private static let ambiguous: [(String, [String], [UInt8])] =
        [
            ("twice", #"{"active":false,"active":true}"#), ("twice alike", #"{"active":false,"active":false}"#),
            ("twice, once escaped", #"{"active":false,"\u0061ctive":true}"#), ("twice elsewhere", #"{"active":false,"a":{"b":1,"b":2}}"#),
            ("other case", #"{"Active":false}"#), ("twice, once in another case", #"{"active":false,"Active":true}"#),
            ("a string", #"{"active":"false"}"#), ("a number", #"{"active":0}"#),
            ("null", #"{"active":null}"#), ("an array", #"{"active":[false]}"#), ("an object", #"{"active":{}}"#),
            ("absent", "{}"), ("nested", #"{"user":{"active":false}}"#), ("no object", "[]"), ("a bare boolean", "false"), ("nothing", ""),
            ("spaces", "   "), ("bytes behind", #"{"active":false}x"#), ("two documents", #"{"active":false}{"active":true}"#),
            ("single quotes", "{'active':false}"), ("a comment", #"{"active":false/*x*/}"#), ("a trailing comma", #"{"active":false,}"#),
            ("upper case literal", #"{"active":FALSE}"#), ("cut off", #"{"active":fal"#), ("a name without quotes", "{active:false}"),
            ("an escaped NUL", #"{"active":false,"a":"\u0000"}"#), ("half a surrogate", #"{"active":false,"a":"\ud800"}"#),
            ("too deep", #"{"active":false,"a":\#(deep)}"#), ("a form", "active=false"),
        ].map { ($0.0, [], Array($0.1.utf8)) } + [
            ("a byte order mark", [], [0xEF, 0xBB, 0xBF] + Array(#"{"active":false}"#.utf8)),
            ("UTF-16", [], Array(#"{"active":false}"#.utf8).flatMap { [$0, 0] }),
            ("not UTF-8", [], Array(#"{"active":false,"a":""#.utf8) + [0xFF, 0x22, 0x7D]),
            ("a raw NUL", [], Array(#"{"active":false}"#.utf8) + [0]),
            ("too long", [], Array(#"{"active":false,"a":"\#(long)"}"#.utf8)),
            ("gzip", ["Content-Encoding: gzip"], Array(#"{"active":false}"#.utf8)),
            ("brotli", ["Content-Encoding: br"], Array(#"{"active":false}"#.utf8)),
            ("identity and gzip", ["Content-Encoding: identity, gzip"], Array(#"{"active":false}"#.utf8)),
        ]

    @Test("an ambiguous body is 400 and reaches nobody; a clear one passes")
    func bodies() throws {
        let upstream = try RecordingUpstream { _ in [.json(#"{"id":"\#(TestIssuers.acmeMember.uppercased())","active":false}"#)] }
        let folder = try TemporaryFolder()
        let gateway = try Gateway(file: GatewayFile(jitsudo: upstream.port, rinne: upstream.port).write(to: folder), in: folder)
        for (name, fields, body) in Self.ambiguous {
            guard let answer = try? ask(gateway, fields, body) else {
                Issue.record("\(name): no answer. \(gateway.process.errorText.suffix(1500))")
                continue
            }
            let expected: [Int] = name == "too long" ? [400, 413] : [400]
            #expect(expected.contains(answer.status), "\(name): \(answer.status) \(answer.text)")
            #expect(answer.gatewayCode != nil, "\(name)")
        }
        #expect(upstream.takeRequests().map(\.text) == [], "nothing may be sent")
        for body in [
            #"{"active":false}"#, " { \"active\" : false } ", #"{"\u0061ctive":false}"#, #"{"reason":"left","active":false}"#,
        ] {
            #expect(try ask(gateway, [], Array(body.utf8)).status == 200, "\(body)")
            #expect(upstream.takeRequests().map { String(decoding: $0.body, as: UTF8.self) } == [body], "forwarded as it came")
        }
        let chunked = try gateway.ask(
            Dialect.jitsudo.call(
                "POST", "/users/\(TestIssuers.acmeMember)/suspend", token: Dialect.jitsudo.adminToken, ["Transfer-Encoding: chunked"])
                + "8\r\n{\"active\r\n8\r\n\":false}\r\n0\r\n\r\n")
        #expect(chunked.status == 200)
    }

    @Test("conditions and ranges of the client don't go along, and no coding is asked for")
    func fieldsOfTheCall() throws {
        let upstream = try RecordingUpstream { _ in [.json(#"{"id":"\#(TestIssuers.acmeMember.uppercased())","active":false}"#)] }
        let folder = try TemporaryFolder()
        let gateway = try Gateway(file: GatewayFile(jitsudo: upstream.port, rinne: upstream.port).write(to: folder), in: folder)
        let fields = [
            "Accept-Encoding: br, gzip", "Range: bytes=0-1", "If-Match: \"a\"", "If-None-Match: *", "Prefer: return=minimal",
            "If-Modified-Since: Sat, 29 Oct 1994 19:43:31 GMT",
        ]
        #expect(try ask(gateway, fields, Array(#"{"active":false}"#.utf8)).status == 200)
        let sent = try #require(upstream.takeRequests().first)
        #expect(sent.values("accept-encoding") == ["identity"])
        for name in ["range", "if-match", "if-none-match", "prefer", "if-modified-since"] { #expect(sent.values(name) == [], "\(name)") }
    }

    private func ask(_ gateway: Gateway, _ fields: [String], _ body: [UInt8]) throws -> WireAnswer {
        let dialect = Dialect.jitsudo
        let head = dialect.call(
            "POST", "/users/\(dialect.member)/suspend", token: dialect.adminToken, fields + ["Content-Length: \(body.count)"])
        let client = try gateway.client()
        return try client.exchange(Array(head.utf8) + body, method: "POST")
    }
}
