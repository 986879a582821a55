import Foundation
import TestSupport
import Testing

/// What the gateway is answerable for on a WebSocket: who may open it, when it must end, and that it is nothing but a WebSocket.
@Suite("WebSocket rules", .timed)
struct WebSocketRuleTests {
    private static let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    private static let opened = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "

    /// A service that opens every WebSocket, says `hello`, and then hears.
    private static func opening(_ more: [UpstreamStep] = []) -> RecordingUpstream.Script {
        { _ in [.text(opened + accept + "\r\n\r\n"), .send(WebSocketFrame.text("hello").unmasked().bytes)] + more + [.hang] }
    }

    private static let hello = WebSocketPeer.Event.frame(opcode: 1, isFinal: true, payload: Array("hello".utf8))

    @Test(
        "who may not pass opens nothing",
        arguments: [("", "unauthenticated"), (GoodRequest.tenantOf(TestIssuers.globex), "tenant_mismatch")])
    func refused(fields: String, code: String) throws {
        let bench = try Bench()
        bench.upstream.answer(Self.opening())
        let peer = try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text("/v1/live", fields))
        #expect(peer.answer.gatewayCode == code)
        #expect(bench.upstream.takeRequests().isEmpty)
    }

    @Test("the opening goes upstream with user and tenant, as an upgrade to this protocol and no other")
    func forwarded() throws {
        let bench = try Bench()
        bench.upstream.answer(Self.opening())
        let fields = GoodRequest.identity + "Connection: X-Extra\r\nX-Extra: 1\r\nX-User-ID: mallory\r\n"
        let peer = try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text("/v1/live", fields))
        #expect(peer.isOpen)
        #expect(try peer.next() == Self.hello)
        let request = try #require(bench.upstream.takeRequests().first)
        #expect(request.values("upgrade") == ["websocket"] && request.values("connection") == ["Upgrade"])
        #expect(request.values("x-user-id") == [Dialect.jitsudo.member] && request.field("x-extra") == nil)
        #expect(request.field("sec-websocket-key") == "dGhlIHNhbXBsZSBub25jZQ==")
    }

    @Test(
        "a 101 that doesn't answer this opening opens nothing",
        arguments: [
            opened + "AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(accept)\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: \(accept)\r\n\r\n",
        ])
    func falseAnswer(_ text: String) throws {
        let bench = try Bench()
        bench.upstream.answer { _ in [.text(text), .hang] }
        let peer = try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text("/v1/live", GoodRequest.identity))
        #expect(peer.answer.status == 502 && peer.answer.gatewayCode == "upstream_protocol_error")
    }

    @Test("a 101 that nobody asked for is no answer")
    func unasked() throws {
        let bench = try Bench()
        bench.upstream.answer(Self.opening())
        #expect(try bench.ask(Array(GoodRequest.target("/v1/live").utf8)).gatewayCode == "upstream_protocol_error")
    }

    @Test("what comes behind an opening is no further request, whatever the answer", arguments: ["426 Upgrade Required", "200 OK"])
    func smuggled(status: String) throws {
        let bench = try Bench()
        bench.upstream.answer { _ in [.json("{}", status: status)] }
        let client = try bench.gateway.client()
        let hidden = Array(GoodRequest.target("/v1/hidden").utf8)
        let peer = try WebSocketPeer(client, opening: WebSocketOpening.text("/v1/live", GoodRequest.identity), hidden)
        #expect(!peer.isOpen)
        #expect(try client.rest().isEmpty)
        #expect(bench.upstream.takeRequests().map(\.target) == ["/v1/live"])
    }

    @Test("a suspended user's WebSockets are closed with 1008 and nothing more passes; others go on", arguments: [true, false])
    func suspended(betweenFrames: Bool) throws {
        let service = try RecordingUpstream()
        let world = try World { file in
            file.upstreams = ["live: {servers: [\"http://127.0.0.1:\(service.port)\"], directory: jitsudo}"]
            file.routes = ["- {path: /live/**, upstream: live, tenant: required}"]
        }
        let gate = TestGate()
        // Half a frame stands in the way of the gateway's own Close.
        let half = WebSocketFrame.text("secret").unmasked().bytes.prefix(4)
        service.answer(
            Self.opening((betweenFrames ? [] : [.send(Array(half))]) + [.hold(gate), .send(WebSocketFrame.text("late").unmasked().bytes)]))
        let peers = try [TestIssuers.acmeMember, TestIssuers.acmeAdmin].map { user in
            let fields = "Authorization: Bearer \(Dialect.jitsudo.token(user))\r\nX-Tenant-ID: \(TestIssuers.acme)\r\n"
            return try WebSocketPeer(world.gateway.client(), opening: WebSocketOpening.text("/live/x", fields))
        }
        for peer in peers { #expect(try peer.next() == Self.hello) }
        #expect(try world.gateway.ask(Dialect.jitsudo.setActive(false, TestIssuers.acmeMember)).status == 200)
        #expect(try peers[0].next(within: 5) == (betweenFrames ? .close(1008) : .end(clean: false)))
        gate.open()
        if betweenFrames {
            #expect(try peers[0].next() == .end(clean: true))
            #expect(try peers[1].next() == .frame(opcode: 1, isFinal: true, payload: Array("late".utf8)))
        }
        let line = try world.gateway.process.waitForLine { $0.contains("\"status\":101") ? $0 : nil }
        #expect(line.contains("\"code\":\"user_suspended\""))
    }

    @Test("it ends with its token, unless the route says otherwise")
    func expired() throws {
        let bench = try Bench { $0.routes = ["- {path: /v1/kept, upstream: jitsudo, outlive_token: true}"] }
        bench.upstream.answer(Self.opening())
        let token = Dialect.jitsudo.token(Dialect.jitsudo.member, expiresIn: -27)
        let fields = "Authorization: Bearer \(token)\r\nX-Tenant-ID: \(TestIssuers.acme)\r\n"
        let peers = try ["/v1/live", "/v1/kept"].map { target in
            try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text(target, fields))
        }
        for peer in peers { #expect(try peer.next() == Self.hello) }
        #expect(try peers[0].next() == .close(1008))
        #expect(throws: StreamError.timedOut) { try peers[1].next(within: 0.5) }
    }

    @Test("when the gateway ends it says so, with 1001, and doesn't wait for who has no end")
    func drained() throws {
        let bench = try Bench()
        bench.upstream.answer(Self.opening())
        let peer = try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text("/v1/live", GoodRequest.identity))
        #expect(try peer.next() == Self.hello)
        bench.gateway.process.send(signal: SIGTERM)
        #expect(try peer.next() == .close(1001))
        peer.stream.close()
        #expect(bench.gateway.process.waitForExit(seconds: 10) == 0)
    }

    @Test("a silent one is closed after `timeouts.websocket`, one that speaks is not")
    func silent() throws {
        let bench = try Bench { $0.more = ["timeouts: {websocket: 1s}"] }
        bench.upstream.answer(Self.opening())
        let peers = try (0..<2).map { _ in
            try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text("/v1/live", GoodRequest.identity))
        }
        for peer in peers { #expect(try peer.next() == Self.hello) }
        let deadline = Date(timeIntervalSinceNow: 20)
        while Date.now < deadline {
            try peers[1].send(.ping())
            if let event = try? peers[0].next(within: 0.2) {
                #expect(event == .close(1001))
                break
            }
        }
        try peers[1].send(.ping())
        #expect(throws: StreamError.timedOut) { try peers[1].next(within: 0.1) }
    }

    @Test("a client that reads nothing holds up the service, not the gateway's memory")
    func deafClient() throws {
        let bench = try Bench()
        let block = WebSocketFrame(2, Array(repeating: 7, count: 1 << 20)).unmasked().bytes
        bench.upstream.answer(Self.opening((0..<256).map { _ in .send(block) }))
        let client = try bench.gateway.client()
        let peer = try WebSocketPeer(client, opening: WebSocketOpening.text("/v1/live", GoodRequest.identity))
        let before = bench.gateway.process.residentMemory
        let end = Date.now + 2
        var most = before
        while Date.now < end {
            most = max(most, bench.gateway.process.residentMemory)
            _ = poll(nil, 0, 20)
        }
        #expect(most - before < 32 * 1024, "KiB")
        peer.stream.close()
    }

    private static let browserRoute =
        "- {path: /live/**, upstream: jitsudo, tenant: optional, token_from: subprotocol, cors: {origins: [\"https://app.example\"]}}"

    @Test("a browser's token among the subprotocols opens it and goes no further")
    func browser() throws {
        let bench = try Bench { $0.routes = [Self.browserRoute] }
        bench.upstream.answer(Self.opening())
        let token = Dialect.jitsudo.memberToken
        let fields =
            "Origin: https://app.example\r\nSec-WebSocket-Protocol: chat.v1, bearer.\(token)\r\nSec-WebSocket-Protocol: chat.v2\r\n"
        let peer = try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text("/live/x", fields))
        #expect(peer.isOpen, "\(peer.answer.text)")
        let request = try #require(bench.upstream.takeRequests().first)
        #expect(request.values("sec-websocket-protocol") == ["chat.v1, chat.v2"])
        #expect(request.field("x-user-id") == Dialect.jitsudo.member && request.field("x-tenant-id") != nil)
        #expect(!request.text.contains(token))
    }

    @Test(
        "a browser's opening is refused without the one token and a listed origin",
        arguments: [
            ("https://app.example", "chat.v1", "unauthenticated"), ("https://app.example", "chat.v1, bearer.a.b.c", "invalid_token"),
            ("https://app.example", "bearer.TOKEN, BEARER.TOKEN", "ambiguous_credential"),
            ("https://evil.example", "bearer.TOKEN", "bad_request"),
            ("https://app.example.evil.example", "bearer.TOKEN", "bad_request"), ("null", "bearer.TOKEN", "bad_request"),
            (nil, "bearer.TOKEN", "bad_request"), ("https://app.example\r\nOrigin: https://app.example", "bearer.TOKEN", "bad_request"),
            ("https://app.example\r\nAuthorization: Bearer TOKEN", "bearer.TOKEN", "ambiguous_credential"),
            ("https://app.example\r\nAuthorization: Bearer TOKEN", "chat.v1", "ambiguous_credential"),
        ])
    func browserRefused(origin: String?, list: String, code: String) throws {
        let bench = try Bench { $0.routes = [Self.browserRoute] }
        bench.upstream.answer(Self.opening())
        let fields = (origin.map { "Origin: \($0)\r\n" } ?? "") + "Sec-WebSocket-Protocol: \(list)\r\n"
        let opening = WebSocketOpening.text("/live/x", fields.replacing("TOKEN", with: Dialect.jitsudo.memberToken))
        let answer = try WebSocketPeer(bench.gateway.client(), opening: opening).answer
        #expect(answer.gatewayCode == code)
        // Who writes a page must know what to do about it.
        #expect(answer.text.contains("Origin header must be one of this route's cors.origins") == (code == "bad_request"))
        #expect(answer.text.contains(#"].cors.origins""#) == (code == "bad_request"), "\(answer.text)")
        #expect(bench.upstream.takeRequests().isEmpty)
    }

    @Test(
        "a token among the subprotocols is a second credential where the token stands elsewhere, unless the route allows it by name",
        arguments: [
            "a, bearer.TOKEN", "BEARER.TOKEN", "a\r\nSec-WebSocket-Protocol: b, bearer.TOKEN", "a\r\nSec_WebSocket_Protocol: bearer.TOKEN",
            "base64url.bearer.authorization.k8s.io.eyJh", "access_token, TOKEN", "a\r\nSec-WebSocket-Protocol: TOKEN",
        ])
    func second(list: String) throws {
        let bench = try Bench {
            $0.routes = ["- {path: /live/**, upstream: jitsudo, tenant: optional, allow_credentials: [Sec-WebSocket-Protocol]}"]
        }
        bench.upstream.answer(Self.opening())
        let fields = "\(GoodRequest.identity)Sec-WebSocket-Protocol: \(list.replacing("TOKEN", with: Dialect.jitsudo.adminToken))\r\n"
        let refused = try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text("/v1/live", fields))
        #expect(refused.answer.gatewayCode == "ambiguous_credential")
        #expect(bench.upstream.takeRequests().isEmpty)
        #expect(try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text("/live/x", fields)).isOpen)
        let plain = "\(GoodRequest.identity)Sec-WebSocket-Protocol: graphql-ws, v1.2.bearer\r\n"
        #expect(try WebSocketPeer(bench.gateway.client(), opening: WebSocketOpening.text("/v1/live", plain)).isOpen)
    }

    @Test("where the token stands among the subprotocols, a request that is no WebSocket has none")
    func noWebSocket() throws {
        let bench = try Bench { $0.routes = [Self.browserRoute] }
        #expect(try bench.ask(Array(GoodRequest.target("/live/x").utf8)).gatewayCode == "unauthenticated")
    }

    @Test("a call that suspends is never an opening")
    func suspendCall() throws {
        let bench = try Bench()
        let dialect = Dialect.jitsudo
        let fields = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", WebSocketOpening.key]
        _ = try bench.gateway.ask(dialect.setActive(false, dialect.member, fields))
        #expect(bench.upstream.takeRequests().allSatisfy { $0.field("upgrade") == nil })
    }
}

extension GoodRequest {
    fileprivate static func tenantOf(_ other: String) -> String { "Authorization: Bearer \(token)\r\nX-Tenant-ID: \(other)\r\n" }
}
