import Testing

@testable import HTTPWire

/// One message and why it is refused.
struct Refused: Sendable, CustomTestStringConvertible {
    let text: String
    let error: WireError

    init(_ text: String, _ error: WireError) {
        self.text = text
        self.error = error
    }

    var testDescription: String { "\(error): \(text.prefix(90).debugDescription)" }
}

/// A request with one good `Host` and these field lines.
func request(_ lines: String...) -> String {
    (["POST / HTTP/1.1", "Host: a.example"] + lines).joined(separator: "\r\n") + "\r\n\r\n"
}

/// A request with this start line and one good `Host`.
private func starting(_ line: String) -> String { line + "\r\nHost: a.example\r\n\r\n" }

/// A request with this authority in `Host`.
private func host(_ value: String) -> String { "GET / HTTP/1.1\r\nHost:" + value + "\r\n\r\n" }

@Suite("A request is refused")
struct RequestRefusalTests {
    static let startLines: [Refused] = [
        Refused("GET / HTTP/1.0\r\n\r\n", .versionNotSupported),
        Refused("GET / HTTP/0.9\r\n\r\n", .versionNotSupported),
        Refused("GET / HTTP/2.0\r\n\r\n", .versionNotSupported),
        Refused("GET / HTTP/1.2\r\n\r\n", .versionNotSupported),
        Refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionNotSupported),
        Refused("GET /\r\n\r\n", .malformedRequestLine),
        Refused("GET\r\n\r\n", .malformedRequestLine),
        Refused(starting("GET / HTTP/1.10"), .malformedRequestLine),
        Refused(starting("GET / HTTP/01.1"), .malformedRequestLine),
        Refused(starting("GET / HTTP/1,1"), .malformedRequestLine),
        Refused(starting("GET / HTTP/1.1 "), .malformedRequestLine),
        Refused(starting("GET / http/1.1"), .malformedRequestLine),
        Refused(starting("GET / HTTP 1.1"), .malformedRequestLine),
        Refused(starting("GET / HTTP/"), .malformedRequestLine),
        Refused(starting("GET / HTTP/1.\u{B2}"), .malformedRequestLine),
        Refused(starting("GET / ICY/1.1"), .malformedRequestLine),
        Refused(starting("GET  / HTTP/1.1"), .malformedRequestLine),
        Refused(starting("GET /  HTTP/1.1"), .malformedRequestLine),
        Refused(starting(" GET / HTTP/1.1"), .malformedRequestLine),
        Refused(starting("GET\t/\tHTTP/1.1"), .malformedRequestLine),
        Refused(starting("GET /a b HTTP/1.1"), .malformedRequestLine),
        Refused(starting("GET / HTTP/1.1\tX: y"), .malformedRequestLine),
        Refused(starting("GET:/ / HTTP/1.1"), .malformedRequestLine),
        Refused(starting("G\u{C9}T / HTTP/1.1"), .malformedRequestLine),
        Refused(starting("\"GET\" / HTTP/1.1"), .malformedRequestLine),
        Refused(starting(String(repeating: "A", count: 33) + " / HTTP/1.1"), .malformedRequestLine),
        Refused("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .emptyLine),
        Refused("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .bareLF),
        Refused("\u{16}\u{03}\u{01}\u{02}\u{00}", .controlCharacter),
    ]

    static let targets: [Refused] = [
        Refused(starting("GET /a#b HTTP/1.1"), .fragmentInTarget),
        Refused(starting("GET /a?b#c HTTP/1.1"), .fragmentInTarget),
        Refused(starting("GET /a\tb HTTP/1.1"), .malformedTarget),
        Refused(starting("GET /caf\u{E9} HTTP/1.1"), .malformedTarget),
        Refused(starting("GET /a?caf\u{C3}\u{A9} HTTP/1.1"), .malformedTarget),
        Refused(starting("GET a HTTP/1.1"), .malformedTarget),
        Refused(starting("GET ?a HTTP/1.1"), .malformedTarget),
        Refused(starting("GET \\a HTTP/1.1"), .malformedTarget),
        Refused(starting("GET * HTTP/1.1"), .malformedTarget),
        Refused(starting("OPTIONS ** HTTP/1.1"), .malformedTarget),
        Refused(starting("OPTIONS *?a HTTP/1.1"), .malformedTarget),
        Refused(starting("GET http:/a.example/ HTTP/1.1"), .malformedTarget),
        Refused(starting("GET http:///x HTTP/1.1"), .malformedTarget),
        Refused(starting("GET ftp://a.example/ HTTP/1.1"), .malformedTarget),
        Refused(starting("GET http://u@a.example/ HTTP/1.1"), .malformedTarget),
        Refused(starting("GET http://a.example:/ HTTP/1.1"), .malformedTarget),
        Refused(starting("GET http://a.example\\@b/ HTTP/1.1"), .malformedTarget),
        Refused(starting("GET a.example:443 HTTP/1.1"), .malformedTarget),
        Refused(starting("CONNECT / HTTP/1.1"), .malformedTarget),
        Refused(starting("CONNECT a.example HTTP/1.1"), .malformedTarget),
        Refused(starting("CONNECT http://a.example:443/ HTTP/1.1"), .malformedTarget),
        Refused(starting("GET http://b.example/ HTTP/1.1"), .hostMismatch),
        Refused(starting("GET http://a.example:80/ HTTP/1.1"), .hostMismatch),
        Refused("GET http://a.example/ HTTP/1.1\r\n\r\n", .missingHost),
        Refused(starting("GET /" + String(repeating: "a", count: 8192) + " HTTP/1.1"), .uriTooLong),
        Refused("GET /" + String(repeating: "a", count: 20_000), .uriTooLong),
    ]

    static let hosts: [Refused] = [
        Refused("GET / HTTP/1.1\r\n\r\n", .missingHost),
        Refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .duplicateHeader(.host)),
        Refused("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: b\r\n\r\n", .duplicateHeader(.host)),
        Refused(host(""), .malformedHost), Refused(host("  \t "), .malformedHost), Refused(host(" a, b"), .malformedHost),
        Refused(host(" a b"), .malformedHost), Refused(host(" a/b"), .malformedHost), Refused(host(" http://a"), .malformedHost),
        Refused(host(" u@a"), .malformedHost), Refused(host(" a:80:80"), .malformedHost), Refused(host(" a:"), .malformedHost),
        Refused(host(" :80"), .malformedHost), Refused(host(" a:0"), .malformedHost), Refused(host(" a:080"), .malformedHost),
        Refused(host(" a:65536"), .malformedHost), Refused(host(" a:+80"), .malformedHost), Refused(host(" a:80@b"), .malformedHost),
        Refused(host(" a?b"), .malformedHost), Refused(host(" a#b"), .malformedHost), Refused(host(" a\\b"), .malformedHost),
        Refused(host(" a%2eb"), .malformedHost), Refused(host(" a;b"), .malformedHost), Refused(host(" .a"), .malformedHost),
        Refused(host(" a..b"), .malformedHost), Refused(host(" \u{E4}.example"), .malformedHost), Refused(host(" [::1"), .malformedHost),
        Refused(host(" [a]"), .malformedHost), Refused(host(" [::1]x"), .malformedHost), Refused(host(" [::1%25eth0]"), .malformedHost),
        Refused(host(" []"), .malformedHost), Refused(host(" ::1"), .malformedHost),
        Refused(host(" a."), .malformedHost), Refused(host(" a.b.:80"), .malformedHost), Refused(host(" ."), .malformedHost),
        Refused(host(" " + String(repeating: "a", count: 254)), .malformedHost),
    ]

