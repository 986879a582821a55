import NIOCore
import Testing

@testable import HTTPWire

@Suite("Writing")
struct HeadWriterTests {
    private func written(_ write: (inout ByteBuffer) -> Void) -> String {
        var buffer = ByteBuffer()
        write(&buffer)
        return String(buffer: buffer)
    }

    @Test(
        "numbers",
        arguments: [
            (0, "0", "0"), (9, "9", "9"), (10, "10", "a"), (255, "255", "ff"), (Int.max, "9223372036854775807", "7fffffffffffffff"),
        ])
    func numbers(number: Int, decimal: String, hex: String) {
        #expect(written { $0.writeDecimal(number) } == decimal)
        #expect(written { $0.writeHex(number) } == hex)
    }

    @Test(
        "dates as IMF-fixdate",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"), (Int64.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ] as [(Int64, String)])
    func dates(seconds: Int64, text: String) {
        #expect(written { $0.writeHTTPDate(seconds) } == text)
    }

    @Test(
        "a field never makes two lines of one", arguments: ["a\r\nX: y", "a\nb", "a\rb", "a\u{00}", "a\u{7F}", " a", "a ", "\ta", "\u{0B}"])
    func splitting(value: String) {
        let bytes = latin1(value)
        var buffer = ByteBuffer()
        let isWritten = buffer.writeField("X", bytes.span)
        #expect(!isWritten)
        #expect(buffer.readableBytes == 0)
    }

    @Test("a field takes every other value", arguments: ["", "a", "a b\tc", "\u{80}\u{FF}", String(repeating: "x", count: 100)])
    func fields(value: String) {
        let bytes = latin1(value)
        var buffer = ByteBuffer()
        let isWritten = buffer.writeField("X", bytes.span)
        #expect(isWritten)
        #expect(Array(buffer.readableBytesView) == latin1("X: \(value)\r\n"))
    }

    @Test("status lines and literal fields")
    func literals() {
        #expect(written { $0.writeStatusLine(403) } == "HTTP/1.1 403 Forbidden\r\n")
        #expect(written { $0.writeStatusLine(299) } == "HTTP/1.1 299 \r\n")
        #expect(written { $0.writeField("A", "b") } == "A: b\r\n")
        #expect(written { $0.writeField("Content-Length", 12) } == "Content-Length: 12\r\n")
    }

    @Test("chunks that are read back")
    func chunks() {
        let text = written {
            ChunkEncoder.writeSize(26, into: &$0)
            _ = $0.writeString("abcdefghijklmnopqrstuvwxyz")
            ChunkEncoder.writeEnd(into: &$0)
            ChunkEncoder.writeLast(into: &$0)
        }
        #expect(readBody(latin1(text)) == .body("abcdefghijklmnopqrstuvwxyz", trailers: [], rest: ""))
    }

    @Test("the kept lines of a head, as they were received")
    func keptLines() {
        var parser = RequestParser(limits: WireLimits())
        var head = RequestHead()
        var input = latin1("GET / HTTP/1.1\r\nHost: a\r\nA:  1\r\nConnection: b\r\nB: 2\r\nc: 3 \r\nD: 4\r\n\r\n").buffer
        #expect(parser.parse(&input, into: &head) == .complete)
        #expect(written { $0.writeLines(of: head.message) { !$0.isHopByHop && $0.id != .host } } == "A:  1\r\nc: 3 \r\nD: 4\r\n")
        #expect(written { $0.writeLines(of: head.message) { _ in false } } == "")
        #expect(
            written { $0.writeLines(of: head.message) { _ in true } } == "Host: a\r\nA:  1\r\nConnection: b\r\nB: 2\r\nc: 3 \r\nD: 4\r\n")
    }

    @Test("trailers: the kept lines after the last chunk")
    func trailers() throws {
        var decoder = BodyDecoder(.chunked, limits: WireLimits())
        var input = latin1("0\r\nA: 1\r\nB: 2\r\n\r\n").buffer
        guard case .end(let trailers?) = try decoder.next(&input) else {
            Issue.record("no trailers")
            return
        }
        #expect(written { ChunkEncoder.writeLast(trailers: trailers, keeping: { $0.lineStart != 0 }, into: &$0) } == "0\r\nB: 2\r\n\r\n")
    }
}
