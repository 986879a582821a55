import Foundation
import TestSupport
import Testing

/// TLS to services: whom the gateway believes, what it shows, and that what was cut off never passes for whole (SPEC §5).
@Suite("TLS to services", .serialized, .timed)
struct UpstreamTLSTests {
    private let certificate: TestCertificate

    init() throws { certificate = try TestCertificate.gateway.get() }

    private func trusting(_ certificate: TestCertificate, _ more: String = "") -> [String] {
        ["tls: {ca: \"\(certificate.chainFile)\"\(more)}"]
    }

    @Test("a server is believed by its address, by its name, and by the name that the file gives")
    func believed() throws {
        let named = try TestCertificate(["DNS:users.test"])
        for (host, more, certificate) in [
            ("127.0.0.1", "", certificate), ("localhost", "", certificate), ("127.0.0.1", ", name: users.test", named),
        ] {
            let server = try RecordingUpstream(certificate: certificate)
            let stand = try ServersStand(["https://\(host):\(server.port)"], trusting(certificate, more))
            let answer = try stand.ask()
            #expect(answer.status == 200 && answer.text == "{}", "\(host)\(more): \(answer.text)")
            let request = try #require(server.takeRequests().first)
            #expect(request.method == "GET" && request.target == "/v1/page" && request.field("host") == "gateway.test")
        }
    }

    /// What is wrong with a server, the cause that is counted, and a word of what is told.
    private static let faults: [(cause: String, word: String)] = [
        ("wrong_name", "another host name"), ("unknown_authority", "no authority"), ("expired", "has expired"),
        ("not_yet_valid", "not valid yet"), ("not_tls", "not TLS"), ("interrupted", "closed the connection"),
    ]

    private func server(_ cause: String) throws -> (RecordingUpstream, trusted: TestCertificate) {
        func tls(_ certificate: TestCertificate) throws -> (RecordingUpstream, TestCertificate) {
            (try RecordingUpstream(certificate: certificate), certificate)
        }
        switch cause {
        case "wrong_name": return try tls(TestCertificate(["DNS:other.test", "IP:127.0.0.2"]))
        case "unknown_authority": return (try RecordingUpstream(certificate: TestCertificate()), certificate)
        case "expired": return try tls(TestCertificate().valid(from: -7200, to: -3600))
        case "not_yet_valid": return try tls(TestCertificate().valid(from: 3600, to: 7200))
        default:
            let said = cause == "not_tls" ? "HTTP/1.1 400 Bad Request\r\n\r\n" : ""
            return (try RecordingUpstream(certificate: certificate, tls: TLSServerOptions(insteadOfHandshake: said)), certificate)
        }
    }

    @Test("nothing is sent to a server that can't be believed: 502, counted and told with its cause", arguments: faults.indices)
    func strangers(_ index: Int) throws {
        let (cause, word) = Self.faults[index]
        let (server, trusted) = try server(cause)
        let stand = try ServersStand(["https://\(server.address)"], trusting(trusted))
        for _ in 0..<3 {
            let answer = try stand.ask("POST", body: "secret")
            #expect(answer.status == 502 && answer.gatewayCode == "upstream_unavailable", "\(cause): \(answer.text)")
        }
        _ = try stand.line("upstream jitsudo: TLS with \(server.address) fails", word)
        let metrics = try stand.gateway.metrics()
        #expect(metrics["tenantgate_upstream_tls_failures_total{upstream=\"jitsudo\",cause=\"\(cause)\"}"] == 3)
        #expect(metrics.sum("tenantgate_upstream_tls_failures_total") == 3)
        #expect(metrics.sum("tenantgate_upstream_tls_handshakes_total") == 0)
        #expect(server.received == 0)
        // Not even in a form that the server didn't take for a request.
        #expect(!server.takeLeftovers().contains { String(decoding: $0, as: UTF8.self).contains("Authorization") })
        let told = stand.gateway.process.errorText.split(separator: "\n").count { $0.contains("TLS with") }
        #expect(told == 1, "once, not for each request")
    }

    @Test("without a file, the authorities of the system count, which don't know a certificate of one's own")
    func systemAuthorities() throws {
        let server = try RecordingUpstream(certificate: certificate)
        let stand = try ServersStand(["https://\(server.address)"])
        #expect(try stand.ask().gatewayCode == "upstream_unavailable")
        _ = try stand.line("TLS with", "no authority")
        #expect(server.received == 0)
    }

