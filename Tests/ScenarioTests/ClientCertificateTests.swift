import Foundation
import TestSupport
import Testing

/// Client certificates per server name: who gets in, what the service is told, and that nobody gets from one name to another.
@Suite("client certificates", .serialized, .timed)
struct ClientCertificateTests {
    /// A gateway whose second listener asks by name: `open.test` nobody, `must.test` and `may.test` for one of `ours`, `others.test` for one
    /// of `theirs`.
    private struct Stand {
        let stand: ReloadStand
        let port: Int
        let ours: TestAuthority
        let theirs: TestAuthority

        init() throws {
            let (ours, theirs) = (try TestAuthority(), try TestAuthority())
            let names = ["open", "must", "may", "others"]
            let certificates = try names.map { try TestCertificate(["DNS:\($0).test"]) }
            let asks = [
                "", ", client_ca: tls/ours.pem, client_certificate: required", ", client_ca: tls/ours.pem, client_certificate: optional",
                ", client_ca: tls/theirs.pem, client_certificate: required",
            ]
            let entries = zip(names, asks).map { "{chain: tls/\($0).pem, key: tls/\($0).key\($1)}" }.joined(separator: ", ")
            stand = try ReloadStand {
                $0.listeners = ["- {address: \"127.0.0.1:0\", tls: {certificates: [\(entries)]}}"]
                $0.more = ["probes: {address: \"127.0.0.1:0\"}"]
            } prepare: { folder in
                try folder.write(ours.certificate, to: "tls/ours.pem")
                try folder.write(theirs.certificate, to: "tls/theirs.pem")
                for (name, certificate) in zip(names, certificates) {
                    try folder.write(certificate.chain, to: "tls/\(name).pem")
                    try folder.write(certificate.key, to: "tls/\(name).key")
                }
            }
            port = try stand.gateway.process.waitForErrors { text in
                let lines = text.split(separator: "\n").filter { $0.hasPrefix("listening on 127.0.0.1:") }
                return lines.count < 2 ? nil : Int(lines[1].dropFirst("listening on 127.0.0.1:".count).prefix { $0.isNumber })
            }
            (self.ours, self.theirs) = (ours, theirs)
        }

        func connect(
            _ name: String, _ identity: (chain: String, key: String)? = nil, resuming: TLSSessionTicket? = nil, tls12: Bool = false
        ) throws -> (stream: TLSStream, client: WireClient) {
            let stream = try TLSStream(
                port: port, name: name, identity: identity, resuming: resuming, newest: tls12 ? 0x0303 : 0x0304)
            return (stream, WireClient(stream))
        }

        /// What a request for `host` over a handshake for `name` is answered with; nil where there is no connection for it.
        func ask(
            _ name: String, host: String? = nil, _ identity: (chain: String, key: String)? = nil, tls12: Bool = false, fields: String = ""
        ) throws -> WireAnswer? {
            guard let client = try? connect(name, identity, tls12: tls12).client else { return nil }
            defer { client.stream.close() }
            return try? client.exchange(request(host ?? name, fields))
        }

        func request(_ host: String, _ fields: String = "") -> String {
            "GET /v1/page HTTP/1.1\r\nHost: \(host)\r\n\(GoodRequest.identity)\(fields)\r\n"
        }

        /// What the service was told of the client's certificate since it was last asked.
        func told() -> [[String]] { stand.upstream.takeRequests().map { $0.values("client-cert") } }
    }

    /// RFC 9440 §2.2 of a PEM file: what is between its lines, in colons.
    private func field(_ file: String) throws -> String {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let body = text.split(separator: "\n").drop { !$0.hasPrefix("-----BEGIN") }.dropFirst().prefix { !$0.hasPrefix("-----END") }
        return ":\(body.joined()):"
    }

    @Test("who has a certificate of the right authority gets in, and the service is told by RFC 9440's field", arguments: [false, true])
    func verified(tls12: Bool) throws {
        let stand = try Stand()
        let (ann, eve) = (try stand.ours.issue("ann"), try stand.theirs.issue("eve"))
        let annField = try field(ann.chain)
        let spoof = "Client-Cert: \(try field(eve.chain))\r\nclient_cert: x\r\nClient-Cert-Chain: :eA==:\r\n"
        for (name, identity, told) in [
            ("must.test", ann, [annField]), ("may.test", ann, [annField]), ("may.test", nil, []), ("open.test", ann, []),
            ("open.test", nil, []), ("unknown.test", ann, []), ("others.test", eve, [try field(eve.chain)]),
        ] {
            #expect(try stand.ask(name, identity, tls12: tls12, fields: spoof)?.status == 200, "\(name)")
            let request = try #require(stand.stand.upstream.takeRequests().first)
            #expect(request.values("client-cert") == told, "\(name)")
            #expect(request.fields.allSatisfy { $0.name != "client_cert" && $0.name != "client-cert-chain" })
        }
    }

