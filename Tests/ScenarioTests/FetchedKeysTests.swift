import Foundation
import TestSupport
import Testing

/// Keys by URL through the real program, with issuers that fail in every way.
@Suite("keys by URL", .timed)
struct FetchedKeysTests {
    private let folder: TemporaryFolder
    private let certificate: TestCertificate
    private let service: RecordingUpstream

    init() throws {
        folder = try TemporaryFolder()
        certificate = try TestCertificate.gateway.get()
        service = try RecordingUpstream()
    }

    private func gateway(_ entries: [String]) throws -> Gateway {
        var file = GatewayFile(jitsudo: service.port, rinne: service.port)
        file.more = ["probes: {address: 127.0.0.1:0}"]
        file.credentials = entries
        return try Gateway(file: file.write(to: folder), in: folder)
    }

    /// The status for a token, and the code of a refusal.
    private func verdict(_ gateway: Gateway, _ token: String) throws -> String {
        let answer = try gateway.ask(rinneRequest(token))
        return "\(answer.status) \(answer.code ?? "")"
    }

    /// Asks until the verdict is this one, or 20 seconds have passed. The last verdict.
    private func settles(_ gateway: Gateway, _ token: String, on wanted: String) throws -> String {
        let deadline = Date(timeIntervalSinceNow: 20)
        while true {
            let verdict = try verdict(gateway, token)
            if verdict == wanted || Date() > deadline { return verdict }
            Thread.sleep(forTimeInterval: 0.01)  // between two questions
        }
    }

    private func waitForLine(_ gateway: Gateway, _ parts: String...) throws {
        _ = try gateway.process.waitForLine { line in parts.allSatisfy { line.contains($0) } ? true : nil }
    }