    @Test("a server that demands a certificate gets the file's, and serves nobody without", arguments: [true, false])
    func clientCertificate(isTLS12: Bool) throws {
        let own = try TestCertificate(["DNS:tenantgate.test"])
        let options = TLSServerOptions(clientAuthorities: own.chainFile, isTLS12: isTLS12)
        let server = try RecordingUpstream(certificate: certificate, tls: options)
        let without = try ServersStand(["https://\(server.address)"], trusting(certificate))
        #expect(try without.ask().gatewayCode == "upstream_unavailable")
        #expect(try without.ask("POST").gatewayCode == "upstream_unavailable")
        #expect(server.received == 0)
        #expect(
            try without.waitForMetrics {
                $0.sum("tenantgate_upstream_tls_failures_total", "peer_alert") >= 2
            })
        let with = try ServersStand(
            ["https://\(server.address)"],
            trusting(certificate, ", certificate: \"\(own.chainFile)\", key: \"\(own.keyFile)\""))
        #expect(try with.ask().status == 200)
        #expect(try with.ask("POST", body: "x").status == 200)
    }

    @Test("an answer that ends with the connection is whole only where TLS says so")
    func truncation() throws {
        let server = try RecordingUpstream(certificate: certificate)
        let stand = try ServersStand(["https://\(server.address)"], trusting(certificate))
        server.answer { _ in [.text("HTTP/1.1 200 OK\r\n\r\nwhole"), .close] }
        let whole = try stand.ask()
        #expect(whole.text == "whole" && !whole.isCut)
        server.answer { _ in [.text("HTTP/1.1 200 OK\r\n\r\npart"), .cut] }
        let client = try stand.gateway.client()
        try client.stream.send(Array(GoodRequest.target("/v1/page").utf8))
        let rest = String(decoding: try client.rest(), as: UTF8.self)
        #expect(rest.contains("part"))
        #expect(!rest.contains("\r\n0\r\n\r\n"), "the last chunk would say that it is whole")
        #expect(try stand.gateway.metrics().sum("tenantgate_upstream_tls_failures_total", "truncated") == 1)
        // A length says where the end is, whoever says goodbye.
        server.answer { _ in [.json("{}"), .cut] }
        #expect(try stand.ask().text == "{}")
    }

    @Test("the next handshake resumes the last session", arguments: [true, false])
    func resumption(isTLS12: Bool) throws {
        let server = try RecordingUpstream(certificate: certificate, tls: TLSServerOptions(isTLS12: isTLS12)) { _ in
            [.json("{}", fields: "Connection: close\r\n"), .close]
        }
        let stand = try ServersStand(["https://\(server.address)"], trusting(certificate))
        for _ in 0..<6 { #expect(try stand.ask().status == 200) }
        let metrics = try stand.gateway.metrics()
        #expect(metrics["tenantgate_upstream_tls_handshakes_total{upstream=\"jitsudo\",resumed=\"false\"}"] == 1)
        #expect(metrics["tenantgate_upstream_tls_handshakes_total{upstream=\"jitsudo\",resumed=\"true\"}"] == 5)
        #expect(server.connections.accepted == 6)
    }

    @Test("bodies go both ways whole, and the connection is kept")
    func bodies() throws {
        let server = try RecordingUpstream(certificate: certificate) { request in
            [.text("HTTP/1.1 200 OK\r\nContent-Length: \(request.body.count)\r\n\r\n"), .send(request.body)]
        }
        let stand = try ServersStand(["https://\(server.address)"], trusting(certificate))
        let body = (0..<200_000).map { "\($0);" }.joined()
        for _ in 0..<3 { #expect(try stand.ask("POST", body: body).text == body) }
        #expect(server.connections.accepted == 1)
    }

    @Test("a server that only ever changes keys, or wants to begin anew, is left")
    func floods() throws {
        let server = try RecordingUpstream(certificate: certificate)
        let stand = try ServersStand(["https://\(server.address)"], trusting(certificate))
        server.answer { _ in [.keyUpdates(8), .json("{}")] }
        #expect(try stand.ask().status == 200, "a few are in order")
        server.answer { _ in [.keyUpdates(200), .json("{}")] }
        #expect(try stand.ask("POST").gatewayCode == "upstream_protocol_error")
        let old = try RecordingUpstream(certificate: certificate, tls: TLSServerOptions(isTLS12: true)) { _ in [.renegotiate, .json("{}")] }
        let other = try ServersStand(["https://\(old.address)"], trusting(certificate))
        #expect(try other.ask("POST").gatewayCode == "upstream_protocol_error")
        for stand in [stand, other] {
            #expect(try stand.gateway.metrics().sum("tenantgate_upstream_tls_failures_total", "protocol_violation") == 1)
        }
    }

    @Test("a WebSocket passes, and when the gateway ends it the server hears that in TLS too")
    func webSocket() throws {
        let opened = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        let server = try RecordingUpstream(certificate: certificate) { _ in
            [
                .text(opened + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
                .send(WebSocketFrame.text("hello").unmasked().bytes),
            ]
        }
        let stand = try ServersStand(["https://\(server.address)"], trusting(certificate))
        // It ends with its token, which has two seconds left.
        let token = Dialect.jitsudo.token(Dialect.jitsudo.member, expiresIn: -28)
        let fields = "Authorization: Bearer \(token)\r\nX-Tenant-ID: \(TestIssuers.acme)\r\n"
        let peer = try WebSocketPeer(stand.gateway.client(), opening: WebSocketOpening.text("/v1/live", fields))
        #expect(try peer.next() == .frame(opcode: 1, isFinal: true, payload: Array("hello".utf8)))
        try peer.send(.text("from the client"))
        #expect(try peer.next() == .close(1008))
        #expect(server.wait { $0.connections.open == 0 })
        let heard = server.takeLeftovers().flatMap { $0 }
        // The client's frame of 15 masked bytes, then the gateway's Close.
        try #require(heard.count > 21, "\(heard)")
        #expect(heard[0] == 0x81 && heard[21] == 0x88)
        #expect(try stand.gateway.metrics().sum("tenantgate_upstream_tls_failures_total") == 0)
    }

    @Test("a connection on which a part of a record came behind the answer carries no other request")
    func tornRecord() throws {
        let server = try RecordingUpstream(certificate: certificate)
        let stand = try ServersStand(["https://\(server.address)"], trusting(certificate)) { $0.threads = 1 }
        server.answer { _ in [.torn(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".utf8))] }
        #expect(try stand.ask().status == 200)
        server.answer { _ in [.json("{}")] }
        #expect(try stand.ask("POST").status == 200)
        #expect(server.connections.accepted == 2)
        #expect(try stand.ask("POST").status == 200)
        #expect(server.connections.accepted == 2)
    }

    @Test("a handshake that hangs ends with `connect_timeout`")
    func hangingHandshake() throws {
        let (deaf, port) = try listeningSocket()
        defer { _ = close(deaf) }
        let stand = try ServersStand(["https://127.0.0.1:\(port)"], trusting(certificate) + ["connect_timeout: 300ms"])
        let start = Date()
        #expect(try stand.ask().gatewayCode == "upstream_unavailable")
        #expect(Date().timeIntervalSince(start) < 3)
    }

    @Test("authorities follow a reload: what they don't know is refused from then on, and what hasn't changed keeps its connections")
    func reload() throws {
        let server = try RecordingUpstream(certificate: certificate)
        let folder = try TemporaryFolder()
        try folder.write(certificate.chain, to: "tls/services.pem")
        let stand = try ServersStand(["https://\(server.address)"], ["tls: {ca: tls/services.pem}"], in: folder)
        #expect(try stand.ask().status == 200)
        try stand.edit { $0.more += ["limits: {token: 4KiB}"] }
        #expect(try stand.ask().status == 200)
        #expect(server.connections.accepted == 1)
        try folder.write(try TestCertificate().chain, to: "tls/services.pem")
        #expect(try stand.nextReload().hasSuffix("tls/services.pem"))
        #expect(try stand.ask().gatewayCode == "upstream_unavailable")
        try folder.write("no certificate", to: "tls/services.pem")
        #expect(try stand.nextReload().hasPrefix("reload refused"))
        #expect(stand.gateway.process.errorText.contains("no PEM certificate"))
        try folder.write(certificate.chain, to: "tls/services.pem")
        #expect(try stand.nextReload().hasSuffix("tls/services.pem"))
        #expect(try stand.ask().status == 200)
    }
}

extension UpstreamTLSTests {
    @Test("an HTTP/2 upload that comes in pieces goes on to a service behind TLS as it comes")
    func streamedUpload() throws {
        let server = try RecordingUpstream(certificate: certificate)
        let stand = try ServersStand(["https://127.0.0.1:\(server.port)"], trusting(certificate))
        let client = try HTTP2Client(port: stand.gateway.port)
        let id = try client.begin(GoodStream.fields("POST"), end: false)
        #expect(server.wait { $0.connections.open == 1 })
        for _ in 0..<5 {
            try client.send(.data(id, Array("hello".utf8), end: false))
            #expect(client.settle())
        }
        try client.send(.data(id, Array("!".utf8)))
        #expect(try client.answer(on: id).status == 200)
        #expect(server.takeRequests().first.map { String(decoding: $0.content, as: UTF8.self) } == "hellohellohellohellohello!")
    }
}