    @Test("who has none where one is required, or a wrong one anywhere, does not", arguments: [false, true])
    func refused(tls12: Bool) throws {
        let stand = try Stand()
        let (ann, eve) = (try stand.ours.issue("ann"), try stand.theirs.issue("eve"))
        let own = try TestCertificate(["DNS:ann"])
        let server = try stand.ours.issue("server", extensions: "extendedKeyUsage=serverAuth")
        let names = (0..<400).map { "DNS:a-rather-long-name-\($0).test" }.joined(separator: ",")
        let large = try stand.ours.issue("large", extensions: "extendedKeyUsage=clientAuth\nsubjectAltName=\(names)")
        let refused: [(String, (chain: String, key: String)?)] = [
            ("must.test", nil), ("others.test", nil), ("must.test", eve), ("may.test", eve), ("others.test", ann),
            ("must.test", (own.chainFile, own.keyFile)), ("must.test", server), ("must.test", large),
        ]
        for (name, identity) in refused { #expect(try stand.ask(name, identity, tls12: tls12) == nil, "\(name) \(identity?.chain ?? "-")") }
        #expect(stand.stand.upstream.received == 0)
        let failures = try stand.stand.gateway.metrics()["tenantgate_tls_handshake_failures_total{cause=\"client_certificate\"}"]
        #expect(failures == Double(refused.count))
    }

    @Test("a request for a host that asks other things of clients than its handshake was held to is 421")
    func misdirected() throws {
        let stand = try Stand()
        let (ann, eve) = (try stand.ours.issue("ann"), try stand.theirs.issue("eve"))
        for (name, host, identity) in [
            ("open.test", "must.test", nil), ("unknown.test", "must.test", nil), ("may.test", "must.test", nil),
            ("may.test", "must.test", ann),
            ("must.test", "open.test", ann), ("must.test", "unknown.test", ann), ("must.test", "others.test", ann),
            ("others.test", "must.test", eve), ("must.test", "127.0.0.1", ann), ("open.test", "MUST.test:8443", nil),
            ("open.test", "must.test", ann),
        ] {
            let answer = try #require(try stand.ask(name, host: host, identity), "\(name) \(host)")
            #expect(answer.status == 421 && answer.gatewayCode == "misdirected_request", "\(name) \(host)")
        }
        #expect(stand.stand.upstream.received == 0)
        for (name, host) in [("must.test", "MUST.test:443"), ("open.test", "unknown.test"), ("unknown.test", "open.test:1")] {
            #expect(try stand.ask(name, host: host, ann)?.status == 200, "\(name) \(host)")
        }
        #expect(try stand.stand.gateway.ask(stand.request("must.test")).status == 200, "a listener that asks nobody has nothing to compare")
    }

    @Test("a session is resumed for its own name alone, with the certificate that it was made with", arguments: [false, true])
    func resumption(tls12: Bool) throws {
        let stand = try Stand()
        let ann = try stand.ours.issue("ann")
        func ticket(_ name: String, _ identity: (chain: String, key: String)?) throws -> TLSSessionTicket {
            let (stream, client) = try stand.connect(name, identity, tls12: tls12)
            #expect(try client.exchange(stand.request(name)).status == 200)
            return stream.ticket
        }
        let (must, may) = (try ticket("must.test", ann), try ticket("may.test", nil))
        _ = stand.told()
        let (again, client) = try stand.connect("must.test", nil, resuming: must, tls12: tls12)
        #expect(try client.exchange(stand.request("must.test")).status == 200)
        #expect(again.isResumed)
        #expect(stand.told() == [[try field(ann.chain)]], "without being shown again")
        let stolen = try? stand.connect("must.test", nil, resuming: may, tls12: tls12)
        #expect(stolen?.stream.isResumed != true)
        #expect(stolen.flatMap { try? $0.client.exchange(stand.request("must.test")) } == nil)
        let other = try stand.connect("may.test", nil, resuming: must, tls12: tls12)
        #expect(!other.stream.isResumed)
        #expect(try other.client.exchange(stand.request("may.test")).status == 200)
        #expect(stand.told() == [[]])
    }

    @Test("a certificate that has expired is none any more, also where its session is resumed", arguments: [false, true])
    func expired(tls12: Bool) throws {
        let stand = try Stand()
        let ann = try stand.ours.issue("ann", seconds: 8)
        let expiry = Date(timeIntervalSinceNow: 9)
        let (stream, client) = try stand.connect("must.test", ann, tls12: tls12)
        #expect(try client.exchange(stand.request("must.test")).status == 200)
        let ticket = stream.ticket
        let again = try stand.connect("must.test", resuming: ticket, tls12: tls12)
        #expect(try again.client.exchange(stand.request("must.test")).status == 200)
        while Date() < expiry { Thread.sleep(forTimeInterval: 0.1) }
        let late = try? stand.connect("must.test", resuming: ticket, tls12: tls12)
        #expect(late.flatMap { try? $0.client.exchange(stand.request("must.test")) } == nil)
        #expect(try stand.ask("must.test", ann, tls12: tls12) == nil)
    }

    @Test("another authority in the file counts from the next handshake on; who stands is let go, and no session outlives it")
    func reload() throws {
        let stand = try Stand()
        let (ann, eve) = (try stand.ours.issue("ann"), try stand.theirs.issue("eve"))
        let (standing, client) = try stand.connect("must.test", ann)
        #expect(try client.exchange(stand.request("must.test")).status == 200)
        try stand.stand.put(stand.theirs.certificate, to: "tls/ours.pem", byRenaming: true)
        #expect(try stand.stand.reload().contains("tls/ours.pem"))
        #expect(try stand.ask("must.test", ann) == nil)
        #expect(try stand.ask("must.test", eve)?.status == 200)
        let late = try? stand.connect("must.test", ann, resuming: standing.ticket)
        #expect(late.flatMap { try? $0.client.exchange(stand.request("must.test")) } == nil)
        #expect(try client.end(within: 10) == true, "a connection that stands is ended")
    }
}