    /// What an issuer does wrong, and the cause that is told.
    private static let faults: [(name: String, cause: String, steps: [UpstreamStep])] = [
        ("slow", "timeout", [.hang]), ("cut", "http", [.close]), ("status", "status", [.json("{}", status: "500 Oh")]),
        ("large", "too_large", [.json(String(repeating: " ", count: 10_000_000)), .close]),
        ("endless", "too_large", [.text("HTTP/1.1 200 OK\r\n\r\n" + String(repeating: " ", count: 10_000_000)), .close]),
        ("redirect", "redirect", [.json("", status: "302 Found", fields: "Location: https://localhost:1/keys\r\n"), .close]),
        ("empty", "empty", [.json(#"{"keys":[]}"#), .close]), ("page", "parse", [.json("<html></html>"), .close]),
    ]

    @Test("the age of keys is told, and which there are none of")
    func metrics() throws {
        let (good, down) = (
            try FetchedIssuer("https://good.example", certificate: certificate),
            try FetchedIssuer("https://down.example", certificate: certificate)
        )
        good.publish([("one", 1)])
        down.server.stop()
        let metrics = try gateway([good, down].map { $0.entry("refresh: 60s, timeout: 1s") }).metrics()
        let age = try #require(metrics["tenantgate_key_set_age_seconds{origin=\"\(good.url)\"}"])
        #expect((0..<60).contains(age))
        #expect(metrics["tenantgate_key_set_available{origin=\"\(good.url)\"}"] == 1)
        #expect(metrics["tenantgate_key_set_available{origin=\"\(down.url)\"}"] == 0)
        #expect(metrics["tenantgate_key_set_age_seconds{origin=\"\(down.url)\"}"] == nil, "it was never fetched")
    }

    @Test("issuers that fail at the start: it starts all the same, says why, answers 503, and takes their tokens when they are back")
    func atStart() throws {
        let good = try FetchedIssuer("https://good.example", certificate: certificate)
        good.publish([("one", 1)])
        let faulty = try Self.faults.map { fault in
            let issuer = try FetchedIssuer("https://\(fault.name).example", certificate: certificate)
            issuer.server.answer { _ in fault.steps }
            return (issuer, fault.cause)
        }
        let down = try FetchedIssuer("https://down.example", certificate: certificate)
        down.server.stop()
        let stranger = try FetchedIssuer("https://stranger.example", certificate: TestCertificate(["DNS:localhost"]))
        let other = try FetchedIssuer("https://other.example", certificate: TestCertificate(["DNS:other.test"]))
        for issuer in [stranger, other] { issuer.publish([("one", 1)]) }
        let began = Date()
        let gateway = try gateway(
            [good, down, other].map { $0.entry("refresh: 1s, timeout: 1s") } + faulty.map { $0.0.entry("refresh: 1s, timeout: 1s") } + [
                stranger.entry(trusting: certificate), entryOfNowhere,
            ])
        #expect(Date().timeIntervalSince(began) < 30)
        #expect(try verdict(gateway, good.token("one", 1)) == "200 ")
        for (issuer, cause) in faulty {
            try waitForLine(gateway, issuer.url, "can't be fetched: \(cause): ", "503 keys_unavailable")
            #expect(try verdict(gateway, issuer.token("one", 1)) == "503 keys_unavailable")
        }
        try waitForLine(gateway, down.url, "connect: ", "Connection refused")
        try waitForLine(gateway, stranger.url, "certificate: ")
        try waitForLine(gateway, other.url, "host_name: ")
        try waitForLine(gateway, "nowhere.invalid", "dns: ")
        for issuer in [down, stranger, other] { #expect(try verdict(gateway, issuer.token("one", 1)) == "503 keys_unavailable") }
        for (issuer, _) in faulty { issuer.publish([("one", 1)]) }
        for (issuer, _) in faulty { #expect(try settles(gateway, issuer.token("one", 1), on: "200 ") == "200 ") }
        #expect(gateway.process.errorText.components(separatedBy: "host_name: ").count == 2, "one line for a cause, not for each try")
    }

    private let entryOfNowhere = """
        - {issuer: nowhere, directory: rinne, audience: any, algorithms: [RS256], keys: {jwks_url: "https://nowhere.invalid/keys"}}
        """

    @Test("issuers that fail later: the last good set serves on, and the cause is told")
    func later() throws {
        let issuers = try Self.faults.map { fault in
            let issuer = try FetchedIssuer("https://\(fault.name).example", certificate: certificate)
            issuer.publish([("one", 1)])
            return issuer
        }
        let down = try FetchedIssuer("https://down.example")
        down.publish([("one", 1)])
        let gateway = try gateway((issuers + [down]).map { $0.entry("refresh: 1s, timeout: 500ms") })
        for issuer in issuers { #expect(try verdict(gateway, issuer.token("one", 1)) == "200 ") }
        for (issuer, fault) in zip(issuers, Self.faults) { issuer.server.answer { _ in fault.steps } }
        down.server.stop()
        for (issuer, fault) in zip(issuers, Self.faults) {
            try waitForLine(gateway, issuer.url, "can't be fetched: \(fault.cause): ", "serve for 23 h more")
        }
        try waitForLine(gateway, down.url, "connect: ")
        // A user who was never seen: nothing of it is remembered.
        for issuer in issuers + [down] {
            #expect(try verdict(gateway, issuer.token("one", 1, user: "usr_new")) == "200 ")
            #expect(try verdict(gateway, issuer.token("two", 2)) == "401 invalid_token")
        }
    }

    @Test("rotation: the new key's tokens pass without a restart, the old one's stop on every loop, remembered or not")
    func rotation() throws {
        let issuer = try FetchedIssuer("https://id.example", certificate: certificate)
        issuer.publish([("one", 1)])
        let gateway = try gateway([issuer.entry()])
        let (old, new) = (issuer.token("one", 1), issuer.token("two", 2))
        // Several connections, so that every loop has the token in its memory.
        let clients = try (0..<8).map { _ in try gateway.client() }
        for client in clients { #expect(try client.exchange(rinneRequest(old)).status == 200) }
        #expect(try clients[0].exchange(rinneRequest(new)).status == 401)
        issuer.publish([("one", 1), ("two", 2)])
        try waitForLine(gateway, issuer.url, "2 keys (one, two)")
        #expect(try settles(gateway, new, on: "200 ") == "200 ")
        for client in clients { #expect(try client.exchange(rinneRequest(old)).status == 200) }
        issuer.publish([("two", 2)])
        try waitForLine(gateway, issuer.url, "1 key (two)")
        #expect(try settles(gateway, old, on: "401 invalid_token") == "401 invalid_token")
        for client in clients {
            #expect(try client.exchange(rinneRequest(old)).status == 401)
            #expect(try client.exchange(rinneRequest(new)).status == 200)
        }
    }

    @Test("a key swapped under the same kid, a bad key among good ones, a kid given twice")
    func oddSets() throws {
        let issuer = try FetchedIssuer("https://id.example")
        issuer.publish([("one", 1)])
        let gateway = try gateway([issuer.entry()])
        let (old, new) = (issuer.token("one", 1), issuer.token("one", 2))
        #expect(try verdict(gateway, old) == "200 ")
        issuer.publish([("one", 2)])
        #expect(try settles(gateway, old, on: "401 invalid_token") == "401 invalid_token")
        #expect(try verdict(gateway, new) == "200 ")
        let bad = #"{"kty":"OKP","crv":"Ed25519","kid":"short","x":"AAAA"}"#
        let text = FetchedIssuer.set([FetchedIssuer.jwk("one", 1), bad, FetchedIssuer.jwk("one", 2), FetchedIssuer.jwk("three", 3)])
        issuer.server.answer { _ in [.json(text), .close] }
        try waitForLine(gateway, "2 keys (one, three); left out: keys[1] (kid short)", "keys[2] (kid one)")
        #expect(try settles(gateway, new, on: "401 invalid_token") == "401 invalid_token")
        #expect(try verdict(gateway, old) == "200 ")
        #expect(try verdict(gateway, issuer.token("three", 3)) == "200 ")
    }

    @Test("when the last good set is older than max_stale: 503, also for remembered tokens, until the issuer is back")
    func stale() throws {
        let issuer = try FetchedIssuer("https://id.example")
        issuer.publish([("one", 1)])
        let gateway = try gateway([issuer.entry("refresh: 1s, max_stale: 2s")])
        let token = issuer.token("one", 1)
        #expect(try verdict(gateway, token) == "200 ")
        issuer.server.answer { _ in [.json("{}", status: "503 Away"), .close] }
        #expect(try settles(gateway, token, on: "503 keys_unavailable") == "503 keys_unavailable")
        try waitForLine(gateway, "older than max_stale (2 s)")
        #expect(try gateway.ask(rinneRequest(token)).field("retry-after") == "1")
        issuer.publish([("one", 1)])
        #expect(try settles(gateway, token, on: "200 ") == "200 ")
    }

    @Test("discovery: the issuer's metadata names the key set, if it names the issuer too")
    func discovery() throws {
        func issuer(named name: String? = nil) throws -> (FetchedIssuer, String) {
            let server = try RecordingUpstream()
            let address = "http://localhost:\(server.port)/tenant/"
            let issuer = try FetchedIssuer(address)
            issuer.publish([("one", 1)])
            let metadata = #"{"issuer":"\#(name ?? address)","jwks_uri":"\#(issuer.url)"}"#
            server.answer { request in
                request.target == "/tenant/.well-known/openid-configuration"
                    ? [.json(metadata), .close] : [.json("{}", status: "404 Not Found"), .close]
            }
            metadataServers.keep(server)
            return (issuer, issuer.entry(source: "discovery: true"))
        }
        let (good, goodEntry) = try issuer()
        let (bad, badEntry) = try issuer(named: "https://somebody.example")
        let gateway = try gateway([goodEntry, badEntry])
        #expect(try verdict(gateway, good.token("one", 1)) == "200 ")
        #expect(try verdict(gateway, bad.token("one", 1)) == "503 keys_unavailable")
        try waitForLine(gateway, "can't be fetched: issuer: the issuer's metadata speaks for another issuer")
    }

    private let metadataServers = Kept()

    /// Servers that live as long as the test.
    private final class Kept {
        private var servers: [RecordingUpstream] = []
        func keep(_ server: RecordingUpstream) { servers.append(server) }
    }
}
