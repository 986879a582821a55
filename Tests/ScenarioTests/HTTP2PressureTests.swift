import Foundation
import Glibc
import TestSupport
import Testing

/// Whoever doesn't take what is sent holds up itself and nobody else, in bounded memory.
@Suite("HTTP/2 back-pressure", .serialized, .timed)
struct HTTP2PressureTests {
    /// MiB that the gateway grows by at most while `work` runs.
    private func growth(of gateway: Gateway, _ work: () throws -> Void) rethrows -> Int {
        let before = gateway.process.residentMemory
        try work()
        return (gateway.process.residentMemory - before) / 1024
    }

    private static let block = [UInt8](repeating: 66, count: 1 << 20)

    @Test("64 MiB wait at the service while the client's windows are closed, then all arrive")
    func deafClient() throws {
        let bench = try Bench()
        bench.upstream.answer { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n")] + (0..<64).map { _ in .send(Self.block) }
        }
        let client = try HTTP2Client(port: bench.gateway.port)
        client.updatesWindows = false
        let id = try client.begin(GoodStream.fields())
        try client.wait { $0.answers[id]?.body.count == 65_535 }
        let held = growth(of: bench.gateway) { _ = poll(nil, 0, 500) }
        #expect(held < 8, "\(held) MiB")
        // From now on a little at a time.
        client.updatesWindows = true
        let read = try growth(of: bench.gateway) {
            try client.send(.window(0, 65_535), .window(id, 65_535))
            try client.wait { $0.answers[id]?.isEnded == true }
        }
        #expect(read < 16, "\(read) MiB")
        #expect(client.answers[id]?.body.count == 64 << 20)
    }

    @Test("64 MiB of an upload wait at the client while the service reads nothing")
    func deafService() throws {
        // Connections wait in the kernel's queue: nobody accepts them.
        let (deaf, port) = try listeningSocket()
        defer { _ = close(deaf) }
        let bench = try Bench {
            $0.jitsudoPort = port
            $0.more = ["limits: {body: 4GiB}"]
        }
        let client = try HTTP2Client(port: bench.gateway.port)
        client.patience = 1
        let id = try client.begin(GoodStream.fields("POST"), end: false)
        let held = growth(of: bench.gateway) {
            #expect(throws: StreamError.timedOut) { try client.upload(Array(repeating: 65, count: 64 << 20), on: id) }
        }
        #expect(held < 16, "\(held) MiB")
        #expect(client.uploaded < 16 << 20)
        client.patience = 20
        #expect(try client.exchange(GoodStream.fields("GET", "/nowhere")).status == 404, "another stream goes on")
    }

    @Test("uploads that a service doesn't read hold up no upload to another service on the same connection")
    func otherUploads() throws {
        let (deaf, port) = try listeningSocket()
        defer { _ = close(deaf) }
        let bench = try Bench {
            $0.upstreams = ["deaf: {servers: [\"http://127.0.0.1:\(port)\"], connections: 200}"]
            $0.routes = ["- {path: /v1/deaf, upstream: deaf, credential: none}"]
        }
        let client = try HTTP2Client(port: bench.gateway.port)
        client.patience = 0.5
        // More than the kernel takes for the deaf service.
        let stuck = try (0..<8).map { _ in try client.begin(GoodStream.pseudo("POST", "/v1/deaf"), end: false) }
        for id in stuck { #expect(throws: StreamError.timedOut) { try client.upload(Array(repeating: 65, count: 16 << 20), on: id) } }
        client.patience = 20
        let id = try client.begin(GoodStream.fields("POST"), end: false)
        try client.upload(Array(repeating: 66, count: 4 << 20), on: id)
        #expect(try client.answer(on: id).status == 200)
    }

    @Test("hundreds of answers that nobody takes wait at the service, but for little of each, and all arrive when they are taken")
    func untaken() throws {
        let bench = try Bench {
            $0.threads = 1
            $0.connections = 512
        }
        let body = [UInt8](repeating: 66, count: 60_000)
        bench.upstream.answer { _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"), .send(body)] }
        let clients = try (0..<2).map { _ in try HTTP2Client(port: bench.gateway.port, settings: [(4, 0)]) }
        let held = try growth(of: bench.gateway) {
            for client in clients {
                for _ in 0..<128 { try client.begin(GoodStream.fields()) }
                try client.wait { client in client.answers.values.count { $0.status == 200 } == 128 }
            }
            _ = poll(nil, 0, 300)
        }
        print("untaken answers: \(held) MiB")
        #expect(held < 9, "\(held) MiB")
        for client in clients {
            try client.send(.window(0, 1 << 24))
            for id in client.answers.keys { try client.send(.window(id, 60_000)) }
            try client.wait { $0.answers.values.allSatisfy { $0.isEnded && $0.body.count == body.count } }
        }
    }

    @Test("a stream that the client doesn't take holds up no other of its connection")
    func otherStreams() throws {
        let bench = try Bench()
        bench.upstream.answer { request in
            guard request.target == "/v1/large" else { return [.json("{}")] }
            return [.text("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n")] + (0..<64).map { _ in .send(Self.block) }
        }
        // Wide windows for the connection, narrow ones for streams.
        let client = try HTTP2Client(port: bench.gateway.port, settings: [(4, 1000)])
        client.updatesWindows = false
        try client.send(.window(0, 1 << 30))
        let held = try growth(of: bench.gateway) {
            let stuck = try (0..<100).map { _ in try client.begin(GoodStream.fields("GET", "/v1/large")) }
            try client.wait { client in stuck.allSatisfy { client.answers[$0]?.body.count == 1000 } }
            for _ in 0..<10 { #expect(try client.exchange(GoodStream.fields()).status == 200) }
        }
        #expect(held < 48, "\(held) MiB for 100 answers of 64 MiB that nobody takes")
        #expect(try bench.ask(Array(GoodRequest.target("/v1/page").utf8)).status == 200)
    }

    @Test("whoever takes nothing for too long is cut off, whoever takes a little is not")
    func slowReaders() throws {
        let bench = try Bench { $0.more = ["timeouts: {body: 1s}"] }
        bench.upstream.answer { _ in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n"), .send(Self.block), .hang]
        }
        let client = try HTTP2Client(port: bench.gateway.port, settings: [(4, 1000)])
        client.updatesWindows = false
        let (slow, deaf) = (try client.begin(GoodStream.fields()), try client.begin(GoodStream.fields()))
        let start = Date.now
        while client.answers[deaf]?.reset == nil, Date.now < start + 20 {
            try client.send(.window(slow, 10))
            _ = try client.read(seconds: 0.1)
            _ = poll(nil, 0, 50)
        }
        #expect(client.answers[deaf]?.reset == HTTP2Codes.cancel)
        #expect(client.answers[slow]?.reset == nil)
        #expect(client.answers[slow]?.body.count ?? 0 > 1000)
    }

    @Test("a refusal that the client's window doesn't let through is given up in time")
    func stuckRefusal() throws {
        let bench = try Bench { $0.more = ["timeouts: {body: 1s}"] }
        let client = try HTTP2Client(port: bench.gateway.port, settings: [(4, 0)])
        let id = try client.begin(GoodStream.pseudo())
        try client.wait { $0.answers[id]?.reset != nil }
        #expect(client.answers[id]?.status == 401 && client.answers[id]?.reset == HTTP2Codes.cancel)
    }
}
