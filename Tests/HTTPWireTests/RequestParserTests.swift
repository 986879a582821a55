import NIOCore
import Testing

@testable import HTTPWire

/// One message that must pass: a neighbour of what is refused.
struct Good: Sendable, CustomTestStringConvertible {
    let text: String
    let framing: BodyFraming
    let keepAlive: Bool

    init(_ text: String, _ framing: BodyFraming = .none, keepAlive: Bool = true) {
        self.text = text
        self.framing = framing
        self.keepAlive = keepAlive
    }

    var testDescription: String { String(text.prefix(90).debugDescription) }
}

private func starting(_ line: String) -> String { line + "\r\nHost: a.example\r\n\r\n" }

private func host(_ value: String) -> String { "GET / HTTP/1.1\r\nHost:" + value + "\r\n\r\n" }

@Suite("A request's head")
struct RequestParserTests {
    static let good: [Good] = [
        Good(starting("GET / HTTP/1.1")), Good(starting("M-SEARCH / HTTP/1.1")), Good(starting("get / HTTP/1.1")),
        Good(starting(String(repeating: "A", count: 32) + " / HTTP/1.1")),
        Good("\r\n" + starting("GET / HTTP/1.1")),
        Good(starting("GET //a/../b;c HTTP/1.1")), Good(starting("GET /a?b?c=%00&\"{}|^`<> HTTP/1.1")), Good(starting("GET /? HTTP/1.1")),
        Good(starting("GET /" + String(repeating: "a", count: 8191) + " HTTP/1.1")),
        Good(starting("OPTIONS * HTTP/1.1")), Good(starting("GET http://a.example HTTP/1.1")),
        Good(starting("GET HTTPS://A.Example/x HTTP/1.1")),
        Good(starting("GET http://a.example?x HTTP/1.1")), Good(starting("CONNECT a.example:443 HTTP/1.1"), keepAlive: false),
        Good("GET http://a:80/ HTTP/1.1\r\nHost: a:80\r\n\r\n"),
        Good(host("a")), Good(host(" \ta\t ")), Good(host(" a.b-c.d_e")), Good(host(" A.EXAMPLE:1")), Good(host(" a:65535")),
        Good(host(" 127.0.0.1:80")), Good(host(" [::1]")), Good(host(" [2001:DB8::1.2.3.4]:8443")),
        Good(host(" " + String(repeating: "a", count: 253))),
        Good(request("X:")), Good(request("X: \t ")), Good(request("X:a:b")), Good(request("X: \u{80}\u{FF}")), Good(request("X: a\tb")),
        Good(request("!#$%&'*+-.^_`|~09azAZ: x")), Good(request("X: y", "x: z", "X: y")),
        Good(request("Content-Length: 0"), .length(0)), Good(request("Content-Length:5"), .length(5)),
        Good(request("Content-Length: \t 5 \t"), .length(5)), Good(request("CONTENT-LENGTH: 5"), .length(5)),
        Good(request("Content-Length: 9007199254740992"), .length(1 << 53)),
        Good(request("Transfer-Encoding: chunked"), .chunked), Good(request("transfer-encoding:CHUNKED  "), .chunked),
        Good(request("Foo.Bar: 1", "X.Content.Length: 5", "Content.Lengths: 6", "Content..Length: 7")),
        Good(request("X-Content-Length: 5, 6", "Contentlength: x", "Content-Lengths: y")),
        Good(request("Connection: close"), keepAlive: false), Good(request("Connection: ,, Keep-Alive , CLOSE"), keepAlive: false),
        Good(request("Connection: keep-alive", "Connection: x-foo")), Good(request("Connection:")), Good(request("Connection: closed")),
        Good(request("Expect: 100-Continue", "Content-Length: 1"), .length(1)), Good(request("Expect: 100-continue")),
        Good(request("Cookie: a", "Cookie: b")), Good(request("X-User-ID: a", "X-User-ID: b")),
        Good(request("TE: trailers, deflate;q=0.5", "Trailer: X-Sum")),
        Good(request("X: " + String(repeating: "a", count: 32_000))),
        Good("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 127) + "\r\n"),
    ]

    @Test("means the same wherever reads cut it", arguments: good)
    func passes(message: Good) throws {
        let bytes = latin1(message.text + "GET")
        let whole = readRequest(bytes)
        let reading = try #require(whole.reading)
        #expect(reading.framing == message.framing)
        #expect(reading.keepAlive == message.keepAlive)
        for cuts in cuttings(of: bytes) { #expect(readRequest(bytes, cuts: cuts) == whole, "cut at \(cuts)") }
    }

    @Test("is read in place: method, target, path, query, authority and fields")
    func inPlace() throws {
        let outcome = readRequest(
            latin1("PATCH /v1/users?x=1 HTTP/1.1\r\nHost: a.example:8443\r\nauthorization:  Bearer t \r\nX-None:\r\n\r\nrest"))
        guard case .head(let reading, let rest) = outcome else {
            Issue.record("not read")
            return
        }
        #expect(reading.start == ["PATCH", "/v1/users?x=1", "/v1/users", "a.example:8443", "a.example", "?x=1", "8443"])
        #expect(reading.lines.map(\.name) == ["Host", "authorization", "X-None"])
        #expect(reading.lines.map(\.id) == [.host, .authorization, .other])
        #expect(reading.lines.map { String(decoding: $0.value, as: UTF8.self) } == ["a.example:8443", "Bearer t", ""])
        #expect(rest == latin1("rest"))
    }

    @Test("in absolute form gives its path, which may be empty, and its agreed authority")
    func absoluteForm() {
        #expect(
            readRequest(latin1(starting("GET http://a.example/x?y HTTP/1.1"))).reading?.start[2...5] == [
                "/x", "a.example", "a.example", "?y",
            ])
        #expect(
            readRequest(latin1(starting("GET http://A.example?y HTTP/1.1"))).reading?.start[2...5] == ["", "A.example", "A.example", "?y"])
    }

