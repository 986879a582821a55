import Foundation
import TestSupport
import Testing

/// Listeners behind a proxy that speaks the PROXY protocol, and what is believed of whom a request was forwarded for (RFC 7239).
@Suite("behind proxies", .serialized, .timed)
struct ProxyProtocolTests {
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    /// A header that names this IPv4 client.
    private static func header(_ client: [UInt8], command: UInt8 = 0x21, more: [UInt8] = []) -> [UInt8] {
        signature + [command, 0x11, 0, UInt8(12 + more.count)] + client + [127, 0, 0, 1, 0x9C, 0x40, 0x01, 0xBB] + more
    }

    /// A gateway with a plain listener behind the PROXY protocol, and one for TLS.
    private struct Stand {
        let bench: Bench
        let plainPort: Int
        let tlsPort: Int

        init(trusted: String = "[127.0.0.0/8]", _ edit: (inout GatewayFile) -> Void = { _ in }) throws {
            bench = try Bench { file in
                file.listeners = [
                    "- {address: \"127.0.0.1:0\", tls: off, proxy_protocol: required}",
                    "- {address: \"127.0.0.1:0\", tls: {certificates: [{chain: tls/gateway.pem, key: tls/gateway.key}]}, proxy_protocol: required}",
                ]
                file.more = ["trusted_proxies: \(trusted)", "probes: {address: \"127.0.0.1:0\"}"]
                edit(&file)
            }
            plainPort = try Self.port("(plain HTTP behind", of: bench)
            tlsPort = try Self.port("(TLS behind", of: bench)
        }

        private static func port(_ words: String, of bench: Bench) throws -> Int {
            try bench.gateway.process.waitForLine { line in
                guard line.contains(words) else { return nil }
                return line.split(separator: "127.0.0.1:").last.flatMap { Int($0.prefix { $0.isNumber }) }
            }
        }

        func connect(_ header: [UInt8]) throws -> WireClient {
            let stream = try PlainStream(port: plainPort)
            try stream.send(header)
            return WireClient(stream)
        }

        func refusals(_ cause: String) throws -> Double? {
            try bench.gateway.metrics()["tenantgate_proxy_protocol_refused_total{cause=\"\(cause)\"}"]
        }
    }

    private static let request = Array(GoodRequest.target("/v1/page").utf8)

    @Test("the client that a trusted proxy names is whom the request is from, however the header arrives")
    func named() throws {
        let stand = try Stand()
        let whole = Self.header([192, 0, 2, 7]) + Self.request
        #expect(try stand.connect(whole).answer(to: "GET").status == 200)
        for cut in [1, 11, 12, 15, 16, 17, 27, 28] {
            let client = try stand.connect(Array(whole[..<cut]))
            try client.stream.send(Array(whole[cut...]))
            #expect(try client.answer(to: "GET").status == 200, "cut at \(cut)")
        }
        let slow = try stand.connect([])
        for byte in Self.header([192, 0, 2, 7], more: [4, 0, 1, 9]) { try slow.stream.send([byte]) }
        #expect(try slow.exchange(Self.request).status == 200)
        let requests = stand.bench.upstream.takeRequests()
        #expect(requests.count == 10 && requests.allSatisfy { $0.values("x-forwarded-for") == ["192.0.2.7"] })
    }

    @Test("TLS begins after the header")
    func tls() throws {
        let stand = try Stand()
        let client = WireClient(try TLSStream(port: stand.tlsPort, first: Self.header([198, 51, 100, 23])))
        #expect(try client.exchange(Self.request).status == 200)
        let sent = try #require(stand.bench.upstream.takeRequests().first)
        #expect(sent.values("x-forwarded-for") == ["198.51.100.23"] && sent.values("x-forwarded-proto") == ["https"])
        #expect(throws: (any Error).self) { try TLSStream(port: stand.tlsPort) }
    }

