import Foundation
import Synchronization
import TestSupport
import Testing

/// A user who is suspended with work open over every protocol: all of it ends within milliseconds of the 2xx, and nobody else's.
///
/// `TENANTGATE_CUT_ROUNDS=200` holds the 99th percentile to 50 ms.
@Suite("suspended with everything open", .serialized, .timed)
struct CutTests {
    private static let rounds = environmentNumber("TENANTGATE_CUT_ROUNDS", default: 10)
    private static let (first, rest) = ([UInt8](repeating: 65, count: 40_000), [UInt8](repeating: 66, count: 40_000))

    /// What an upstream thread waits for, exchanged for each round.
    private final class Gates: Sendable {
        private let gate = Mutex(TestGate())
        var current: TestGate { gate.withLock { $0 } }
        func renew() { gate.withLock { $0 = TestGate() } }
    }

    private static func script(_ gates: Gates) -> RecordingUpstream.Script {
        { request in
            let gate = gates.current
            if request.target.hasSuffix("/suspend") {
                return [.json(#"{"id":"\#(request.target.split(separator: "/")[2])","active":false}"#)]
            }
            if request.field("upgrade") != nil { return [.text(WebSocketOpening.switching), .hold(gate), .close] }
            if request.target == "/v1/events" {
                return [.text("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"), .hold(gate), .close]
            }
            return [.text("HTTP/1.1 200 OK\r\nContent-Length: 80000\r\n\r\n"), .send(first), .hold(gate), .send(rest)]
        }
    }

    private static func fields(_ user: String) -> [HTTP2Field] {
        GoodStream.pseudo("GET", "/v1/long") + [
            HTTP2Field("authorization", "Bearer \(Dialect.jitsudo.token(user))"), HTTP2Field("x-tenant-id", TestIssuers.acme),
            HTTP2Field("x-forwarded-for", "192.0.2.7"),
        ]
    }

    @Test("a download, four HTTP/2 streams, a WebSocket and server-sent events end at once; another's streams of the same hop go on")
    func everything() throws {
        let gates = Gates()
        // The HTTP/2 connection is a trusted proxy's, and carries both users' streams.
        let bench = try Bench { $0.more = ["trusted_proxies: [127.0.0.1/32]"] }
        bench.upstream.answer(Self.script(gates))
        let admin = try bench.gateway.client()
        let hop = try HTTP2Client(port: bench.gateway.port)
        var times: [Double] = []
        for round in 0..<Self.rounds {
            times += try cut(user: "cut-\(round)".uuid(if: true), bench, admin, hop, gates)
        }
        times.sort()
        func percentile(_ share: Double) -> Double { times[min(times.count - 1, Int(Double(times.count) * share))] }
        let (middle, late, last) = (percentile(0.5), percentile(0.99), percentile(1))
        print(String(format: "cut: %d pieces of work, p50 %.2f ms, p99 %.2f ms, max %.2f ms", times.count, middle, late, last))
        #expect(middle < 50)
        #expect(late < (Self.rounds >= 100 ? 50 : 500))
    }

    /// One round; milliseconds from the 2xx until each piece of work had ended at its client.
    private func cut(user: String, _ bench: Bench, _ admin: WireClient, _ hop: HTTP2Client, _ gates: Gates) throws -> [Double] {
        gates.renew()
        let identity = "Authorization: Bearer \(Dialect.jitsudo.token(user))\r\nX-Tenant-ID: \(TestIssuers.acme)\r\n"
        func get(_ target: String) -> [UInt8] { Array("GET \(target) HTTP/1.1\r\nHost: gateway.test\r\n\(identity)\r\n".utf8) }
        let (download, events) = (try bench.gateway.client(), try bench.gateway.client())
        try download.stream.send(get("/v1/long"))
        try events.stream.send(get("/v1/events"))
        #expect(try download.begin(until: "AAAA").status == 200)
        #expect(try events.begin(until: "data: 1").status == 200)
        let socket = try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text("/v1/live", identity))
        #expect(socket.isOpen)
        let own = try (0..<4).map { _ in try hop.begin(Self.fields(user)) }
        let others = try (0..<2).map { _ in try hop.begin(Self.fields(TestIssuers.acmeOwner)) }
        try hop.wait { hop in (own + others).allSatisfy { hop.answers[$0]?.body.count == Self.first.count } }

        #expect(try admin.exchange(Dialect.jitsudo.setActive(false, user)).status == 200)
        let start = DispatchTime.now().uptimeNanoseconds
        func elapsed() -> Double { Double(DispatchTime.now().uptimeNanoseconds - start) / 1_000_000 }
        var times: [Double] = []
        try hop.wait { hop in own.allSatisfy { hop.answers[$0]?.reset == HTTP2Codes.cancel } }
        times += Array(repeating: elapsed(), count: 4)
        #expect(try socket.next(within: 5) == .close(1008))
        times.append(elapsed())
        for client in [download, events] {
            let rest = try client.rest()
            times.append(elapsed())
            #expect(rest.count < Self.first.count && !rest.contains(66) && !String(decoding: rest, as: UTF8.self).hasSuffix("0\r\n\r\n"))
        }
        gates.current.open()
        for id in others {
            let whole = try hop.answer(on: id)
            #expect(whole.isWhole && whole.reset == nil && whole.body == Self.first + Self.rest)
        }
        hop.forget(own + others)
        for client in [download, events] { client.stream.close() }
        socket.stream.close()
        return times
    }
}
