import Testing

@testable import HTTPWire

/// An answer with these field lines.
private func ok(_ lines: String...) -> String { answer(200, lines) }

private func answer(_ status: Int, _ lines: [String]) -> String {
    (["HTTP/1.1 \(status) Some Reason"] + lines).joined(separator: "\r\n") + "\r\n\r\n"
}

/// One answer that passes, to which method, and how its body is delimited.
struct GoodAnswer: Sendable, CustomTestStringConvertible {
    let text: String
    let method: RequestMethod
    let framing: BodyFraming
    let keepAlive: Bool

    init(_ text: String, to method: RequestMethod = .get, _ framing: BodyFraming, keepAlive: Bool = true) {
        self.text = text
        self.method = method
        self.framing = framing
        self.keepAlive = keepAlive
    }

    var testDescription: String { String(text.prefix(90).debugDescription) }
}

@Suite("An answer's head")
struct ResponseParserTests {
    static let statusLines: [Refused] = [
        Refused("HTTP/1.1 200\rOK\r\n\r\n", .bareCR), Refused("HTTP/1.1 200 OK\n\n", .bareLF),
        Refused("HTTP/1.1 200 O\u{00}K\r\n\r\n", .controlCharacter), Refused("HTTP/1.1 200 O\u{7F}K\r\n\r\n", .controlCharacter),
        Refused("\r\nHTTP/1.1 200 OK\r\n\r\n", .malformedStatusLine), Refused(" HTTP/1.1 200 OK\r\n\r\n", .malformedStatusLine),
        Refused("HTTP/1.1  200 OK\r\n\r\n", .malformedStatusLine), Refused("HTTP/1.1\t200 OK\r\n\r\n", .malformedStatusLine),
        Refused("HTTP/1.1 200\tOK\r\n\r\n", .malformedStatusLine), Refused("HTTP/1.1 2000 OK\r\n\r\n", .malformedStatusLine),
        Refused("HTTP/1.1 20 OK\r\n\r\n", .malformedStatusLine), Refused("HTTP/1.1 20\r\n\r\n", .malformedStatusLine),
        Refused("HTTP/1.1 2x0 OK\r\n\r\n", .malformedStatusLine), Refused("HTTP/1.1 +20 OK\r\n\r\n", .malformedStatusLine),
        Refused("HTTP/1.1 \u{B2}00 OK\r\n\r\n", .malformedStatusLine), Refused("HTTP/1.1 099 OK\r\n\r\n", .malformedStatusLine),
        Refused("HTTP/1.1 000 OK\r\n\r\n", .malformedStatusLine), Refused("HTTP/1.1 600 OK\r\n\r\n", .malformedStatusLine),
        Refused("HTTP/1.1 999 OK\r\n\r\n", .malformedStatusLine), Refused("HTTP/1.1 200OK\r\n\r\n", .malformedStatusLine),
        Refused("HTTP/1.1\r\n\r\n", .malformedStatusLine), Refused("ICY 200 OK\r\n\r\n", .malformedStatusLine),
        Refused("http/1.1 200 OK\r\n\r\n", .malformedStatusLine), Refused("HTTP/11 200 OK\r\n\r\n", .malformedStatusLine),
        Refused("200 OK\r\n\r\n", .malformedStatusLine), Refused("<html>\r\n\r\n", .malformedStatusLine),
        Refused("HTTP/2.0 200 OK\r\n\r\n", .versionNotSupported), Refused("HTTP/0.9 200 OK\r\n\r\n", .versionNotSupported),
        Refused("HTTP/1.2 200 OK\r\n\r\n", .versionNotSupported), Refused("HTTP/3.1 200 OK\r\n\r\n", .versionNotSupported),
    ]

