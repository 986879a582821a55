import NIOCore
import Testing

@testable import HTTPWire

@Suite("A body")
struct BodyDecoderTests {
    /// Bodies in chunks that pass, with their data.
    static let good: [(String, String)] = [
        ("0\r\n\r\n", ""), ("00000000\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"), ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"), ("0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"),
        ("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n000\r\n\r\n", "abc"), ("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"), ("1\r\n0\r\n0\r\n\r\n", "0"),
        ("5;a\r\nhello\r\n0\r\n\r\n", "hello"), ("5;a=b;c=\"d\\\" e;\"\r\nhello\r\n0;x\r\n\r\n", "hello"),
        ("5 ; a = b\t;c\r\nhello\r\n0\r\n\r\n", "hello"), ("5;a=\"\"\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5;" + String(repeating: "a", count: 254) + "\r\nhello\r\n0\r\n\r\n", "hello"),
    ]

    @Test("in chunks is the same wherever reads cut it", arguments: good)
    func chunks(text: String, data: String) {
        let whole = BodyOutcome.body(data, trailers: [], rest: "GET")
        let bytes = latin1(text + "GET")
        #expect(readBody(bytes) == whole)
        for cuts in cuttings(of: bytes) { #expect(readBody(bytes, cuts: cuts) == whole, "cut at \(cuts)") }
    }

    static let sizes: [Refused] = [
        Refused("\r\n\r\n", .malformedChunkSize), Refused("g\r\n", .malformedChunkSize), Refused("-1\r\nx\r\n", .malformedChunkSize),
        Refused("+1\r\nx\r\n", .malformedChunkSize), Refused(" 1\r\nx\r\n", .malformedChunkSize),
        Refused("\t1\r\nx\r\n", .malformedChunkSize),
        Refused("x1\r\nx\r\n", .malformedChunkSize), Refused(";a\r\n", .malformedChunkSize), Refused("\u{B2}\r\n", .malformedChunkSize),
        Refused("00000000000000005\r\nhello\r\n", .malformedChunkSize), Refused("20000000000001\r\n", .malformedChunkSize),
        Refused("7fffffffffffffff\r\n", .malformedChunkSize), Refused("8000000000000000\r\n", .malformedChunkSize),
        Refused("ffffffffffffffff\r\n", .malformedChunkSize), Refused("10000000000000005\r\nhello\r\n", .malformedChunkSize),
        Refused("0x5\r\nhello\r\n", .malformedChunkExtension), Refused("5 \r\nhello\r\n", .malformedChunkExtension),
        Refused("5\t\r\nhello\r\n", .malformedChunkExtension), Refused("5h\r\nhello\r\n", .malformedChunkExtension),
        Refused("1_0\r\n", .malformedChunkExtension), Refused("5.0\r\nhello\r\n", .malformedChunkExtension),
        Refused("5,5\r\nhello\r\n", .malformedChunkExtension), Refused("5 5\r\nhello\r\n", .malformedChunkExtension),
    ]

    static let extensions: [Refused] = [
        Refused("5;\r\nhello\r\n", .malformedChunkExtension), Refused("5; \r\nhello\r\n", .malformedChunkExtension),
        Refused("5;a;\r\nhello\r\n", .malformedChunkExtension), Refused("5;;a\r\nhello\r\n", .malformedChunkExtension),
        Refused("5;a=\r\nhello\r\n", .malformedChunkExtension), Refused("5;=b\r\nhello\r\n", .malformedChunkExtension),
        Refused("5;a=b=c\r\nhello\r\n", .malformedChunkExtension), Refused("5;a b\r\nhello\r\n", .malformedChunkExtension),
        Refused("5;a=\"b\r\nhello\r\n", .malformedChunkExtension), Refused("5;a=\"b\"c\r\nhello\r\n", .malformedChunkExtension),
        Refused("5;a=\"b\\\r\nhello\r\n", .malformedChunkExtension), Refused("5;a \r\nhello\r\n", .malformedChunkExtension),
        Refused("5;\u{FF}\r\nhello\r\n", .malformedChunkExtension), Refused("5;a=\"\u{00}\"\r\nhello\r\n", .controlCharacter),
        // Published in 2025 (TERM.EXT, EXT.TERM, TERM.SPILL, SPILL.TERM): a line end that only one of two proxies sees.
        Refused("5;a\nhello\r\n0\r\n\r\n", .bareLF), Refused("5\nhello\r\n0\r\n\r\n", .bareLF), Refused("5;\n\r\nhello\r\n", .bareLF),
        Refused("5;a\rhello\r\n0\r\n\r\n", .bareCR), Refused("5\r\r\nhello\r\n", .bareCR), Refused("2;\rxx\r\n", .bareCR),
        Refused("5;a=\"\n\"\r\nhello\r\n", .bareLF), Refused("5;a=\"\r\n\"\r\nhello\r\n", .malformedChunkExtension),
        Refused("5;" + String(repeating: "a", count: 255) + "\r\nhello\r\n", .malformedChunkExtension),
        Refused(String(repeating: "0", count: 300), .malformedChunkExtension),
    ]

    static let ends: [Refused] = [
        Refused("5\r\nhello\n0\r\n\r\n", .malformedChunkEnd), Refused("5\r\nhello\r0\r\n\r\n", .malformedChunkEnd),
        Refused("5\r\nhelloworld\r\n0\r\n\r\n", .malformedChunkEnd), Refused("5\r\nhello0\r\n\r\n", .malformedChunkEnd),
        Refused("5\r\nhello \r\n0\r\n\r\n", .malformedChunkEnd), Refused("5\r\nhello\u{00}\r\n", .malformedChunkEnd),
        Refused("5\r\nhell\r\n0\r\n\r\n", .malformedChunkEnd), Refused("5\r\nhello\r\n\r\n0\r\n\r\n", .malformedChunkSize),
        Refused("0\n\n", .bareLF), Refused("0\r\n\n", .bareLF), Refused("0\r\n\rX", .bareCR), Refused("0\r\n\r\r\n", .bareCR),
        Refused("0\r\nX: y\n\r\n", .bareLF), Refused("0\r\n X: y\r\n\r\n", .foldedLine), Refused("0\r\nX : y\r\n\r\n", .malformedFieldName),
        Refused("0\r\nX\r\n\r\n", .missingColon), Refused("0\r\nGET / HTTP/1.1\r\nX: y\r\n\r\n", .missingColon),
        Refused("0\r\nX: \u{00}\r\n\r\n", .controlCharacter), Refused("0\r\nX: y\r\n z\r\n\r\n", .foldedLine),
        Refused("0\r\nX: " + String(repeating: "a", count: 8200) + "\r\n\r\n", .headersTooLarge),
        Refused("0\r\n" + String(repeating: "X: y\r\n", count: 129) + "\r\n", .headersTooLarge),
        Refused("0\r\nContent-Length: 5\r\n\r\n", .forbiddenTrailer(.contentLength)),
        Refused("0\r\ntransfer-encoding: chunked\r\n\r\n", .forbiddenTrailer(.transferEncoding)),
        Refused("0\r\nTransfer_Encoding: chunked\r\n\r\n", .variantSpelling(.transferEncoding)),
        Refused("0\r\nHost: b\r\n\r\n", .forbiddenTrailer(.host)),
        Refused("0\r\nAuthorization: Bearer x\r\n\r\n", .forbiddenTrailer(.authorization)),
        Refused("0\r\nX-Tenant-ID: t\r\n\r\n", .forbiddenTrailer(.xTenantID)),
        Refused("0\r\nX: y\r\nx_tenant_id: t\r\n\r\n", .forbiddenTrailer(.xTenantID)),
        Refused("0\r\nX-User_Roles: admin\r\n\r\n", .forbiddenTrailer(.xUserRoles)),
        Refused("0\r\nX.User.ID: u\r\n\r\n", .forbiddenTrailer(.xUserID)),
        Refused("0\r\nX.HTTP.Method: DELETE\r\n\r\n", .forbiddenTrailer(.methodOverride)),
        Refused("0\r\nContent.Length: 5\r\n\r\n", .variantSpelling(.contentLength)),
        Refused("0\r\nX-API-Key: k\r\n\r\n", .forbiddenTrailer(.xAPIKey)), Refused("0\r\nCookie: k\r\n\r\n", .forbiddenTrailer(.cookie)),
        Refused("0\r\nX-Original-URL: /admin\r\n\r\n", .forbiddenTrailer(.urlOverride)),
        Refused("0\r\nX-HTTP-Method: DELETE\r\n\r\n", .forbiddenTrailer(.methodOverride)),
        Refused("0\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n", .forbiddenTrailer(.xForwardedFor)),
        Refused("0\r\nConnection: close\r\n\r\n", .forbiddenTrailer(.connection)),
        Refused("0\r\nSet-Cookie: a\r\n\r\n", .forbiddenTrailer(.setCookie)),
    ]

    @Test("in chunks is refused with the same error wherever reads cut it", arguments: sizes + extensions + ends)
    func refused(message: Refused) {
        let bytes = latin1(message.text)
        #expect(readBody(bytes).error == message.error)
        for cuts in cuttings(of: bytes) { #expect(readBody(bytes, cuts: cuts).error == message.error, "cut at \(cuts)") }
    }

    @Test("in chunks may be followed by trailers")
    func trailers() {
        let bytes = latin1("1\r\nx\r\n0\r\nX-Sum:  a b \r\nServer-Timing: db\r\nDate: x\r\n\r\nGET")
        let whole = BodyOutcome.body("x", trailers: ["X-Sum: a b", "Server-Timing: db", "Date: x"], rest: "GET")
        #expect(readBody(bytes) == whole)
        for cuts in cuttings(of: bytes) { #expect(readBody(bytes, cuts: cuts) == whole, "cut at \(cuts)") }
    }

    @Test("of many tiny chunks passes, of many long extensions doesn't")
    func overhead() {
        let plain = String(repeating: "1\r\nx\r\n", count: 50_000)
        #expect(readBody(latin1(plain + "0\r\n\r\n")) == .body(String(repeating: "x", count: 50_000), trailers: [], rest: ""))
        let padded = String(repeating: "1;" + String(repeating: "a", count: 250) + "\r\nx\r\n", count: 100)
        #expect(readBody(latin1(padded + "0\r\n\r\n")).error == .chunkOverhead)
    }

    @Test("with a length ends after it, and what follows stays")
    func length() {
        #expect(readBody(latin1("helloGET"), .length(5)) == .body("hello", trailers: [], rest: "GET"))
        #expect(readBody(latin1("GET"), .length(0)) == .body("", trailers: [], rest: "GET"))
        #expect(readBody(latin1("GET"), .none) == .body("", trailers: [], rest: "GET"))
        #expect(readBody(latin1("hell"), .length(5)) == .unfinished("hell"))
        for cut in 1..<8 {
            #expect(readBody(latin1("helloGET"), .length(5), cuts: [cut]) == .body("hello", trailers: [], rest: "GET"))
        }
    }

    @Test("until close is all there is")
    func untilClose() throws {
        var decoder = BodyDecoder(.untilClose, limits: WireLimits())
        #expect(readBody(latin1("hello"), .untilClose) == .unfinished("hello"))
        try decoder.inputClosed()
        #expect(decoder.hasEnded)
    }

    @Test("that is cut off is truncated, for good", arguments: [BodyFraming.length(1), .chunked])
    func truncated(framing: BodyFraming) {
        var decoder = BodyDecoder(framing, limits: WireLimits())
        #expect(throws: WireError.truncated) { try decoder.inputClosed() }
        var input = latin1("0\r\n\r\n").buffer
        #expect(throws: WireError.truncated) { _ = try decoder.next(&input) }
        #expect(!decoder.hasEnded)
    }

    @Test("gives no second answer after an error, and nothing more after its end")
    func sticky() throws {
        var broken = BodyDecoder(.chunked, limits: WireLimits())
        var bad = latin1("x\r\n").buffer
        #expect(throws: WireError.malformedChunkSize) { _ = try broken.next(&bad) }
        var good = latin1("0\r\n\r\n").buffer
        #expect(throws: WireError.malformedChunkSize) { _ = try broken.next(&good) }

        var ended = BodyDecoder(.chunked, limits: WireLimits())
        _ = try ended.next(&good)
        var next = latin1("0\r\n\r\n").buffer
        _ = try ended.next(&next)
        #expect(next.readableBytes == 5 && ended.hasEnded)
    }

    @Test("read from chunks is a slice of what came, not a copy")
    func slices() throws {
        var decoder = BodyDecoder(.chunked, limits: WireLimits())
        var input = latin1("5\r\nhello\r\n").buffer
        let before = address(of: input)
        guard case .data(let piece) = try decoder.next(&input) else {
            Issue.record("no data")
            return
        }
        #expect(address(of: piece) == before + 3)
    }

    private func address(of buffer: ByteBuffer) -> UInt {
        // unsafe: the address is compared, not read.
        unsafe buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
    }
}
