import Foundation
import Glibc
import TestSupport
import Testing

/// Peers that send and don't read, or end in the middle: they cost bounded memory and hold up nobody else, and what was cut off never
/// passes for whole.
@Suite("slow and broken peers", .serialized, .timed)
struct SlowPeerTests {
    private static let refused = Array("GET /nowhere HTTP/1.1\r\nHost: gateway.test\r\n\r\n".utf8)

    /// A gateway with a plain listener beside the one for TLS.
    private struct Stand {
        let bench: Bench
        let plainPort: Int

        init(_ edit: (inout GatewayFile) -> Void = { _ in }) throws {
            bench = try Bench { file in
                file.listeners = ["- {address: \"127.0.0.1:0\", tls: off}"]
                edit(&file)
            }
            plainPort = try bench.gateway.plainPort()
        }

        /// Runs `work` for so many seconds; MiB that the gateway has grown by at most meanwhile.
        func growth(over seconds: Double, _ work: @escaping @Sendable () -> Void) throws -> Int {
            let before = bench.gateway.process.residentMemory
            _ = TestThread(work)
            var most = before
            let end = Date.now + seconds
            while Date.now < end {
                most = max(most, bench.gateway.process.residentMemory)
                _ = poll(nil, 0, 20)
            }
            return (most - before) / 1024
        }
    }

    @Test("a client that has gone, and says so, holds no connection of the service: its request ends with it")
    func gaveUp() throws {
        let upstream = try HandUpstream()
        let stand = try Stand { $0.jitsudoPort = upstream.port }
        let client = try stand.bench.gateway.client()
        try client.stream.send(Array(GoodRequest.target("/v1/page").utf8))
        let service = try #require(upstream.accept())
        _ = try HandUpstream.head(from: service)
        client.stream.endSending()
        #expect(try service.receive(seconds: 20) == .end(clean: true))
        stand.bench.gateway.process.terminate()
        #expect(stand.bench.gateway.accessLog.map { $0["code"] as? String } == ["client_closed"])
    }

    @Test("a script that ends its side of a plain connection gets its answer all the same")
    func halfClosed() throws {
        let stand = try Stand()
        let client = try WireClient.plain(port: stand.plainPort)
        let gate = TestGate()
        stand.bench.upstream.answer { _ in [.hold(gate), .json("{}")] }
        try client.stream.send(Array(GoodRequest.target("/v1/page").utf8))
        client.stream.endSending()
        gate.open()
        #expect(try client.answer(to: "GET").status == 200)
    }

    @Test("an upload waits at the client while the service reads nothing")
    func deafService() throws {
        // Connections wait in the kernel's queue: nobody accepts them.
        let (deaf, port) = try listeningSocket()
        defer { _ = close(deaf) }
        let stand = try Stand {
            $0.jitsudoPort = port
            $0.more = ["limits: {body: 4GiB}"]
        }
        let stream = try PlainStream(port: stand.plainPort)
        let twin = dup(stream.descriptor)
        let growth = try stand.growth(over: 2) {
            let stream = PlainStream(descriptor: twin)
            let block = [UInt8](repeating: 65, count: 1 << 20)
            guard (try? stream.send(Array(GoodRequest.post(["Content-Length: 4000000000"], "").utf8))) != nil else { return }
            while (try? stream.send(block)) != nil {}
        }
        stream.close()
        #expect(growth < 64)
        #expect(try stand.bench.ask(Self.refused).status == 404)
    }

    @Test("a large answer waits at the service while the client reads nothing", arguments: [true, false])
    func deafClient(tls: Bool) throws {
        let stand = try Stand()
        let block = [UInt8](repeating: 66, count: 1 << 20)
        stand.bench.upstream.answer { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 419430400\r\n\r\n")] + (0..<400).map { _ in .send(block) }
        }
        let client = tls ? try stand.bench.gateway.client() : try WireClient.plain(port: stand.plainPort)
        try client.stream.send(Array(GoodRequest.target("/v1/page").utf8))
        #expect(try stand.growth(over: 2) {} < 64)
        client.stream.close()
    }

    @Test("a client that pipelines and reads nothing is held up, and when it has gone others are answered at once")
    func pipeliner() throws {
        let stand = try Stand { $0.threads = 1 }
        let stream = try PlainStream(port: stand.plainPort)
        let block = (0..<2000).flatMap { _ in Self.refused }
        let twin = dup(stream.descriptor)
        let growth = try stand.growth(over: 2) {
            let stream = PlainStream(descriptor: twin)
            while (try? stream.send(block)) != nil {}
        }
        #expect(growth < 64)
        #expect(try stand.bench.ask(Self.refused).status == 404, "while it is there")
        stream.close()
        #expect(try stand.bench.ask(Self.refused).status == 404, "when it has gone")
    }

    @Test("a connection goes on after more pipelined requests than are held at once", arguments: [true, false])
    func pipelined(tls: Bool) throws {
        let stand = try Stand()
        let client = tls ? try stand.bench.gateway.client() : try WireClient.plain(port: stand.plainPort)
        let count = 3000
        try client.stream.send(Array(GoodRequest.target("/v1/page").utf8) + (0..<count).flatMap { _ in Self.refused })
        #expect(try client.answer(to: "GET").status == 200)
        for _ in 0..<count { #expect(try client.answer(to: "GET").status == 404) }
        #expect(try client.exchange(Array(GoodRequest.target("/v1/page").utf8)).status == 200)
    }

    @Test("a close-delimited answer that the service resets is not passed on as whole", arguments: [true, false])
    func resetAnswer(tls: Bool) throws {
        let stand = try Stand()
        let client = tls ? try stand.bench.gateway.client() : try WireClient.plain(port: stand.plainPort)
        let gate = TestGate()
        stand.bench.upstream.answer { _ in [.text("HTTP/1.1 200 OK\r\n\r\npart"), .hold(gate), .reset] }
        try client.stream.send(Array(GoodRequest.target("/v1/page").utf8))
        #expect(try client.begin(until: "part").status == 200)
        gate.open()
        let rest = String(decoding: try client.rest(), as: UTF8.self)
        #expect(!rest.contains("0\r\n\r\n"), "the last chunk would say that it is whole")
    }
}