    @Test("the proxy's own connection is its own, and a client that it doesn't know is nobody's, whom nobody believes")
    func others() throws {
        let stand = try Stand()
        let claim = "X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\nX-Request-ID: theirs"
        let request = Array(GoodRequest.fields(claim).utf8)
        #expect(try stand.connect(Self.header([192, 0, 2, 7], command: 0x20) + request).answer(to: "GET").status == 200)
        #expect(try stand.connect(Self.signature + [0x21, 0x00, 0, 0] + request).answer(to: "GET").status == 200)
        #expect(try stand.connect(Self.header([192, 0, 2, 7]) + request).answer(to: "GET").status == 200)
        let (own, unknown, named) = { ($0[0], $0[1], $0[2]) }(stand.bench.upstream.takeRequests())
        #expect(own.values("x-forwarded-for") == ["203.0.113.9", "127.0.0.1"])
        #expect(own.values("forwarded") == ["for=203.0.113.9", "for=127.0.0.1;proto=http"])
        #expect(own.field("x-request-id") == "theirs")
        for (request, text) in [(unknown, "unknown"), (named, "192.0.2.7")] {
            #expect(request.values("x-forwarded-for") == [text], "what it sent itself is dropped")
            #expect(request.values("forwarded") == [])
            #expect(request.field("x-request-id") != "theirs")
        }
    }

    @Test("what is no header of version 2 ends the connection without a word, and is counted")
    func malformed() throws {
        let stand = try Stand()
        let bad: [[UInt8]] = [
            Self.request, Array("PROXY TCP4 192.0.2.7 127.0.0.1 40000 443\r\n".utf8) + Self.request,
            Self.header([192, 0, 2, 7], command: 0x22) + Self.request,
            Self.signature + [0x21, 0x12, 0, 12] + [UInt8](repeating: 0, count: 12),
            Self.signature + [0x21, 0x11, 0, 4, 1, 2, 3, 4] + Self.request, Self.signature + [0x21, 0x11, 0xFF, 0xFF],
        ]
        for bytes in bad {
            let client = try stand.connect(bytes)
            #expect(try client.rest().isEmpty)
        }
        #expect(try stand.refusals("malformed") == Double(bad.count))
        let cut = try stand.connect(Array(Self.header([192, 0, 2, 7])[..<20]))
        cut.stream.endSending()
        #expect(try cut.rest().isEmpty)
        #expect(try stand.refusals("interrupted") == 1)
        #expect(stand.bench.upstream.received == 0)
        // A second header is no request.
        let twice = try stand.connect(Self.header([192, 0, 2, 7]) + Self.header([192, 0, 2, 8]) + Self.request)
        #expect(try twice.answer(to: "GET").gatewayCode == "bad_request")
    }

    @Test("whoever is no trusted proxy is not listened to, whatever header they send")
    func untrusted() throws {
        let stand = try Stand(trusted: "[10.0.0.0/8]")
        let client = try WireClient.plain(port: stand.plainPort)
        try? client.stream.send(Self.header([10, 0, 0, 1]) + Self.request)
        #expect(try client.end(within: 10) != nil)
        #expect(try stand.refusals("untrusted") == 1)
        #expect(stand.bench.upstream.received == 0)
        // At a listener without it, a header is no way in either.
        let spoof = WireClient(try TLSStream(port: stand.bench.gateway.port))
        #expect(try spoof.exchange(Self.header([10, 0, 0, 1]) + Self.request).gatewayCode == "bad_request")
    }

    @Test("a header that doesn't come is waited for as long as a handshake may take, and the ending gateway waits for none")
    func slow() throws {
        let stand = try Stand { $0.more += ["timeouts: {handshake: 300ms}"] }
        let client = try stand.connect(Array(Self.header([192, 0, 2, 7])[..<13]))
        #expect(try client.rest().isEmpty)
        #expect(try stand.refusals("timeout") == 1)
        let silent = try stand.connect([])
        #expect(try silent.rest().isEmpty)
        #expect(try stand.refusals("timeout") == 1, "a check whether the port is open is no failure")
        let late = try Stand { $0.more += ["timeouts: {handshake: 5m, drain: 20s}"] }
        _ = try late.connect(Array(Self.header([192, 0, 2, 7])[..<13]))
        let begun = Date()
        #expect(late.bench.gateway.process.terminate() == 0)
        #expect(Date().timeIntervalSince(begun) < 10)
    }

