import Foundation
import TestSupport
import Testing

/// Work that a user has opened with a token that names him by an address ends when he is suspended by his id.
@Suite("open work of an alias", .serialized, .timed)
struct AliasCutTests {
    private static let (ben, email) = (AliasStand.ben, "ben@acme.example")

    private static func script(_ gate: TestGate) -> RecordingUpstream.Script {
        { request in
            if request.target.hasSuffix("/suspend") { return [.json(#"{"id":"\#(ben)","active":false}"#)] }
            if request.target.hasPrefix("/v1/users?email=") {
                let (user, address) = request.target.contains("ana") ? (AliasStand.ana, "ana@acme.example") : (ben, email)
                return [.json(#"{"users":[{"id":"\#(user)","email":"\#(address)","email_verified":true,"active":true}]}"#)]
            }
            if request.field("upgrade") != nil { return [.text(WebSocketOpening.switching), .hold(gate), .close] }
            return [.text("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"), .hold(gate), .close]
        }
    }

    @Test("a WebSocket, an event stream and an HTTP/2 stream end with the suspension of their user; another's go on")
    func cut() throws {
        let gate = TestGate()
        defer { gate.open() }
        let bench = try Bench { file in
            file.jitsudoDialect = AliasStand.dialect
            file.credentials = [AliasStand.credential]
            file.directoryKeys = ["service_tokens: [{file: secrets/service}]", "reconcile: off"]
        }
        bench.upstream.answer(Self.script(gate))
        func identity(_ email: String) -> String {
            "Authorization: Bearer \(TestIssuers.loginToken(email))\r\nX-Tenant-ID: \(TestIssuers.acme)\r\n"
        }
        func opened(_ email: String) throws -> (events: WireClient, socket: WebSocketPeer) {
            let events = try bench.gateway.client()
            try events.stream.send(Array("GET /v1/events HTTP/1.1\r\nHost: gateway.test\r\n\(identity(email))\r\n".utf8))
            #expect(try events.begin(until: "data: 1").status == 200)
            let socket = try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text("/v1/live", identity(email)))
            #expect(socket.isOpen)
            return (events, socket)
        }
        // A spelling of its own: who he is counts, not by what he is known.
        let (ben, ana) = (try opened("BEN@acme.example"), try opened("ana@acme.example"))
        let client = try HTTP2Client(port: bench.gateway.port)
        let stream = try client.begin(
            GoodStream.pseudo("GET", "/v1/events") + [
                HTTP2Field("authorization", "Bearer \(TestIssuers.loginToken(Self.email))"), HTTP2Field("x-tenant-id", TestIssuers.acme),
            ])
        try client.wait { $0.answers[stream]?.body.isEmpty == false }

        let start = Date.now
        #expect(try bench.ask(Array(Dialect.jitsudo.setActive(false, Self.ben).utf8)).status == 200)
        #expect(try ben.socket.next(within: 5) == .close(1008))
        #expect(!String(decoding: try ben.events.rest(), as: UTF8.self).hasSuffix("0\r\n\r\n"))
        try client.wait { $0.answers[stream]?.reset == HTTP2Codes.cancel }
        #expect(Date.now.timeIntervalSince(start) < 5)
        gate.open()
        // Hers ends when the service ends it, without a word of the gateway's.
        #expect(try ana.socket.next(within: 5) != .close(1008))
    }
}
