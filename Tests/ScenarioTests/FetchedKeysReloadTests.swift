import Foundation
import TestSupport
import Testing

/// Keys by URL when the file changes, and what the probes tell of them.
@Suite("keys by URL, reloaded and watched", .timed)
struct FetchedKeysReloadTests {
    /// The stand's file with these entries beside its own.
    private func edit(_ stand: ReloadStand, _ entries: [String]) throws -> String {
        try stand.edit { $0.credentials = entries }
        return try stand.reload()
    }

    private func verdict(_ stand: ReloadStand, _ token: String) throws -> String {
        let answer = try stand.gateway.ask(rinneRequest(token))
        return "\(answer.status) \(answer.code ?? "")"
    }

    @Test("an issuer that comes into the file is asked before the file is in force; one that goes is asked no more")
    func comingAndGoing() throws {
        let stand = try ReloadStand()
        let issuer = try FetchedIssuer("https://id.example", certificate: TestCertificate.gateway.get())
        issuer.publish([("one", 1)])
        #expect(try verdict(stand, issuer.token("one", 1)) == "401 invalid_token")
        #expect(try edit(stand, [issuer.entry("refresh: 1h")]) == "reloaded \(stand.file): credentials")
        #expect(try verdict(stand, issuer.token("one", 1)) == "200 ")
        #expect(try edit(stand, []) == "reloaded \(stand.file): credentials")
        #expect(try verdict(stand, issuer.token("one", 1)) == "401 invalid_token")
        #expect(try edit(stand, [issuer.entry("refresh: 1h")]) == "reloaded \(stand.file): credentials")
        #expect(try verdict(stand, issuer.token("one", 1)) == "200 ")
        #expect(issuer.server.received == 2)
    }

    @Test("other times for the same set, while its issuer is down: the keys that are there go on")
    func otherTimes() throws {
        let issuer = try FetchedIssuer("https://id.example")
        issuer.publish([("one", 1)])
        let stand = try ReloadStand { $0.credentials = [issuer.entry("refresh: 1h")] }
        let token = issuer.token("one", 1)
        #expect(try verdict(stand, token) == "200 ")
        issuer.server.stop()
        #expect(try edit(stand, [issuer.entry("refresh: 1s")]) == "reloaded \(stand.file): credentials")
        #expect(try verdict(stand, token) == "200 ")
        _ = try stand.gateway.process.waitForErrors { $0.contains("can't be fetched: connect: ") ? true : nil }
        #expect(try verdict(stand, token) == "200 ")
    }

    @Test("a file that names keys of an issuer which is down is taken all the same; a refused one leaves everything as it was")
    func downAndRefused() throws {
        let good = try FetchedIssuer("https://good.example")
        good.publish([("one", 1)])
        let down = try FetchedIssuer("https://down.example")
        down.server.stop()
        let stand = try ReloadStand { $0.credentials = [good.entry("refresh: 1s")] }
        #expect(try edit(stand, [good.entry("refresh: 1s"), down.entry("refresh: 1s")]) == "reloaded \(stand.file): credentials")
        #expect(try verdict(stand, down.token("one", 1)) == "503 keys_unavailable")
        #expect(try verdict(stand, good.token("one", 1)) == "200 ")
        #expect(try edit(stand, [good.entry("refresh: 1d")]).hasPrefix("reload"))
        good.publish([("one", 1), ("two", 2)])
        _ = try stand.gateway.process.waitForErrors { $0.contains("2 keys (one, two)") ? true : nil }
    }

    @Test("/metrics tells how old each set is, /readyz why one can't be had, and stays ready")
    func probes() throws {
        let good = try FetchedIssuer("https://good.example")
        good.publish([("one", 1)])
        let bad = try FetchedIssuer("https://bad.example")
        let stand = try ReloadStand {
            $0.credentials = [good.entry(), bad.entry()]
            $0.more = ["probes: {address: 127.0.0.1:0}"]
        }
        let metrics = try stand.gateway.probe("/metrics").text
        #expect(metrics.contains("tenantgate_key_set_age_seconds{origin=\"\(good.url)\"} "))
        #expect(!metrics.contains("tenantgate_key_set_age_seconds{origin=\"\(bad.url)\"} "))
        let ready = try stand.gateway.probe("/readyz")
        #expect(ready.status == 200)
        #expect(ready.text.contains("notice: keys from \(bad.url) can't be fetched (empty: "))
    }
}
