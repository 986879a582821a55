import Foundation
import Glibc
import TestSupport
import Testing

/// Clients that move a body too slowly hold up nobody: they lose it, and the service's connections are for the others meanwhile.
@Suite("slow bodies", .serialized, .timed)
struct SlowBodyTests {
    private static let short = ["timeouts: {body_grace: 500ms}"]
    private static let page = Array(GoodRequest.target("/v1/page").utf8)

    /// Sends a byte ten times a second until something comes back; how many bytes that took, at most `most`.
    private func drip(_ stream: any ByteStream, most: Int = 100, _ byte: (Int) -> [UInt8]) throws -> Int {
        for count in 0..<most {
            do { try stream.send(byte(count)) } catch StreamError.closed { return count }
            var request = pollfd(fd: -1, events: 0, revents: 0)
            _ = unsafe poll(&request, 1, 100)
        }
        return most
    }

    @Test("a small body that comes too slowly never reaches the service: 408, and the connection ends")
    func small() throws {
        let bench = try Bench { $0.more = Self.short }
        let client = try bench.gateway.client()
        let start = Date.now
        try client.stream.send(Array(GoodRequest.post(["Content-Length: 8192"], "").utf8))
        let sender = client.stream
        #expect(try drip(sender, most: 8) { _ in [65] } == 8)
        let answer = try client.answer(to: "POST")
        #expect(answer.status == 408 && answer.gatewayCode == "request_timeout")
        #expect((0.5..<3).contains(-start.timeIntervalSinceNow))
        #expect(try client.end(within: 5) != nil)
        #expect(bench.upstream.connections.accepted == 0, "the service was not troubled")
    }

    @Test(
        "a large or chunked body that comes too slowly is 408, and its service is let go",
        arguments: ["Content-Length: 100000", "Transfer-Encoding: chunked"])
    func large(framing: String) throws {
        let bench = try Bench { $0.more = Self.short }
        let client = try bench.gateway.client()
        try client.stream.send(Array(GoodRequest.post([framing], "").utf8))
        #expect(bench.upstream.wait { $0.connections.accepted == 1 }, "it streams")
        #expect(try client.answer(to: "POST").gatewayCode == "request_timeout")
        #expect(try client.end(within: 5) != nil)
        #expect(bench.upstream.wait { $0.connections.open == 0 })
        #expect(bench.upstream.received == 0)
    }

    @Test("over HTTP/2 the stream alone is answered", arguments: [8192, nil])
    func stream(length: Int?) throws {
        let bench = try Bench { $0.more = Self.short }
        let client = try HTTP2Client(port: bench.gateway.port)
        let field = length.map { [HTTP2Field("content-length", "\($0)")] } ?? []
        let slow = try client.begin(GoodStream.fields("POST", "/v1/page", field), end: false)
        try client.send(.data(slow, [65], end: false))
        try client.wait { $0.answers[slow]?.reset != nil }
        #expect(client.answers[slow]?.gatewayCode == "request_timeout" && client.answers[slow]?.status == 408)
        #expect(client.answers[slow]?.reset == HTTP2Codes.noError)
        #expect(try client.exchange(GoodStream.fields()).status == 200)
    }