    @Test("a source's connections are its own, whoever else comes through the same proxy")
    func limits() throws {
        let stand = try Stand { $0.more += ["limits: {connections_per_source: 2}"] }
        let ann = try (0..<2).map { _ in try stand.connect(Self.header([192, 0, 2, 7])) }
        for client in ann { #expect(try client.exchange(Self.request).status == 200) }
        let third = try stand.connect(Self.header([192, 0, 2, 7]))
        #expect(try third.end(within: 10) != nil)
        let ben = try (0..<2).map { _ in try stand.connect(Self.header([192, 0, 2, 8])) }
        for client in ben { #expect(try client.exchange(Self.request).status == 200) }
        ann[0].stream.close()
        var status: Int?
        for _ in 0..<200 where status != 200 {
            let again = try stand.connect(Self.header([192, 0, 2, 7]))
            status = try? again.exchange(Self.request).status
            again.stream.close()
        }
        #expect(status == 200, "a place that became free")
    }

    @Test("Forwarded and X-Forwarded-* of others than trusted proxies never reach the service, in no spelling")
    func spoofed() throws {
        let names = [
            "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "True-Client-IP", "X_Forwarded_For",
            "x.forwarded.for", "X-Forwarded-Client-Cert", "Client-Cert", "Client_Cert", "Client-Cert-Chain", "FORWARDED",
        ]
        let request = GoodRequest.fields(names.map { "\($0): 203.0.113.9" }.joined(separator: "\r\n"))
        let bench = try Bench()
        #expect(try bench.gateway.ask(request).status == 200)
        let sent = try #require(bench.upstream.takeRequests().first)
        #expect(!sent.text.contains("203.0.113.9"))
        let trusting = try Bench { $0.more = ["trusted_proxies: [127.0.0.1]"] }
        #expect(try trusting.gateway.ask(request).status == 200)
        let passed = try #require(trusting.upstream.takeRequests().first)
        #expect(passed.values("forwarded") == ["203.0.113.9", "203.0.113.9", "for=127.0.0.1;proto=https"])
        #expect(passed.values("x-forwarded-for") == ["203.0.113.9", "127.0.0.1"])
        #expect(passed.fields.allSatisfy { !$0.name.contains("_") && !$0.name.contains(".") && !$0.name.hasPrefix("client-cert") })
        #expect(try trusting.gateway.ask(GoodRequest.fields()).status == 200)
        #expect(trusting.upstream.takeRequests().first?.values("forwarded") == [], "none where there was none")
    }

    @Test("a reload turns the PROXY protocol on and off for new connections; those that stand go on")
    func reload() throws {
        let stand = try ReloadStand {
            $0.listeners = ["- {address: \"127.0.0.1:0\", tls: off}"]
            $0.more = ["trusted_proxies: [127.0.0.0/8]"]
        }
        let port = try stand.gateway.process.waitForLine { line in
            line.contains("plain HTTP") ? line.split(separator: "127.0.0.1:").last.flatMap { Int($0.prefix { $0.isNumber }) } : nil
        }
        let old = try WireClient.plain(port: port)
        #expect(try old.exchange(Self.request).status == 200)
        try stand.edit { $0.listeners = ["- {address: \"127.0.0.1:0\", tls: off, proxy_protocol: required}"] }
        #expect(try stand.reload().contains("listeners"))
        #expect(try old.exchange(Self.request).status == 200)
        let new = try WireClient.plain(port: port)
        try? new.stream.send(Self.request)
        #expect(try new.end(within: 10) != nil)
        let proxied = try WireClient.plain(port: port)
        #expect(try proxied.exchange(Self.header([192, 0, 2, 7]) + Self.request).status == 200)
        try stand.edit { _ in }
        #expect(try stand.reload().contains("listeners"))
        #expect(try WireClient.plain(port: port).exchange(Self.request).status == 200)
    }
}