    static let framing: [Refused] = [
        Refused(ok("Content-Length: 5", "Transfer-Encoding: chunked"), .conflictingFraming),
        Refused(ok("Transfer-Encoding: chunked", "Content-Length: 5"), .conflictingFraming),
        Refused(ok("Content-Length: 5", "Content-Length: 5"), .duplicateHeader(.contentLength)),
        Refused(ok("Content-Length: 5", "Content-Length: 50"), .duplicateHeader(.contentLength)),
        Refused(ok("Content-Length: 5, 5"), .malformedContentLength), Refused(ok("Content-Length: +5"), .malformedContentLength),
        Refused(ok("Content-Length: -1"), .malformedContentLength), Refused(ok("Content-Length: 0x5"), .malformedContentLength),
        Refused(ok("Content-Length: 007"), .malformedContentLength), Refused(ok("Content-Length:"), .malformedContentLength),
        Refused(ok("Content-Length: 5 bytes"), .malformedContentLength), Refused(ok("Content-Length: 1e9"), .malformedContentLength),
        Refused(ok("Content-Length: 9223372036854775808"), .malformedContentLength),
        Refused(ok("Content-Length : 5"), .malformedFieldName), Refused(ok("Content_Length: 5"), .variantSpelling(.contentLength)),
        Refused(ok("Transfer-Encoding: gzip, chunked"), .unknownTransferCoding),
        Refused(ok("Transfer-Encoding: gzip"), .unknownTransferCoding),
        Refused(ok("Transfer-Encoding: identity"), .unknownTransferCoding),
        Refused(ok("Transfer-Encoding: chunked, identity"), .unknownTransferCoding),
        Refused(ok("Transfer-Encoding: xchunked"), .unknownTransferCoding), Refused(ok("Transfer-Encoding:"), .malformedTransferEncoding),
        Refused(ok("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), .duplicateHeader(.transferEncoding)),
        Refused(ok("Transfer-Encoding: \u{0B}chunked"), .controlCharacter),
        Refused(ok("Transfer_Encoding: chunked"), .variantSpelling(.transferEncoding)),
        Refused(ok("Content.Length: 5"), .variantSpelling(.contentLength)),
        Refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .forbiddenFraming(.transferEncoding)),
        Refused(answer(204, ["Content-Length: 5"]), .forbiddenFraming(.contentLength)),
        Refused(answer(204, ["Transfer-Encoding: chunked"]), .forbiddenFraming(.transferEncoding)),
        Refused(answer(100, ["Content-Length: 5"]), .forbiddenFraming(.contentLength)),
        Refused(answer(103, ["Transfer-Encoding: chunked"]), .forbiddenFraming(.transferEncoding)),
        Refused(answer(304, ["Content-Length: x"]), .malformedContentLength),
        Refused(answer(304, ["Content-Length: 5", "Transfer-Encoding: chunked"]), .conflictingFraming),
        Refused(answer(101, ["Upgrade: websocket", "Connection: upgrade"]), .unexpectedUpgrade),
        Refused(ok("Connection: Content-Length", "Content-Length: 5"), .connectionNames(.contentLength)),
    ]

    static let lines: [Refused] = [
        Refused(ok("Location: /a\r\rSet-Cookie: x"), .bareCR), Refused(ok("Location: /a\nSet-Cookie: x"), .bareLF),
        Refused(ok("X: a\u{00}"), .controlCharacter), Refused(ok("X: \u{1B}"), .controlCharacter), Refused(ok("X: a", " b"), .foldedLine),
        Refused(ok("X: a", "\tb"), .foldedLine), Refused(ok("X"), .missingColon), Refused(ok("X : a"), .malformedFieldName),
        Refused(ok(": a"), .malformedFieldName), Refused(ok("X Y: a"), .malformedFieldName), Refused(ok("X\u{E9}: a"), .malformedFieldName),
        Refused(ok("<html>"), .missingColon), Refused(ok("Content-Type: a/b", "Content-Type: text/html"), .duplicateHeader(.contentType)),
        Refused(ok("Location: /a", "Location: //evil"), .duplicateHeader(.location)), Refused(ok("Connection: a b"), .malformedConnection),
        Refused(ok("X: " + String(repeating: "a", count: 33_000)), .headersTooLarge),
        Refused("HTTP/1.1 200 " + String(repeating: "a", count: 33_000), .headersTooLarge),
    ]

    @Test("is refused with the same error wherever reads cut it", arguments: statusLines + framing + lines)
    func refused(message: Refused) {
        let bytes = latin1(message.text)
        #expect(readAnswer(bytes).error == message.error)
        for cuts in cuttings(of: bytes) { #expect(readAnswer(bytes, cuts: cuts).error == message.error, "cut at \(cuts)") }
    }

    @Test("is refused in at least sixty ways")
    func enough() {
        #expect(Self.statusLines.count + Self.framing.count + Self.lines.count >= 80)
    }

    static let good: [GoodAnswer] = [
        GoodAnswer(ok("Content-Length: 5"), .length(5)), GoodAnswer(ok("Content-Length: 0"), .length(0)),
        GoodAnswer(ok("Transfer-Encoding: Chunked"), .chunked), GoodAnswer(ok(), .untilClose, keepAlive: false),
        GoodAnswer("HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n", .length(1)),
        GoodAnswer("HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", .length(1)),
        GoodAnswer("HTTP/1.1 299 a\tb \u{FC}\r\nContent-Length: 1\r\n\r\n", .length(1)),
        GoodAnswer("HTTP/1.1 599  x\r\nContent-Length: 1\r\n\r\n", .length(1)),
        GoodAnswer("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n", .length(1), keepAlive: false),
        GoodAnswer("HTTP/1.0 200 OK\r\n\r\n", .untilClose, keepAlive: false),
        GoodAnswer(ok("Content-Length: 5", "Connection: close"), .length(5), keepAlive: false),
        GoodAnswer(ok("Content-Length: 5"), to: .head, .none), GoodAnswer(ok("Transfer-Encoding: chunked"), to: .head, .none),
        GoodAnswer(ok(), to: .head, .none), GoodAnswer(answer(304, ["Content-Length: 5"]), .none), GoodAnswer(answer(304, []), .none),
        GoodAnswer(answer(304, ["Transfer-Encoding: chunked"]), .none), GoodAnswer(answer(204, []), .none),
        GoodAnswer(answer(204, ["Content-Length: 0"]), .none), GoodAnswer(answer(100, []), .none),
        GoodAnswer(answer(103, ["Link: </a>"]), .none),
        GoodAnswer(answer(205, ["Content-Length: 0"]), .length(0)), GoodAnswer(answer(404, ["Content-Length: 3"]), .length(3)),
        GoodAnswer(ok("Set-Cookie: a", "Set-Cookie: b", "Vary: a", "Vary: b", "Content-Length: 0"), .length(0)),
        GoodAnswer(ok("X: \u{80}", "Y:", "Content-Length: 0"), .length(0)),
    ]

    @Test("means the same wherever reads cut it", arguments: good)
    func passes(message: GoodAnswer) throws {
        let bytes = latin1(message.text + "HTTP/")
        let whole = readAnswer(bytes, to: message.method)
        let reading = try #require(whole.reading)
        #expect(reading.framing == message.framing)
        #expect(reading.keepAlive == message.keepAlive)
        for cuts in cuttings(of: bytes) { #expect(readAnswer(bytes, cuts: cuts, to: message.method) == whole, "cut at \(cuts)") }
    }

    @Test("gives status and reason")
    func statusAndReason() {
        #expect(readAnswer(latin1("HTTP/1.1 404 Not  Found \r\n\r\n")).reading?.start == ["404", "Not  Found "])
        #expect(readAnswer(latin1("HTTP/1.1 404 \r\n\r\n")).reading?.start == ["404", ""])
        #expect(readAnswer(latin1("HTTP/1.1 404\r\n\r\n")).reading?.start == ["404", ""])
    }

    @Test("may switch protocols if that was asked for, and the connection isn't HTTP's any more")
    func switching() throws {
        let reading = try #require(readAnswer(latin1("HTTP/1.1 101 x\r\nUpgrade: y\r\n\r\n"), upgradeRequested: true).reading)
        #expect(!reading.keepAlive && reading.flags == [false] && reading.framing == .none)
    }

    @Test("may come after interim ones, of which there is a bound")
    func interim() {
        #expect(interimAnswers(count: 16) == .complete)
        #expect(interimAnswers(count: 17) == .failed(.tooManyInterimAnswers))
    }

    private func interimAnswers(count: Int) -> ParseStep {
        var parser = ResponseParser(limits: WireLimits())
        var head = ResponseHead()
        let interim = String(repeating: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", count: count)
        var input = latin1(interim + "HTTP/1.1 204 No Content\r\n\r\n").buffer
        var step = ParseStep.complete
        repeat { step = parser.parse(&input, into: &head, answering: .get) } while step == .complete && head.isInterim
        return step
    }
}