    @Test("an HTTP/2 client that sends one body after the other is slow with none")
    func oneAfterTheOther() throws {
        let bench = try Bench { $0.more = Self.short }
        let client = try HTTP2Client(port: bench.gateway.port)
        let streams = try (0..<3).map { _ in try client.begin(GoodStream.fields("POST"), end: false) }
        // Three times 0.8 s at 5 KB/s: the last body waits for longer than the grace.
        for id in streams {
            #expect(try drip(client.stream, most: 8) { HTTP2Frame.data(id, Array(repeating: 65, count: 500), end: $0 == 7).bytes } == 8)
        }
        for id in streams { #expect(try client.answer(on: id).status == 200) }
    }

    @Test(
        "a client that sends as fast as it must goes on, however long that takes",
        arguments: ["Content-Length: 3000", "Content-Length: 30000"])
    func inTime(length: String) throws {
        let bench = try Bench { $0.more = Self.short }
        let client = try bench.gateway.client()
        try client.stream.send(Array(GoodRequest.post([length], "").utf8))
        let piece = length.hasSuffix("30000") ? 1000 : 100
        #expect(try drip(client.stream, most: 30) { _ in Array(repeating: 65, count: piece) } == 30)
        #expect(try client.answer(to: "POST").status == 200)
    }

    @Test("who waits for the service is not slow: it reads late, or asks for the body late")
    func lateService() throws {
        let (listener, port) = try listeningSocket()
        defer { _ = close(listener) }
        let bench = try Bench {
            $0.jitsudoPort = port
            $0.more = Self.short
        }
        let client = try bench.gateway.client()
        try client.stream.send(Array(GoodRequest.post(["Content-Length: 8388608"], "").utf8))
        let isSent = TestGate()
        let stream = client.stream
        nonisolated(unsafe) let sender = stream
        _ = TestThread {
            try? unsafe sender.send([UInt8](repeating: 65, count: 8 << 20))
            isSent.open()
        }
        // Twice the grace: what the gateway has room for is there, and it takes no more.
        _ = poll(nil, 0, 1500)
        let service = PlainStream(descriptor: accept(listener, nil, nil))
        var count = 0
        while count < 8 << 20, case .bytes(let bytes) = try service.receive(seconds: 10) { count += bytes.count }
        #expect(count >= 8 << 20)
        try service.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8))
        isSent.wait()
        #expect(try client.answer(to: "POST").status == 200)
        // Nobody has said 100 yet.
        let other = try bench.gateway.client()
        try other.stream.send(Array(GoodRequest.post(["Content-Length: 5", "Expect: 100-continue"], "").utf8))
        #expect(try other.stream.receive(seconds: 1.5) == .nothingYet)
    }

    @Test("unfinished uploads leave half of the service's connections to others, and the one that sends goes first")
    func halfForOthers() throws {
        let bench = try Bench {
            $0.threads = 1
            $0.connections = 2
        }
        let uploads = try (0..<6).map { _ in
            let client = try bench.gateway.client()
            try client.stream.send(Array(GoodRequest.chunked("5\r\nhello\r\n").utf8))
            return client
        }
        for _ in 0..<20 { #expect(try bench.ask(Self.page).status == 200) }
        #expect(try bench.ask(Array(GoodRequest.post(["Content-Length: 2"], "hi").utf8)).status == 200, "a body that is there whole")
        #expect(bench.upstream.connections.accepted <= 2)
        // The fourth has more to show than those before it.
        try uploads[3].stream.send(Array(("400\r\n" + String(repeating: "x", count: 1024) + "\r\n0\r\n\r\n").utf8))
        #expect(try bench.ask(Self.page).status == 200)
        try uploads[0].stream.send(Array("0\r\n\r\n".utf8))
        #expect(try uploads[0].answer(to: "POST").status == 200)
        #expect(try uploads[3].answer(to: "POST").status == 200)
        for client in uploads where client !== uploads[0] && client !== uploads[3] {
            try client.stream.send(Array("0\r\n\r\n".utf8))
        }
        for client in uploads where client !== uploads[0] && client !== uploads[3] { #expect(try client.answer(to: "POST").status == 200) }
    }

    @Test("an answer that its client takes too slowly is broken off, one taken in time is not")
    func slowReader() throws {
        let bench = try Bench {
            $0.threads = 1
            $0.listeners = ["- {address: \"127.0.0.1:0\", tls: off}"]
            $0.more = ["limits: {body_rate: 100KiB}", "timeouts: {body: 2s}"]
        }
        let port = try bench.gateway.plainPort()
        let block = [UInt8](repeating: 66, count: 1 << 20)
        bench.upstream.answer { request in
            guard request.method == "GET" else { return [.text("HTTP/1.1 200 OK\r\n\r\n")] }
            return [.text("HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n")] + (0..<32).map { _ in .send(block) }
        }
        // With the service's connection, which is kept, and this one.
        let first = try bench.gateway.client()
        #expect(try first.exchange(GoodRequest.target("/v1/page", method: "HEAD")).status == 200)
        let descriptors = bench.gateway.process.descriptorCount
        /// Reads so many bytes a second, in little memory, for 8 seconds; how long the gateway kept the connection, whatever the kernel
        /// still had of it. What this thread came too late for it reads at once.
        func read(_ rate: Int) throws -> Double {
            let stream = try PlainStream(port: port)
            var size: Int32 = 4096
            _ = unsafe setsockopt(stream.descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4)
            try stream.send(Array(GoodRequest.target("/v1/large").utf8))
            let start = Date.now
            var bytes = [UInt8](repeating: 0, count: 16_384)
            var taken = 0
            while -start.timeIntervalSinceNow < 8, taken == 0 || bench.gateway.process.descriptorCount > descriptors {
                let due = Int(-start.timeIntervalSinceNow * Double(rate)) - taken
                var request = pollfd(fd: stream.descriptor, events: Int16(POLLIN), revents: 0)
                guard due > 0, unsafe poll(&request, 1, 500) > 0 else {
                    _ = poll(nil, 0, 20)
                    continue
                }
                let count = unsafe recv(stream.descriptor, &bytes, min(due, bytes.count), 0)
                if count <= 0 { break }
                taken += count
            }
            return -start.timeIntervalSinceNow
        }
        #expect(try (1.9..<6).contains(read(10_000)))
        #expect(try read(500_000) >= 8)
        first.stream.close()
    }

    @Test("what is left of an answer that the gateway has whole is not kept for who doesn't take it")
    func leftovers() throws {
        let bench = try Bench {
            $0.threads = 1
            $0.upstreamKeys = ["keepalive: 100ms"]
            $0.more = ["timeouts: {body: 1s}"]
        }
        bench.upstream.answer { request in
            let count = request.target.split(separator: "/").last.flatMap { Int($0) } ?? 0
            return [.text("HTTP/1.1 200 OK\r\nContent-Length: \(count)\r\n\r\n"), .send(Array(repeating: 66, count: count))]
        }
        let first = try bench.gateway.client()
        #expect(try first.exchange(GoodRequest.target("/v1/0")).status == 200)
        #expect(bench.upstream.wait { $0.connections.open == 0 })
        let process = bench.gateway.process
        let descriptors = process.descriptorCount
        // How much the kernel takes nobody knows: steps smaller than what the gateway holds, so that some answers end there.
        let sizes = (1...64).map { $0 << 16 }
        let clients = try sizes.map { size in
            let client = try bench.gateway.client()
            try client.stream.send(Array(GoodRequest.target("/v1/\(size)").utf8))
            return client
        }
        #expect(bench.upstream.wait { _ in bench.gateway.accessLog.count == 1 + sizes.count }, "every exchange ends, one way or the other")
        let whole = bench.gateway.accessLog.filter { $0["code"] as? String == "-" }.count - 1
        #expect(
            bench.upstream.wait { _ in process.descriptorCount - descriptors < whole },
            "\(whole) whole answers, \(process.descriptorCount - descriptors) connections")
        for client in clients + [first] { client.stream.close() }
    }

    @Test("who takes nothing gives way within little more than a second when others wait for its connection")
    func underPressure() throws {
        let bench = try Bench {
            $0.threads = 1
            $0.connections = 1
        }
        let block = [UInt8](repeating: 66, count: 1 << 20)
        bench.upstream.answer { request in
            guard request.target == "/v1/large" else { return [.json("{}")] }
            return [.text("HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n")] + (0..<32).map { _ in .send(block) }
        }
        let deaf = try bench.gateway.client()
        try deaf.stream.send(Array(GoodRequest.target("/v1/large").utf8))
        #expect(bench.upstream.wait { $0.received == 1 })
        let start = Date.now
        #expect(try bench.ask(Self.page).status == 200)
        #expect(-start.timeIntervalSinceNow < 3)
        // Longer alone than the grace under pressure.
        let patient = try bench.gateway.client()
        try patient.stream.send(Array(GoodRequest.target("/v1/large").utf8))
        _ = poll(nil, 0, 2000)
        #expect(try patient.answer(to: "GET").body.count == 32 << 20)
    }

    @Test("a WebSocket that says little is no slow body")
    func quietTunnel() throws {
        let bench = try Bench { $0.more = Self.short }
        bench.upstream.answer { _ in [.text(WebSocketOpening.switching), .hang] }
        let peer = try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text("/v1/live", GoodRequest.identity))
        #expect(peer.isOpen)
        #expect(throws: StreamError.timedOut) { try peer.next(within: 2) }
    }
}
