import Foundation
import TestSupport
import Testing

/// Nobody takes a service away from others by asking for as much of it as there is.
@Suite("shares of a service's connections", .serialized, .timed)
struct CallerShareTests {
    private static let block = [UInt8](repeating: 66, count: 1 << 20)

    private static func token(_ number: Int) -> String { TestIssuers.jitsudoToken("0e000000-0000-4000-8000-00000000000\(number)") }

    private static func request(_ user: Int, _ path: String = "/v1/page") -> [UInt8] {
        Array(TestSupport.request("GET", path, token: token(user), tenant: TestIssuers.acme).utf8)
    }

    private func bench(_ edit: (inout GatewayFile) -> Void) throws -> Bench {
        let bench = try Bench {
            $0.threads = 1
            $0.routes = ["- {path: /open/**, upstream: jitsudo, credential: none}"]
            $0.more = ["probes: {address: 127.0.0.1:0}"]
            edit(&$0)
        }
        bench.upstream.answer { request in
            guard request.target.hasSuffix("large") else { return [.json("{}")] }
            return [.text("HTTP/1.1 200 OK\r\nContent-Length: \(Self.block.count)\r\n\r\n"), .send(Self.block)]
        }
        return bench
    }

    /// Three connections with a hundred streams each, whose answers wait for their client.
    private func greedy(_ bench: Bench, _ fields: [HTTP2Field]) throws -> [HTTP2Client] {
        try (0..<3).map { _ in
            let client = try HTTP2Client(port: bench.gateway.port, settings: [(4, 1000)])
            client.updatesWindows = false
            for _ in 0..<100 { try client.begin(fields) }
            return client
        }
    }

    private func waiting(_ bench: Bench) throws -> Int {
        Int(try bench.gateway.metrics()["tenantgate_upstream_waiting_requests{upstream=\"jitsudo\"}"] ?? 0)
    }

