import Foundation
import Glibc
import TestSupport
import Testing

/// How HTTP/2 connections and their streams end: suspension, draining, deadlines, clients that go.
@Suite("HTTP/2 endings", .serialized, .timed)
struct HTTP2LifeTests {
    private static let jitsudo = Dialect.jitsudo

    private static func fields(_ user: String, _ path: String, _ method: String = "GET") -> [HTTP2Field] {
        GoodStream.pseudo(method, path) + [
            HTTP2Field("authorization", "Bearer \(jitsudo.token(user, roles: ["admin"]))"), HTTP2Field("x-tenant-id", jitsudo.tenant),
        ]
    }

    /// A gateway whose upstream suspends whom it is asked to, and begins long answers that a gate ends.
    private func bench(_ gate: TestGate, _ edit: (inout GatewayFile) -> Void = { _ in }) throws -> Bench {
        let bench = try Bench(edit)
        bench.upstream.answer { request in
            let user = request.target.split(separator: "/").dropFirst(2).first.map(String.init) ?? ""
            if request.target.hasSuffix("/suspend") { return [.json(#"{"id":"\#(user)","active":false}"#)] }
            guard request.target == "/v1/long" else { return [.hold(gate), .json("{}")] }
            return [
                .text("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"), .send(Array(repeating: 65, count: 150_000)), .hold(gate),
                .send(Array(repeating: 66, count: 150_000)),
            ]
        }
        return bench
    }

    @Test("a suspension ends the user's streams, and another's on the same connection go on with the right bytes")
    func suspension() throws {
        let gate = TestGate()
        let bench = try bench(gate)
        let client = try HTTP2Client(port: bench.gateway.port)
        let (ben, olga) = (Self.jitsudo.member, TestIssuers.acmeOwner)
        let cut = try client.begin(Self.fields(ben, "/v1/long"))
        let kept = try client.begin(Self.fields(olga, "/v1/long"))
        let waiting = try client.begin(Self.fields(ben, "/v1/wait"))
        try client.wait { client in [cut, kept].allSatisfy { client.answers[$0]?.body.count == 150_000 } }
        #expect(bench.upstream.wait { $0.received == 3 })
        let start = Date.now
        let suspend = try client.begin(
            Self.fields(Self.jitsudo.admin, "/v1/users/\(ben)/suspend", "POST") + [HTTP2Field("content-type", "application/json")],
            body: Array(#"{"active":false}"#.utf8))
        #expect(try client.answer(on: suspend).status == 200)
        let answer = try client.answer(on: cut)
        #expect(Date.now.timeIntervalSince(start) < 2)
        #expect(answer.reset == HTTP2Codes.cancel && !answer.isWhole)
        #expect(try client.answer(on: waiting).gatewayCode == "user_suspended")
        #expect(try client.exchange(Self.fields(ben, "/v1/long")).gatewayCode == "user_suspended")
        #expect(client.answers[kept]?.isEnded == false)
        gate.open()
        let whole = try client.answer(on: kept)
        #expect(whole.reset == nil && whole.body == Array(repeating: 65, count: 150_000) + Array(repeating: 66, count: 150_000))
        client.stream.close()
        bench.gateway.process.terminate()
        #expect(bench.gateway.accessLog.count { $0["code"] as? String == "user_suspended" } == 3)
    }

    @Test("an answer that has left the service whole and waits for the client's window is still cut")
    func suspensionOfBuffered() throws {
        let bench = try bench(TestGate())
        bench.upstream.answer { request in
            guard request.target.hasSuffix("/suspend") else { return [.json(String(repeating: "x", count: 3000))] }
            return [.json(#"{"id":"\#(Self.jitsudo.member)","active":false}"#)]
        }
        let client = try HTTP2Client(port: bench.gateway.port, settings: [(4, 1000)])
        client.updatesWindows = false
        let cut = try client.begin(Self.fields(Self.jitsudo.member, "/v1/short"))
        try client.wait { $0.answers[cut]?.body.count == 1000 }
        let suspend = try client.begin(
            Self.fields(Self.jitsudo.admin, "/v1/users/\(Self.jitsudo.member)/suspend", "POST")
                + [HTTP2Field("content-type", "application/json")], body: Array(#"{"active":false}"#.utf8))
        #expect(try client.answer(on: suspend).status == 200)
        #expect(try client.answer(on: cut).reset == HTTP2Codes.cancel)
        #expect(client.answers[cut]?.body.count == 1000)
    }

    @Test("a client that takes its request back ends it at the service, too")
    func takenBack() throws {
        let bench = try bench(TestGate())
        let client = try HTTP2Client(port: bench.gateway.port)
        let id = try client.begin(GoodStream.fields())
        #expect(bench.upstream.wait { $0.received == 1 })
        try client.send(.reset(id))
        #expect(client.settle())
        client.stream.close()
        bench.gateway.process.terminate()
        #expect(bench.gateway.accessLog.map { $0["code"] as? String } == ["client_closed"])
    }

    @Test("draining: GOAWAY first, what is open finishes, what comes meanwhile is served, then the connection ends cleanly")
    func drain() throws {
        let gate = TestGate()
        let bench = try bench(gate)
        let client = try HTTP2Client(port: bench.gateway.port)
        let open = try client.begin(GoodStream.fields("GET", "/v1/long"))
        try client.wait { $0.answers[open]?.body.count == 150_000 }
        bench.gateway.process.send(signal: SIGTERM)
        try client.wait { $0.goaway != nil }
        #expect(client.goaway == HTTP2Codes.noError && client.lastStream == 0x7FFF_FFFF)
        #expect(try client.exchange(GoodStream.pseudo("GET", "/nowhere")).status == 404, "a request that was on its way")
        try client.wait { $0.lastStream != 0x7FFF_FFFF }
        #expect(client.lastStream == 3 && client.goaway == HTTP2Codes.noError)
        gate.open()
        #expect(try client.answer(on: open).body.count == 300_000)
        while !client.isEnded { guard try client.read(seconds: 10) else { break } }
        #expect(client.isEnded)
        #expect(bench.gateway.process.waitForExit(seconds: 20) == 0)
        #expect(bench.gateway.process.errorText.hasSuffix("\nstopped\n"), "nothing had to be broken off")
    }

    @Test("what is still open when the gateway stops is told, and has its line in the log")
    func stopped() throws {
        let bench = try bench(TestGate()) { $0.more = ["timeouts: {drain: 1s}"] }
        let client = try HTTP2Client(port: bench.gateway.port)
        let (begun, waiting) = (try client.begin(GoodStream.fields("GET", "/v1/long")), try client.begin(GoodStream.fields()))
        try client.wait { $0.answers[begun]?.body.count == 150_000 }
        #expect(bench.upstream.wait { $0.received == 2 })
        bench.gateway.process.send(signal: SIGTERM)
        #expect(try client.answer(on: waiting).gatewayCode == "overloaded")
        #expect(try client.answer(on: begun).reset == HTTP2Codes.cancel)
        #expect(bench.gateway.process.waitForExit(seconds: 20) != nil)
        #expect(bench.gateway.accessLog.count == 2)
    }

    @Test("a connection that says nothing, half a head, or nothing more, ends in time")
    func deadlines() throws {
        let bench = try Bench { $0.more = ["timeouts: {header: 1s, body: 1s, idle: 1s}"] }
        let silent = try HTTP2Client(port: bench.gateway.port, greets: false)
        let halfway = try HTTP2Client(port: bench.gateway.port)
        try halfway.stream.send(Array(HTTP2Frame.headers(1, GoodStream.fields()).bytes.dropLast(100)))
        let open = try HTTP2Client(port: bench.gateway.port)
        try open.send(HTTP2Frame(.headers, flags: 1, stream: 1, [0x82]))
        let idle = try HTTP2Client(port: bench.gateway.port)
        for client in [silent, halfway, open, idle] {
            while !client.isEnded { guard try client.read(seconds: 10) else { break } }
            #expect(client.isEnded)
        }
        #expect(idle.goaway == HTTP2Codes.noError)
        let slow = try HTTP2Client(port: bench.gateway.port)
        try slow.send(GoodStream.post(HTTP2Field("content-length", "5")), .data(1, Array("he".utf8), end: false))
        #expect(try slow.answer(on: 1).gatewayCode == "request_timeout")
        #expect(bench.upstream.takeRequests().isEmpty)
    }

    @Test("a connection that answers are still being taken from is not idle")
    func notIdle() throws {
        let gate = TestGate()
        let bench = try bench(gate) { $0.more = ["timeouts: {idle: 1s}"] }
        let client = try HTTP2Client(port: bench.gateway.port)
        let open = try client.begin(GoodStream.fields("GET", "/v1/long"))
        try client.wait { $0.answers[open]?.body.count == 150_000 }
        #expect(try client.read(seconds: 3) == false, "nothing comes, not even the end")
        gate.open()
        #expect(try client.answer(on: open).isWhole)
    }
}
