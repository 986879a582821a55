import Foundation
import TestSupport
import Testing

/// Listeners and certificates change under connections that stay (SPEC §5).
@Suite("reload of listeners", .serialized, .timed)
struct ReloadListenerTests {
    @Test("a certificate swapped on disk: the next handshake shows it, and no connection is dropped")
    func certificate() throws {
        let stand = try ReloadStand()
        let client = try stand.gateway.client()
        #expect(try client.exchange(stand.get("/v1/things")).status == 200)
        let before = try fingerprint(stand)
        let next = try TestCertificate()
        try stand.put(next.chain, to: "tls/gateway.pem", byRenaming: true)
        try stand.put(next.key, to: "tls/gateway.key", byRenaming: true)
        // The pair may be seen between the two: that is refused, and tried again.
        while try !stand.nextReload().hasPrefix("reloaded \(stand.file): tls/gateway.") {}
        #expect(try fingerprint(stand) != before)
        #expect(try client.exchange(stand.get("/v1/things")).status == 200)
    }

    @Test("a certificate whose key is another's is refused, and the old one goes on")
    func badCertificate() throws {
        let stand = try ReloadStand()
        let before = try fingerprint(stand)
        try stand.put(try TestCertificate().key, to: "tls/gateway.key")
        #expect(try stand.nextReload().hasPrefix("reload refused"))
        #expect(stand.gateway.process.errorText.contains("not the key of the first certificate"))
        #expect(try fingerprint(stand) == before)
        #expect(try stand.ask("/v1/things").status == 200)
    }

    @Test("a new listener opens; a removed one lets its request finish and its idle connections go, and no other's")
    func listeners() throws {
        let gate = TestGate()
        let stand = try ReloadStand(script: { request in
            if request.target == "/v1/slow" { gate.wait() }
            return [.json("{}")]
        })
        let first = try stand.gateway.client()
        #expect(try first.exchange(stand.get("/v1/things")).status == 200)
        try stand.edit { $0.listeners = ["- {address: 127.0.0.1:0, tls: off}"] }
        let line = try stand.nextReload()
        let port = try #require(line.split(separator: "127.0.0.1:").last.flatMap { Int($0.prefix { $0.isNumber }) })
        #expect(line == "reloaded \(stand.file): listeners; listening on 127.0.0.1:\(port) (plain HTTP)")

        let (busy, idle) = (try WireClient.plain(port: port), try WireClient.plain(port: port))
        #expect(try idle.exchange(stand.get("/v1/things")).status == 200)
        try busy.stream.send(Array(stand.get("/v1/slow").utf8))
        #expect(stand.upstream.wait { $0.received == 3 })
        try stand.edit { _ in }
        #expect(try stand.nextReload() == "reloaded \(stand.file): listeners")
        #expect(throws: StreamError.self) { try WireClient.plain(port: port).exchange(stand.get("/v1/things")) }
        #expect(try idle.end(within: 20) == true)
        gate.open()
        let last = try busy.answer(to: "GET")
        #expect(last.status == 200)
        #expect(last.endsConnection)
        #expect(try first.exchange(stand.get("/v1/things")).status == 200)
    }

    @Test("an address that is taken refuses the file, and nothing of it is in force")
    func takenAddress() throws {
        let stand = try ReloadStand()
        try stand.edit {
            $0.listeners = ["- {address: \"127.0.0.1:\(stand.upstream.port)\", tls: off}"]
            $0.routes = ["- {path: /v1/things, upstream: jitsudo, require: {roles: [admin]}}"]
        }
        #expect(try stand.nextReload().hasPrefix("reload refused"))
        #expect(stand.gateway.process.errorText.contains("127.0.0.1:\(stand.upstream.port) can't be listened on"))
        #expect(try stand.ask("/v1/things").status == 200)
    }

    @Test("whom a connection is believed to speak for follows the file")
    func trustedProxies() throws {
        let stand = try ReloadStand()
        let client = try stand.gateway.client()
        let asked = stand.get("/v1/things", ["X-Request-ID: given-by-the-balancer"])
        #expect(try client.exchange(asked).status == 200)
        #expect(stand.upstream.takeRequests().first?.field("x-request-id") != "given-by-the-balancer")
        try stand.edit { $0.more = ["trusted_proxies: [127.0.0.0/8]"] }
        #expect(try stand.nextReload() == "reloaded \(stand.file): trusted_proxies")
        #expect(try client.exchange(asked).status == 200)
        #expect(stand.upstream.takeRequests().first?.field("x-request-id") == "given-by-the-balancer")
    }

    private func fingerprint(_ stand: ReloadStand) throws -> [UInt8] {
        let stream = try TLSStream(port: stand.gateway.port)
        defer { stream.close() }
        return stream.peerFingerprint
    }
}
