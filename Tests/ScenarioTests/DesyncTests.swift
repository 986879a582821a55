import Foundation
import TestSupport
import Testing

/// What a service sends unasked is nobody's answer: the connection that it comes on carries no other user's request.
@Suite("answers that nobody asked for", .serialized, .timed)
struct DesyncTests {
    /// A service whose every byte the test sends, behind a gateway of one loop.
    private final class Stand {
        let upstream: HandUpstream
        let gateway: Gateway
        private let folder: TemporaryFolder

        init(connections: Int = 256) throws {
            upstream = try HandUpstream()
            folder = try TemporaryFolder()
            var file = GatewayFile(jitsudo: upstream.port, rinne: upstream.port)
            file.threads = 1
            file.connections = connections
            file.more = ["probes: {address: 127.0.0.1:0}"]
            gateway = try Gateway(file: file.write(to: folder), in: folder)
        }

        /// Whose answer the client gets tells its path.
        static func request(_ path: String, method: String = "GET") -> [UInt8] {
            Array(TestSupport.request(method, path, token: GoodRequest.token, tenant: TestIssuers.acme).utf8)
        }

        static func answer(_ text: String) -> [UInt8] { Array("HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)".utf8) }

        /// Takes the next connection and answers the request on it.
        func serve(_ text: String) throws -> PlainStream {
            let stream = try #require(upstream.accept())
            _ = try HandUpstream.head(from: stream)
            try stream.send(Self.answer(text))
            return stream
        }
    }

    @Test("a second answer, at hand when the next request comes, ends the connection, and the request gets its own answer on another")
    func secondAnswer() throws {
        let stand = try Stand()
        let client = try stand.gateway.client()
        try client.stream.send(Stand.request("/v1/first"))
        let service = try stand.serve("first")
        #expect(try client.answer(to: "GET").text == "first")

        stand.gateway.process.pause()
        try client.stream.send(Stand.request("/v1/second"))
        try service.send(Stand.answer("nobody's"))
        stand.gateway.process.resume()

        let next = try stand.serve("second")
        #expect(try client.answer(to: "GET").text == "second")
        _ = next
    }

    @Test(
        "a body to HEAD, or behind a 304, however late it comes, is nobody's: the connection is not used again", arguments: [true, false])
    func withheldBody(isHead: Bool) throws {
        let stand = try Stand()
        let client = try stand.gateway.client()
        let method = isHead ? "HEAD" : "GET"
        try client.stream.send(Stand.request("/v1/first", method: method))
        let service = try #require(stand.upstream.accept())
        _ = try HandUpstream.head(from: service)
        try service.send(Array("HTTP/1.1 \(isHead ? "200 OK" : "304 Not Modified")\r\nContent-Length: 8\r\n\r\n".utf8))
        #expect(try client.answer(to: method).status == (isHead ? 200 : 304))
        try client.stream.send(Stand.request("/v1/second"))
        let next = try stand.serve("second")
        #expect(try client.answer(to: "GET").text == "second")
        #expect(try service.receive(seconds: 20) == .end(clean: true))
        _ = next
    }

    @Test("who waits for a connection doesn't get one on which more came with the last answer than belongs to it")
    func waiting() throws {
        let stand = try Stand(connections: 1)
        let (first, second) = (try stand.gateway.client(), try stand.gateway.client())
        try first.stream.send(Stand.request("/v1/first"))
        let service = try #require(stand.upstream.accept())
        _ = try HandUpstream.head(from: service)
        try second.stream.send(Stand.request("/v1/second"))
        while try stand.gateway.metrics()["tenantgate_upstream_waiting_requests{upstream=\"jitsudo\"}"] != 1 {}

        // As many bytes as are read at once are the answer, and what follows is left for the next time.
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 131000\r\nX-Fill: \(String(repeating: "x", count: 72 - 53))\r\n\r\n"
        try #require(head.utf8.count + 131000 == 128 * 1024)
        stand.gateway.process.pause()
        try service.send(Array(head.utf8) + Array(repeating: UInt8(ascii: "1"), count: 131000) + Stand.answer("nobody's"))
        stand.gateway.process.resume()

        #expect(try first.answer(to: "GET").body.count == 131000)
        let next = try stand.serve("second")
        #expect(try second.answer(to: "GET").text == "second")
        _ = next
    }

    @Test("a quiet connection is used again, and many who wait are all served, in their order")
    func inOrder() throws {
        let stand = try Stand(connections: 1)
        let clients = try (0..<5).map { _ in try stand.gateway.client() }
        try clients[0].stream.send(Stand.request("/v1/0"))
        let service = try #require(stand.upstream.accept())
        _ = try HandUpstream.head(from: service)
        for (index, client) in clients.enumerated().dropFirst() {
            try client.stream.send(Stand.request("/v1/\(index)"))
            while try stand.gateway.metrics()["tenantgate_upstream_waiting_requests{upstream=\"jitsudo\"}"] != Double(index) {}
        }
        for index in clients.indices {
            try service.send(Stand.answer("\(index)"))
            if index + 1 < clients.count { #expect(try HandUpstream.head(from: service).hasPrefix("GET /v1/\(index + 1) ")) }
        }
        for (index, client) in clients.enumerated() { #expect(try client.answer(to: "GET").text == "\(index)") }
    }
}