    @Test(
        "hundreds of slow downloads of one user, or of one address without a token, leave connections to others, who wait for nothing",
        arguments: [true, false])
    func slowReaders(isUser: Bool) throws {
        let bench = try bench { $0.connections = 16 }
        let clients = try greedy(bench, isUser ? GoodStream.fields("GET", "/v1/large") : GoodStream.pseudo("GET", "/open/large"))
        #expect(bench.upstream.wait { $0.received == 12 })
        let start = Date.now
        for user in 1...5 { for _ in 0..<10 { #expect(try bench.ask(Self.request(user)).status == 200) } }
        #expect(-start.timeIntervalSinceNow < 5)
        // Theirs go on, in their share.
        #expect(bench.upstream.received == 62 && bench.upstream.connections.open <= 16)
        for client in clients {
            while try client.read(seconds: 0) {}
            #expect(!client.isEnded && !client.answers.values.contains { $0.reset != nil })
        }
        #expect(try waiting(bench) == 288)
    }

    @Test("a file can leave everything to one caller")
    func unbounded() throws {
        let bench = try bench {
            $0.connections = 16
            $0.upstreamKeys = ["caller_share: 100"]
        }
        let clients = try greedy(bench, GoodStream.fields("GET", "/v1/large"))
        #expect(bench.upstream.wait { $0.received == 16 })
        for client in clients { client.stream.close() }
    }

    @Test("one caller's requests that wait leave places in the queue to others, and callers get their turn one after the other")
    func queue() throws {
        let bench = try bench {
            $0.connections = 4
            $0.upstreamKeys = ["waiting: 8"]
        }
        let gate = TestGate()
        bench.upstream.answer { request in request.target == "/v1/wait" ? [.hold(gate), .json("{}")] : [.json("{}")] }
        let client = try HTTP2Client(port: bench.gateway.port)
        let streams = try (0..<12).map { _ in try client.begin(GoodStream.fields("GET", "/v1/wait")) }
        try client.wait { client in client.answers.values.count { $0.gatewayCode == "overloaded" } == 3 }
        #expect(bench.upstream.wait { $0.received == 3 })
        #expect(try waiting(bench) == 6)
        let others = try (1...3).map { user in
            let other = try bench.gateway.client()
            try other.stream.send(Self.request(user, "/v1/wait"))
            if user > 1 { while try waiting(bench) != 5 + user {} } else { #expect(bench.upstream.wait { $0.received == 4 }) }
            return other
        }
        gate.open()
        for other in others { #expect(try other.answer(to: "GET").status == 200) }
        for id in streams { _ = try client.answer(on: id) }
        #expect(client.answers.values.count { $0.status == 200 } == 9)
    }

    @Test("who comes later than another's thousand is served after one of them")
    func turns() throws {
        let upstream = try HandUpstream()
        let folder = try TemporaryFolder()
        var file = GatewayFile(jitsudo: upstream.port, rinne: upstream.port)
        (file.threads, file.connections, file.more) = (1, 1, ["probes: {address: 127.0.0.1:0}"])
        let gateway = try Gateway(file: file.write(to: folder), in: folder)
        let clients = try [(1, "a0"), (1, "a1"), (1, "a2"), (1, "a3"), (2, "b")].enumerated().map { index, each in
            let client = try gateway.client()
            try client.stream.send(Self.request(each.0, "/v1/\(each.1)"))
            while index > 0, try gateway.metrics()["tenantgate_upstream_waiting_requests{upstream=\"jitsudo\"}"] != Double(index) {}
            return client
        }
        let service = try #require(upstream.accept())
        for path in ["a0", "a1", "b", "a2", "a3"] {
            #expect(try HandUpstream.head(from: service).hasPrefix("GET /v1/\(path) "))
            try service.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".utf8))
        }
        for client in clients { #expect(try client.answer(to: "GET").status == 200) }
    }

    @Test("an upload that waits to be asked for its body gets its turn beside those that send")
    func invited() throws {
        let bench = try bench { $0.connections = 2 }
        func upload(_ body: String, _ fields: [String] = [], waiting count: Int) throws -> WireClient {
            let client = try bench.gateway.client()
            try client.stream.send(Array(GoodRequest.post(["Transfer-Encoding: chunked"] + fields, body).utf8))
            while try waiting(bench) != count {}
            return client
        }
        let first = try upload("5\r\nhello\r\n", waiting: 0)
        #expect(bench.upstream.wait { $0.connections.open == 1 })
        let polite = try upload("", ["Expect: 100-continue"], waiting: 1)
        let others = try (2...4).map { try upload("5\r\nhello\r\n", waiting: $0) }
        for client in [first, others[0]] {
            try client.stream.send(Array("0\r\n\r\n".utf8))
            #expect(try client.answer(to: "POST").status == 200)
        }
        let came = try polite.stream.receive(seconds: 10)
        guard case .bytes(let bytes) = came else { throw StreamError.timedOut }
        #expect(String(decoding: bytes, as: UTF8.self) == "HTTP/1.1 100 Continue\r\n\r\n")
        for client in [polite, others[1], others[2]] {
            try client.stream.send(Array("0\r\n\r\n".utf8))
            #expect(try client.answer(to: "POST").status == 200)
        }
    }

    @Test("a download that stands still for a while is cut for others only when it has been behind for longer than the file's grace")
    func train() throws {
        for (grace, isKept) in [("20s", true), ("500ms", false)] {
            let bench = try bench {
                $0.connections = 4
                $0.more.append("timeouts: {body_grace: \(grace)}")
            }
            let gate = TestGate()
            bench.upstream.answer { request in
                if request.target == "/v1/wait" { return [.hold(gate), .json("{}")] }
                guard request.target == "/v1/large" else { return [.json("{}")] }
                return [.text("HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n")] + (0..<16).map { _ in .send(Self.block) }
            }
            let slow = try (1...3).map { user in
                let client = try bench.gateway.client()
                try client.stream.send(Self.request(user, "/v1/wait"))
                return client
            }
            let passenger = try bench.gateway.client()
            try passenger.stream.send(Self.request(4, "/v1/large"))
            #expect(bench.upstream.wait { $0.received == 4 })
            let start = Date.now
            let other = try bench.gateway.client()
            try other.stream.send(Self.request(5))
            let news = try other.stream.receive(seconds: 3)
            if isKept {
                #expect(news == .nothingYet)
                #expect(try passenger.answer(to: "GET").body.count == 16 << 20)
                #expect(try other.answer(to: "GET").status == 200)
            } else {
                #expect(news != .nothingYet && (0.5..<3).contains(-start.timeIntervalSinceNow))
                #expect(try passenger.rest().count < 16 << 20)
            }
            gate.open()
            for client in slow { #expect(try client.answer(to: "GET").status == 200) }
        }
    }
}
