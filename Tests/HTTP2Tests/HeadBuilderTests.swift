import NIOCore
import Testing

@testable import HTTP2

/// Header blocks as HTTP/1.1 heads: what is written, and what is not.
@Suite("HTTP/2 heads")
struct HeadBuilderTests {
    typealias Fields = [(String, String)]

    private static let get: Fields = [(":method", "GET"), (":scheme", "https"), (":authority", "a.test"), (":path", "/x?y")]

    /// The head of a request, or why there is none.
    private func head(_ fields: Fields, isEnded: Bool = true, limit: Int = 1000) -> (text: String, fault: HTTP2Fault?) {
        var builder = HeadBuilder()
        builder.beginRequest(limit: limit, target: 100)
        return finish(&builder, fields, isEnded)
    }

    private func finish(_ builder: inout HeadBuilder, _ fields: Fields, _ isEnded: Bool) -> (text: String, fault: HTTP2Fault?) {
        for (name, value) in fields { builder.add(Array(name.utf8).span, Array(value.utf8).span) }
        builder.finish(isEnded: isEnded)
        return (String(decoding: builder.take().readableBytesView, as: UTF8.self), builder.fault)
    }

    @Test("a request is a request line, Host and its fields in order")
    func request() {
        let made = head(Self.get + [("accept", "*/*"), ("x-a", "")])
        #expect(made.text == "GET /x?y HTTP/1.1\r\nhost: a.test\r\naccept: */*\r\nx-a: \r\n\r\n")
        #expect(made.fault == nil)
    }

    @Test("a body without a length is chunked, one with a length keeps it")
    func framing() {
        #expect(head(Self.get, isEnded: false).text.hasSuffix("\r\ntransfer-encoding: chunked\r\n\r\n"))
        #expect(head(Self.get + [("content-length", "5")], isEnded: false).text.hasSuffix("\r\ncontent-length: 5\r\n\r\n"))
        #expect(!head(Self.get).text.contains("transfer-encoding"))
    }

    @Test("host that says the same is not sent twice; without :authority it is the host")
    func host() {
        #expect(head(Self.get + [("host", "A.test")]).text == "GET /x?y HTTP/1.1\r\nhost: a.test\r\n\r\n")
        #expect(head(Self.get + [("host", "b.test")]).fault == .malformed)
        #expect(head([Self.get[0], Self.get[1], Self.get[3], ("host", "b.test")]).text == "GET /x?y HTTP/1.1\r\nhost: b.test\r\n\r\n")
    }

    @Test("crumbs of a cookie are one field")
    func cookies() {
        #expect(head(Self.get + [("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")]).text.hasSuffix("x: y\r\ncookie: a=1; b=2\r\n\r\n"))
    }

    @Test("a head's bound counts what would be sent", arguments: [46, 59, 60, 61, 62, 100])
    func limit(_ limit: Int) {
        let fields = Self.get + [("x-large", "123456789012345")]
        let size = head(fields).text.utf8.count
        #expect(size == 61)
        #expect(head(fields, limit: limit).fault == (limit < size ? .headersTooLarge : nil))
    }

    @Test("a path's bound has its own answer")
    func target() {
        var fields = Self.get
        fields[3].1 = "/" + String(repeating: "x", count: 99)
        #expect(head(fields).fault == nil)
        fields[3].1 += "x"
        #expect(head(fields).fault == .uriTooLong)
    }

    @Test("every byte that is no part of a token is refused in a name, in the order of RFC 9110 §5.6.2")
    func names() {
        let allowed = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz".utf8)
        for byte in UInt8.min...UInt8.max {
            var builder = HeadBuilder()
            builder.beginRequest(limit: 1000, target: 100)
            for (name, value) in Self.get { builder.add(Array(name.utf8).span, Array(value.utf8).span) }
            builder.add([0x78, byte].span, [0x79].span)
            builder.finish(isEnded: true)
            #expect(builder.fault == (allowed.contains(byte) ? nil : .malformed), "\(byte)")
        }
    }

    @Test("a value may not hold CR, LF or NUL anywhere, nor blanks at its ends")
    func values() {
        for byte in UInt8.min...UInt8.max {
            for (place, value) in [[byte, 65, 66], [65, byte, 66], [65, 66, byte]].enumerated() {
                var builder = HeadBuilder()
                builder.beginRequest(limit: 1000, target: 100)
                for (name, value) in Self.get { builder.add(Array(name.utf8).span, Array(value.utf8).span) }
                builder.add([0x78].span, value.span)
                builder.finish(isEnded: true)
                let breaks = [0, 10, 13].contains(byte) || (place != 1 && [9, 32].contains(byte))
                #expect(builder.fault == (breaks ? .malformed : nil), "\(byte) at \(place)")
                let text = Array(builder.take().readableBytesView)
                #expect(breaks || text.count(where: { $0 == 10 }) == 4)
            }
        }
    }

    @Test("trailers are the end of a chunked body, and hold no pseudo-field")
    func trailers() {
        var builder = HeadBuilder()
        builder.beginTrailers(limit: 100)
        let good = finish(&builder, [("x-sum", "1")], true)
        #expect(good.text == "0\r\nx-sum: 1\r\n\r\n")
        builder.beginTrailers(limit: 100)
        let pseudo = finish(&builder, [(":path", "/")], true)
        #expect(pseudo.fault == .malformed)
        builder.beginTrailers(limit: 100)
        let large = finish(&builder, [("x", String(repeating: "y", count: 100))], true)
        #expect(large.fault == .headersTooLarge)
    }

    @Test("a builder that has failed begins anew")
    func again() {
        var builder = HeadBuilder()
        builder.beginRequest(limit: 1000, target: 100)
        let bad = finish(&builder, [("Bad", "1")], true)
        #expect(bad.fault == .malformed)
        builder.beginRequest(limit: 1000, target: 100)
        let good = finish(&builder, Self.get, true)
        #expect(good.text == "GET /x?y HTTP/1.1\r\nhost: a.test\r\n\r\n")
        #expect(builder.fault == nil && builder.declaredLength == -1)
    }
}
