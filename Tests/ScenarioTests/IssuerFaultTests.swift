import Foundation
import Synchronization
import TestSupport
import Testing

/// What goes wrong with an issuer while the gateway runs, beyond the answers of `FetchedKeysTests`: its certificate, and tokens that name
/// keys which it never had.
@Suite("issuers that fail at run time", .serialized, .timed)
struct IssuerFaultTests {
    private let folder: TemporaryFolder
    private let service: RecordingUpstream

    init() throws {
        folder = try TemporaryFolder()
        service = try RecordingUpstream()
    }

    private func gateway(_ entry: String, threads: Int = 2) throws -> Gateway {
        var file = GatewayFile(jitsudo: service.port, rinne: service.port)
        file.threads = threads
        file.more = ["probes: {address: 127.0.0.1:0}"]
        file.credentials = [entry]
        return try Gateway(file: file.write(to: folder), in: folder)
    }

    /// Waits until so many lines of standard error have all these parts.
    private func waitForLines(_ gateway: Gateway, _ count: Int, _ parts: String...) throws {
        _ = try gateway.process.waitForErrors { text in
            text.split(separator: "\n").count { line in parts.allSatisfy { line.contains($0) } } >= count ? true : nil
        }
    }

    @Test("a certificate that nobody vouches for, or of another host, later: the last good set serves on, the cause is told everywhere")
    func certificates() throws {
        let (good, stranger) = (try TestCertificate(["DNS:localhost"]), try TestCertificate(["DNS:localhost"]))
        let other = try TestCertificate(["DNS:elsewhere.test"])
        let issuer = try FetchedIssuer("https://id.example", certificate: good)
        issuer.publish([("one", 1)])
        let trusted = try folder.write(good.chain + other.chain, to: "trusted.pem")
        let gateway = try gateway(
            "- {issuer: \"\(issuer.name)\", directory: rinne, audience: [core-api], algorithms: [EdDSA], "
                + "keys: {jwks_url: \"\(issuer.url)\", refresh: 1s, ca_file: \(trusted)}}")
        let age = "tenantgate_key_set_age_seconds{origin=\"\(issuer.url)\"}"
        try waitForLines(gateway, 1, issuer.url, "1 key (one)")
        for (round, (certificate, cause)) in [(stranger, "certificate"), (other, "host_name")].enumerated() {
            try issuer.server.present(certificate)
            try waitForLines(gateway, 1, issuer.url, "can't be fetched: \(cause): ", "serve for 23 h more")
            let ready = try gateway.probe("/readyz")
            #expect(ready.status == 200)
            #expect(ready.text.contains("notice: keys from \(issuer.url) can't be fetched (\(cause): "), "\(ready.text)")
            let before = try #require(try gateway.metrics()[age])
            // Users who were never seen: nothing of their tokens is remembered.
            for user in ["usr_\(cause)_1", "usr_\(cause)_2"] {
                #expect(try gateway.ask(rinneRequest(issuer.token("one", 1, user: user))).status == 200)
            }
            #expect(try gateway.ask(rinneRequest(issuer.token("two", 2))).code == "invalid_token")
            let metrics = try gateway.metrics()
            #expect(metrics["tenantgate_key_set_available{origin=\"\(issuer.url)\"}"] == 1)
            #expect(try #require(metrics[age]) >= before, "it grows older")
            try issuer.server.present(good)
            try waitForLines(gateway, round + 2, issuer.url, "1 key (one)")
            #expect(try gateway.probe("/readyz").text == "ready\n")
        }
    }

    @Test("10,000 requests with kids that nobody knows: a fetch every 10 s at most, and known tokens are answered as before")
    func flood() throws {
        let issuer = try FetchedIssuer("https://id.example")
        let keys = FetchedIssuer.set([FetchedIssuer.jwk("one", 1)])
        // Slow, so that whoever waited for a fetch would show.
        issuer.server.answer { _ in [.wait(seconds: 0.3), .json(keys), .close] }
        // One loop, so that the flood is on that of the known token.
        let gateway = try gateway(issuer.entry("refresh: 1h"), threads: 1)
        let known = try Latency(gateway, rinneRequest(issuer.token("one", 1)))
        // The same flood of tokens whose issuer nobody knows: they cost the loop as much, and ask for nothing.
        let stranger = try FetchedIssuer("https://stranger.example")
        let usual = try known.median(during: Flood(gateway, (0..<100).map { stranger.token("unknown-\($0)", 2) }))
        let began = Date()
        let flooded = try known.median(during: Flood(gateway, (0..<100).map { issuer.token("unknown-\($0)", 2) }))
        let (seconds, fetches) = (Date().timeIntervalSince(began), issuer.server.received)
        print("flood: 10,000 requests in \(Int(seconds * 1000)) ms, \(fetches) fetches; a known token's median", terminator: " ")
        print("\(Int(flooded * 1_000_000)) µs, and \(Int(usual * 1_000_000)) µs in a flood that asks for no keys")
        #expect(fetches <= 2 + Int(seconds / 10))
        #expect(flooded < 3 * usual + 0.02)
        // The flood has asked for a fetch, which finds the key that has come meanwhile.
        issuer.publish([("one", 1), ("unknown-1", 2)])
        let deadline = Date(timeIntervalSinceNow: 20)
        let late = rinneRequest(issuer.token("unknown-1", 2))
        while try gateway.ask(late).status != 200 {
            try #require(Date() < deadline)
            Thread.sleep(forTimeInterval: 0.01)
        }
    }
}

/// 10,000 requests on two connections, with each of these tokens in turn; all are to be refused.
private final class Flood: Sendable {
    private let refused = Atomic(0)
    private let threads = Mutex<[TestThread]>([])
    /// A flood that comes to nothing is no reason to wait for ever.
    private let deadline = Date(timeIntervalSinceNow: 120)

    init(_ gateway: Gateway, _ tokens: [String]) {
        let requests = Array(tokens.map(rinneRequest).joined().utf8)
        for _ in 0..<2 {
            let thread = TestThread { [self] in
                guard let client = try? gateway.client() else { return }
                for _ in 0..<5000 / tokens.count {
                    guard (try? client.stream.send(requests)) != nil else { return }
                    for _ in tokens where (try? client.answer(to: "GET"))?.status == 401 { refused.add(1, ordering: .relaxed) }
                }
            }
            threads.withLock { $0.append(thread) }
        }
    }

    /// Not for the last tenth, in which one connection may have come to its end.
    var isOn: Bool { refused.load(ordering: .relaxed) < 9000 && Date() < deadline }

    func end() {
        for thread in threads.withLock({ $0 }) { thread.wait() }
        #expect(refused.load(ordering: .relaxed) == 10_000)
    }
}

/// How long one request takes on a connection of its own.
private struct Latency {
    private let client: WireClient
    private let request: String

    init(_ gateway: Gateway, _ request: String) throws {
        client = try gateway.client()
        self.request = request
    }

    /// Seconds, of requests made at a steady pace, so that quick answers don't outnumber slow ones; each must be answered by the service.
    func median(during flood: Flood) throws -> Double {
        var seconds: [Double] = []
        repeat {
            let start = Date()
            #expect(try client.exchange(request).status == 200)
            seconds.append(Date().timeIntervalSince(start))
            Thread.sleep(forTimeInterval: 0.005)
        } while flood.isOn
        flood.end()
        return seconds.sorted()[seconds.count / 2]
    }
}