    @Test("expects a 100 only if a body follows")
    func expectation() {
        #expect(readRequest(latin1(request("Expect: 100-continue", "Content-Length: 1"))).reading?.flags[0] == true)
        #expect(readRequest(latin1(request("Expect: 100-continue", "Transfer-Encoding: chunked"))).reading?.flags[0] == true)
        #expect(readRequest(latin1(request("Expect: 100-continue", "Content-Length: 0"))).reading?.flags[0] == false)
        #expect(readRequest(latin1(request("Expect: 100-continue"))).reading?.flags[0] == false)
    }

    @Test("asks for an upgrade only if Connection says so, too")
    func upgrade() {
        #expect(readRequest(latin1(request("Upgrade: websocket", "Connection: Upgrade"))).reading?.flags[1] == true)
        #expect(readRequest(latin1(request("Upgrade: websocket"))).reading?.flags[1] == false)
        #expect(readRequest(latin1(request("Connection: Upgrade"))).reading?.flags[1] == false)
    }

    @Test("marks fields that are hop by hop or named by Connection")
    func hopByHop() throws {
        let reading = try #require(
            readRequest(
                latin1(
                    request(
                        "X-Foo: 1", "Connection: x-foo, X_Tenant_ID", "X-Bar: 2", "X-Tenant-ID: t", "TE: trailers", "Upgrade: h2c",
                        "Keep-Alive: 5", "HTTP2-Settings: x", "Proxy-Connection: y"))
            ).reading)
        let marked = reading.lines.filter(\.isHopByHop).map(\.name)
        #expect(
            marked == [
                "X-Foo", "Connection", "X-Tenant-ID", "TE", "Upgrade", "Keep-Alive", "HTTP2-Settings", "Proxy-Connection",
            ])
    }

    @Test("tells which identity fields Connection names, in any spelling")
    func connectionNames() {
        var parser = RequestParser(limits: WireLimits())
        var head = RequestHead()
        var input = latin1(request("Connection: X.Tenant_ID, authorization")).buffer
        #expect(parser.parse(&input, into: &head) == .complete)
        #expect(head.message.connection.named.contains(.xTenantID))
        #expect(head.message.connection.named.contains(.authorization))
        #expect(!head.message.connection.named.contains(.xUserID))
    }

    @Test("follows another on a connection, and nothing of the first is left in it")
    func pipelined() {
        var parser = RequestParser(limits: WireLimits())
        var head = RequestHead()
        let first = request("Content-Length: 0", "Connection: close, x-a", "Expect: 100-continue", "X_User_ID: u", "Upgrade: x")
        var input = latin1(first + "GET /b HTTP/1.1\r\nHost: b\r\n\r\n" + "GET").buffer
        #expect(parser.parse(&input, into: &head) == .complete)
        #expect(parser.parse(&input, into: &head) == .complete)
        #expect(head.fields.count == 1)
        #expect(head.keepAlive && head.framing == .none && head.queryRange == nil && head.variants.isEmpty)
        #expect(head.message.connection.others.isEmpty && !head.message.connection.named.contains(.upgrade))
        #expect(head.message.withBytes(head.pathRange) { $0.count } == 2)
        #expect(!parser.isInsideHead)
        #expect(parser.parse(&input, into: &head) == .needMore)
        #expect(parser.isInsideHead)
    }
}
