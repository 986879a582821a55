import Foundation
import TestSupport
import Testing

/// Requests on the wire that could be read in two ways: refused with the right code, and nothing of them reaches the upstream.
@Suite("client messages", .serialized, .timed)
struct ClientMessageTests {
    @Test("every bad message is refused with its code, and no request reaches the upstream")
    func refused() throws {
        let bench = try Bench()
        for message in ClientMessages.all {
            guard let answer = try? bench.ask(message.bytes) else {
                Issue.record("\(message.name): no answer; is the gateway running: \(bench.gateway.process.isRunning)")
                continue
            }
            #expect(
                message.codes.contains(answer.gatewayCode ?? "passed"),
                "\(message.name): \(answer.status) \(answer.gatewayCode ?? "passed")")
            #expect(answer.code == answer.gatewayCode, "\(message.name): body and Proxy-Status agree")
            #expect(answer.field("x-request-id") != nil, "\(message.name)")
            #expect(answer.field("cache-control") == "no-store", "\(message.name)")
            let reached = bench.upstream.takeRequests()
            #expect(reached.isEmpty, "\(message.name) reached the upstream: \(reached.map(\.text))")
        }
        bench.gateway.process.kill()
        let inBody = ClientMessages.all.count(where: \.isInBody)
        #expect(bench.upstream.takeLeftovers().count <= inBody, "only messages with a bad body may have been begun")
        print("client messages: \(ClientMessages.all.count) refused")
        #expect(ClientMessages.all.count >= 150)
    }

    @Test("a refused message ends its connection, so that nothing behind it is read as a request")
    func nothingBehind() throws {
        let bench = try Bench()
        for message in ClientMessages.lengths + ClientMessages.codings + ClientMessages.chunks + ClientMessages.lines {
            let client = try bench.gateway.client()
            let smuggled = Array(GoodRequest.target("/v1/smuggled").utf8)
            _ = try? client.exchange(message.bytes + smuggled)
            client.stream.close()
        }
        #expect(try bench.ask(Array(GoodRequest.target("/v1/last").utf8)).status == 200)
        #expect(bench.upstream.takeRequests().map(\.target) == ["/v1/last"])
    }

    @Test("every good neighbour reaches the upstream once, whole")
    func passed() throws {
        let bench = try Bench()
        for (name, text) in ClientMessages.goodNeighbours {
            let answer = try bench.ask(Array(text.utf8))
            #expect(answer.status == 200, "\(name): \(answer.status) \(answer.gatewayCode ?? "")")
            let reached = bench.upstream.takeRequests()
            #expect(reached.count == 1, "\(name)")
            #expect(reached.first?.target == "/v1/page", "\(name)")
            #expect(reached.first?.values("x-hop") == [] && reached.first?.values("upgrade") == [], "\(name): hop by hop fields stay here")
        }
    }

    @Test("a body of one-byte chunks arrives whole and in few chunks")
    func smallChunks() throws {
        let bench = try Bench()
        let data = (0..<50_000).map { UInt8(ascii: "a") + UInt8($0 % 26) }
        let head = "POST /v1/page HTTP/1.1\r\nHost: gateway.test\r\n\(GoodRequest.identity)Transfer-Encoding: chunked\r\n\r\n"
        let chunks = data.flatMap { Array("1\r\n".utf8) + [$0] + Array("\r\n".utf8) }
        #expect(try bench.ask(Array(head.utf8) + chunks + Array("0\r\n\r\n".utf8)).status == 200)
        let reached = try #require(bench.upstream.takeRequests().first)
        #expect(reached.content == data)
        #expect(reached.body.count < data.count * 2, "\(reached.body.count) bytes on the wire for \(data.count)")
    }

    @Test("requests sent at once are answered in order, a bad one among them last")
    func pipelined() throws {
        let bench = try Bench()
        bench.upstream.answer { [.json(#"{"path":"\#($0.target)"}"#)] }
        let client = try bench.gateway.client()
        let texts =
            ["/v1/1", "/v1/2", "/v1/3"].map { GoodRequest.target($0) } + ["GET /v1/4 HTTP/1.1\r\n\r\n", GoodRequest.target("/v1/5")]
        try client.stream.send(Array(texts.joined().utf8))
        for path in ["/v1/1", "/v1/2", "/v1/3"] { #expect(try client.answer(to: "GET").json?["path"] as? String == path) }
        #expect(try client.answer(to: "GET").gatewayCode == "bad_request")
        #expect(try client.rest() == [])
        #expect(bench.upstream.takeRequests().map(\.target) == ["/v1/1", "/v1/2", "/v1/3"])
    }

    @Test("a good request is read alike wherever it is cut")
    func cutAnywhere() throws {
        let bench = try Bench()
        let whole = Array(GoodRequest.chunked("5\r\nhello\r\n0\r\n\r\n").utf8)
        let client = try bench.gateway.client()
        for cut in stride(from: 1, to: whole.count, by: 7) {
            try client.stream.send(Array(whole[..<cut]))
            try client.stream.send(Array(whole[cut...]))
            #expect(try client.answer(to: "POST").status == 200, "cut at \(cut)")
        }
        #expect(bench.upstream.takeRequests().allSatisfy { String(decoding: $0.content, as: UTF8.self) == "hello" })
    }

    @Test("a request that stops halfway is 408, an idle connection just ends")
    func timeouts() throws {
        let bench = try Bench { $0.more = ["timeouts: {header: 1s, body: 1s, idle: 1s}"] }
        for text in ["GET /v1/pa", "GET /v1/page HTTP/1.1\r\nHost: gateway.test\r\n", GoodRequest.post(["Content-Length: 5"], "he")] {
            let answer = try bench.ask(Array(text.utf8))
            #expect(answer.gatewayCode == "request_timeout", "\(text.prefix(40)): \(answer.status)")
        }
        #expect(try bench.gateway.client().end(within: 5) != nil)
        #expect(bench.upstream.takeRequests().isEmpty)
    }

    @Test("100-continue is asked for and given, and a refusal comes instead of it")
    func expectation() throws {
        let bench = try Bench()
        let client = try bench.gateway.client()
        try client.stream.send(Array(GoodRequest.post(["Content-Length: 5", "Expect: 100-continue"], "").utf8))
        guard case .bytes(let interim) = try client.stream.receive(seconds: 5) else {
            Issue.record("no 100")
            return
        }
        #expect(String(decoding: interim, as: UTF8.self).hasPrefix("HTTP/1.1 100"))
        try client.stream.send(Array("hello".utf8))
        #expect(try client.answer(to: "POST").status == 200)
        let refused = try bench.ask(
            Array("POST /v1/page HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n".utf8))
        #expect(refused.gatewayCode == "unauthenticated")
        #expect(refused.interim.isEmpty)
    }
}