    static let lines: [Refused] = [
        Refused("GET / HTTP/1.1\nHost: a\n\n", .bareLF),
        Refused("GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLF),
        Refused("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLF),
        Refused("GET / HTTP/1.1\r\nHost: a\nContent-Length: 5\r\n\r\n", .bareLF),
        Refused("GET / HTTP/1.1\r\nHost: a\r\nX: y\rContent-Length: 5\r\n\r\n", .bareCR),
        Refused("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", .bareCR),
        Refused("GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n", .bareCR),
        Refused("GET /\u{00} HTTP/1.1\r\nHost: a\r\n\r\n", .controlCharacter),
        Refused("GET /\u{7F} HTTP/1.1\r\nHost: a\r\n\r\n", .controlCharacter),
        Refused(request("X: a\u{00}b"), .controlCharacter), Refused(request("X\u{00}: a"), .controlCharacter),
        Refused(request("X: \u{0B}a"), .controlCharacter), Refused(request("X: a\u{0C}"), .controlCharacter),
        Refused(request("X: \u{7F}"), .controlCharacter), Refused(request("X: \u{1B}[2J"), .controlCharacter),
        Refused(request("X: a", " b"), .foldedLine), Refused(request("X: a", "\tb"), .foldedLine),
        Refused(request("Transfer-Encoding:", " chunked"), .foldedLine), Refused(request("X: a", " "), .foldedLine),
        Refused("GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n", .foldedLine),
        Refused(request("X"), .missingColon), Refused(request("Content-Length 5"), .missingColon),
        Refused(request("GET /admin HTTP/1.1"), .missingColon),
        Refused(request(": a"), .malformedFieldName), Refused(request("X : a"), .malformedFieldName),
        Refused(request("X\t: a"), .malformedFieldName), Refused(request("Content-Length : 5"), .malformedFieldName),
        Refused(request("Content-Length\t: 5"), .malformedFieldName), Refused(request("Transfer-Encoding : chunked"), .malformedFieldName),
        Refused(request("Content Length: 5"), .malformedFieldName), Refused(request("X(y): a"), .malformedFieldName),
        Refused(request("X/y: a"), .malformedFieldName), Refused(request("X\u{A0}: a"), .malformedFieldName),
        Refused(request("\"X\": a"), .malformedFieldName), Refused(request("X@y: a"), .malformedFieldName),
        Refused(request("GET http://a/ HTTP/1.1"), .malformedFieldName),
    ]

    static let framing: [Refused] = [
        Refused(request("Content-Length: 5", "Transfer-Encoding: chunked"), .conflictingFraming),
        Refused(request("Transfer-Encoding: chunked", "Content-Length: 5"), .conflictingFraming),
        Refused(request("Content-Length: 0", "Transfer-Encoding: identity"), .conflictingFraming),
        Refused(request("Content-Length: 5", "Content-Length: 5"), .duplicateHeader(.contentLength)),
        Refused(request("Content-Length: 5", "Content-Length: 6"), .duplicateHeader(.contentLength)),
        Refused(request("Content-Length: 5", "content_length: 6"), .duplicateHeader(.contentLength)),
        Refused(request("Content_Length: 6"), .variantSpelling(.contentLength)),
        Refused(request("Transfer_Encoding: chunked"), .variantSpelling(.transferEncoding)),
        Refused(request("Transfer.Encoding: chunked"), .variantSpelling(.transferEncoding)),
        Refused(request("Content~Length: 6"), .variantSpelling(.contentLength)),
        Refused(request("TRANSFER_ENCODING: chunked", "Content-Length: 5"), .variantSpelling(.transferEncoding)),
        Refused(request("Content-Length: 5, 5"), .malformedContentLength), Refused(request("Content-Length: 5,6"), .malformedContentLength),
        Refused(request("Content-Length: +5"), .malformedContentLength), Refused(request("Content-Length: -5"), .malformedContentLength),
        Refused(request("Content-Length: 0x5"), .malformedContentLength), Refused(request("Content-Length: 5.0"), .malformedContentLength),
        Refused(request("Content-Length: 1e3"), .malformedContentLength), Refused(request("Content-Length: 5 5"), .malformedContentLength),
        Refused(request("Content-Length: 05"), .malformedContentLength), Refused(request("Content-Length: 00"), .malformedContentLength),
        Refused(request("Content-Length:"), .malformedContentLength), Refused(request("Content-Length: \"5\""), .malformedContentLength),
        Refused(request("Content-Length: 5;"), .malformedContentLength), Refused(request("Content-Length: 1_000"), .malformedContentLength),
        Refused(request("Content-Length: \u{B2}"), .malformedContentLength),
        Refused(request("Content-Length: 9007199254740993"), .malformedContentLength),
        Refused(request("Content-Length: 18446744073709551621"), .malformedContentLength),
        Refused(request("Content-Length: 99999999999999999999999999"), .malformedContentLength),
        Refused(request("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), .duplicateHeader(.transferEncoding)),
        Refused(request("Transfer-Encoding: chunked", "Transfer-encoding: identity"), .duplicateHeader(.transferEncoding)),
        Refused(request("Transfer-Encoding: chunked", "Transfer-encoding: x"), .duplicateHeader(.transferEncoding)),
        Refused(request("Transfer-Encoding:"), .malformedTransferEncoding),
        Refused(request("Transfer-Encoding: chunked, identity"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: identity, chunked"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: gzip, chunked"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: gzip"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: identity"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: xchunked"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: chunkedx"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: chunked, chunked"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: chunked,"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: ,chunked"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: chunked;q=1"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: \"chunked\""), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: 'chunked'"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: chunk"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: c\u{FF}hunked"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: chun\u{6B}ed\u{85}"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: \u{A0}chunked"), .unknownTransferCoding),
        Refused(request("Transfer-Encoding: \u{0B}chunked"), .controlCharacter),
        Refused(request("Transfer-Encoding:\u{0C}chunked"), .controlCharacter),
        Refused(request("X: x\nTransfer-Encoding: chunked"), .bareLF),
        Refused(request("Transfer-Encoding\r\n: chunked"), .missingColon),
    ]

    static let others: [Refused] = [
        Refused(request("Authorization: Bearer a", "authorization: Bearer b"), .duplicateHeader(.authorization)),
        Refused(request("X-Tenant-ID: a", "X-Tenant-ID: a"), .duplicateHeader(.xTenantID)),
        Refused(request("X-Tenant-ID: a", "x_tenant_id: b"), .duplicateHeader(.xTenantID)),
        Refused(request("X-Tenant-ID: a", "X.Tenant.ID: b"), .duplicateHeader(.xTenantID)),
        Refused(request("X-API-Key: a", "X-Api-Key: b"), .duplicateHeader(.xAPIKey)),
        Refused(request("Content-Type: a/b", "Content-Type: c/d"), .duplicateHeader(.contentType)),
        Refused(request("Expect: 100-continue", "Expect: 100-continue"), .duplicateHeader(.expect)),
        Refused(request("Expect: 200-ok"), .unknownExpectation), Refused(request("Expect: 100-continue, x"), .unknownExpectation),
        Refused(request("Expect:"), .unknownExpectation),
        Refused(request("Connection: content-length", "Content-Length: 5"), .connectionNames(.contentLength)),
        Refused(request("Connection: close, Host"), .connectionNames(.host)),
        Refused(request("Connection: Transfer_Encoding"), .connectionNames(.transferEncoding)),
        Refused(request("Connection: Transfer.Encoding"), .connectionNames(.transferEncoding)),
        Refused(request("Connection: a b"), .malformedConnection), Refused(request("Connection: \"close\""), .malformedConnection),
        Refused(request("Connection: close;x"), .malformedConnection),
        Refused(request("Connection: " + String(repeating: "a,", count: 17)), .malformedConnection),
        Refused(request("X: " + String(repeating: "a", count: 33_000)), .headersTooLarge),
        Refused("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: 128) + "\r\n", .headersTooLarge),
    ]

    @Test("with the same error wherever reads cut it", arguments: startLines + targets + hosts + lines + framing + others)
    func refused(message: Refused) {
        let bytes = latin1(message.text)
        #expect(readRequest(bytes).error == message.error)
        for cuts in cuttings(of: bytes) { #expect(readRequest(bytes, cuts: cuts).error == message.error, "cut at \(cuts)") }
    }

    @Test("in at least a hundred ways")
    func enough() {
        #expect(Self.startLines.count + Self.targets.count + Self.hosts.count + Self.lines.count + Self.framing.count >= 150)
    }

    @Test("for good: the parser gives no second answer")
    func sticky() {
        var parser = RequestParser(limits: WireLimits())
        var head = RequestHead()
        var bad = latin1("GET / HTTP/1.0\r\n\r\n").buffer
        var good = latin1(request()).buffer
        #expect(parser.parse(&bad, into: &head) == .failed(.versionNotSupported))
        #expect(parser.parse(&good, into: &head) == .failed(.versionNotSupported))
    }

    @Test("with a kind for each answer of the parse stage")
    func kinds() {
        #expect(WireError.unknownTransferCoding.kind == .notImplemented)
        #expect(WireError.duplicateHeader(.host).kind == .duplicateHeader)
        #expect(WireError.fragmentInTarget.kind == .ambiguousPath)
        #expect(WireError.uriTooLong.kind == .uriTooLong)
        #expect(WireError.headersTooLarge.kind == .headersTooLarge)
        #expect(WireError.versionNotSupported.kind == .versionNotSupported)
        #expect(WireError.bareLF.kind == .badRequest)
    }
}
