import Foundation
import TestSupport
import Testing

/// Bodies, trailers and interim answers over HTTP/2: whole, in order, and held up where somebody doesn't take them.
@Suite("HTTP/2 bodies", .serialized, .timed)
struct HTTP2BodyTests {
    private static func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }

    @Test("an upload of 8 MiB arrives byte for byte", arguments: [true, false])
    func upload(hasLength: Bool) throws {
        let bench = try Bench()
        let body = Self.pattern(8 << 20)
        let client = try HTTP2Client(port: bench.gateway.port)
        let length = hasLength ? [HTTP2Field("content-length", "\(body.count)")] : []
        let id = try client.begin(GoodStream.fields("POST", "/v1/page", length), end: false)
        try client.upload(body, on: id)
        #expect(try client.answer(on: id).status == 200)
        let reached = try #require(bench.upstream.takeRequests().first)
        #expect(reached.content == body)
        #expect(reached.field("transfer-encoding") == (hasLength ? nil : "chunked"))
    }

    @Test(
        "a download of 8 MiB arrives byte for byte",
        arguments: ["Content-Length: 8388608", "Transfer-Encoding: chunked", "Connection: close"])
    func download(_ framing: String) throws {
        let bench = try Bench()
        let body = Self.pattern(8 << 20)
        let isChunked = framing.contains("chunked")
        bench.upstream.answer { _ in
            let pieces: [UpstreamStep] = stride(from: 0, to: body.count, by: 100_000).map { start in
                let piece = Array(body[start..<min(start + 100_000, body.count)])
                return .send(isChunked ? Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8) : piece)
            }
            return [.text("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n")] + pieces + (isChunked ? [.text("0\r\n\r\n")] : [.close])
        }
        let client = try HTTP2Client(port: bench.gateway.port)
        let answer = try client.exchange(GoodStream.fields())
        #expect(answer.status == 200 && answer.isWhole && answer.reset == nil)
        #expect(answer.body == body)
        #expect(answer.field("content-length") == (framing.hasPrefix("Content-Length") ? "8388608" : nil))
        #expect(answer.field("transfer-encoding") == nil && answer.field("connection") == nil)
    }

    @Test("many streams at once each get their own bytes, also through windows of 2000 bytes")
    func interleaved() throws {
        let bench = try Bench()
        bench.upstream.answer { request in
            let letter = request.target.utf8.last ?? 0
            return [.text("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"), .send(Array(repeating: letter, count: 5000))]
        }
        let client = try HTTP2Client(port: bench.gateway.port, settings: [(4, 2000)])
        let letters = (0..<20).map { UInt8(ascii: "a") + UInt8($0) }
        let ids = try letters.map { try client.begin(GoodStream.fields("GET", "/v1/" + String(UnicodeScalar($0)))) }
        for (letter, id) in zip(letters, ids) { #expect(try client.answer(on: id).body == Array(repeating: letter, count: 5000)) }
    }

    @Test("trailers pass in both directions")
    func trailers() throws {
        let bench = try Bench()
        bench.upstream.answer { _ in
            [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 42\r\n\r\n")]
        }
        let client = try HTTP2Client(port: bench.gateway.port)
        try client.send(GoodStream.post(), .data(1, Array("hello".utf8), end: false), .headers(1, [HTTP2Field("x-check", "7")]))
        let answer = try client.answer(on: 1)
        #expect(answer.body == Array("hi".utf8) && answer.isWhole)
        #expect(answer.trailers.map(\.name) == ["x-sum"] && answer.trailers.first?.value == "42")
        let reached = try #require(bench.upstream.takeRequests().first)
        #expect(reached.bodyText.hasSuffix("0\r\nx-check: 7\r\n\r\n"))
    }

    @Test("HEAD, 204 and 304 have no body and leave the connection in order")
    func bodiless() throws {
        let bench = try Bench()
        bench.upstream.answer { request in
            switch request.target {
            case "/v1/204": [.text("HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n")]
            case "/v1/304": [.text("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n")]
            case "/v1/empty": [.text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]
            default: [.text("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")]
            }
        }
        let client = try HTTP2Client(port: bench.gateway.port)
        for (method, path, status, length) in [
            ("HEAD", "/v1/page", 200, "7"), ("GET", "/v1/204", 204, nil), ("GET", "/v1/304", 304, "7"), ("GET", "/v1/empty", 200, "0"),
            ("HEAD", "/nowhere", 404, "92"),
        ] {
            let answer = try client.exchange(GoodStream.fields(method, path))
            #expect(answer.status == status && answer.body.isEmpty && answer.isWhole && answer.reset == nil, "\(path)")
            if path != "/nowhere" { #expect(answer.field("content-length") == length, "\(path)") }
        }
    }

    @Test("an answer with as many fields as may be passes on a route with CORS, too", arguments: [100, 124, 127, 128])
    func manyFields(count: Int) throws {
        let bench = try Bench {
            $0.routes = ["- {path: /v1/open/**, upstream: jitsudo, cors: {origins: [\"https://app.example\"]}}"]
        }
        let fields = (0..<count - 1).map { "X-Own-\($0): \($0)\r\n" }.joined()
        bench.upstream.answer { _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\(fields)\r\nok")] }
        let client = try HTTP2Client(port: bench.gateway.port)
        let answer = try client.exchange(GoodStream.fields("GET", "/v1/open/x", [HTTP2Field("origin", "https://app.example")]))
        #expect(answer.status == 200 && answer.isWhole && answer.reset == nil)
        #expect(answer.field("x-own-\(count - 2)") == "\(count - 2)" && answer.field("access-control-allow-origin") != nil)
    }

    @Test("interim answers pass, and 100 only where it was asked for")
    func interim() throws {
        let bench = try Bench()
        bench.upstream.answer { _ in
            [.text("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\n\r\n"), .json("{}")]
        }
        let client = try HTTP2Client(port: bench.gateway.port)
        #expect(try client.exchange(GoodStream.fields()).interim == [103])
        try client.send(GoodStream.headers(3, [HTTP2Field("expect", "100-continue"), HTTP2Field("content-length", "5")]))
        try client.wait { $0.answers[3]?.interim.contains(100) == true }
        try client.send(.data(3, Array("hello".utf8)))
        let answer = try client.answer(on: 3)
        #expect(answer.status == 200 && answer.interim == [100, 103])
    }

    @Test("an early answer ends the upload without an error")
    func early() throws {
        let bench = try Bench()
        let client = try HTTP2Client(port: bench.gateway.port)
        try client.send(.headers(1, GoodStream.pseudo("POST", "/v1/page"), end: false))
        let answer = try client.answer(on: 1)
        #expect(answer.gatewayCode == "unauthenticated" && answer.isWhole)
        try client.wait { $0.answers[1]?.reset != nil }
        #expect(client.answers[1]?.reset == HTTP2Codes.noError)
        // What was on its way is no error.
        try client.send(.data(1, Array(repeating: 65, count: 10_000)))
        #expect(try client.exchange(on: 3, GoodStream.fields()).status == 200)
    }

    @Test("a body over the route's bound is refused, and the request that was begun is broken off")
    func tooLarge() throws {
        let bench = try Bench { $0.more = ["limits: {body: 100KiB}"] }
        let client = try HTTP2Client(port: bench.gateway.port)
        let id = try client.begin(GoodStream.fields("POST"), end: false)
        try? client.upload(Self.pattern(200 << 10), on: id)
        #expect(try client.answer(on: id).gatewayCode == "body_too_large")
        #expect(client.settle())
        #expect(bench.upstream.takeRequests().isEmpty)
    }

    @Test("an answer that the service breaks off is no whole one", arguments: ["Content-Length: 100", "Transfer-Encoding: chunked"])
    func brokenOff(_ framing: String) throws {
        let bench = try Bench()
        bench.upstream.answer { _ in [.text("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n64\r\npart"), .close] }
        let client = try HTTP2Client(port: bench.gateway.port)
        let answer = try client.exchange(GoodStream.fields())
        #expect(answer.status == 200 && !answer.isWhole && answer.reset == HTTP2Codes.internalError)
        #expect(client.settle())
        client.stream.close()
        bench.gateway.process.terminate()
        #expect(bench.gateway.accessLog.first?["code"] as? String == "upstream_aborted")
    }
}
