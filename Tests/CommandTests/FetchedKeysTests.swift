import TestSupport
import Testing

/// `check` and `explain` with keys by URL.
@Suite("commands with keys by URL")
struct FetchedKeysTests {
    private let tenantgate: Tenantgate
    private let certificate: TestCertificate

    init() throws {
        tenantgate = try Tenantgate()
        certificate = try TestCertificate.gateway.get()
    }

    @Test("check fetches every set: what fails is a warning with its cause and place, what is there is counted")
    func check() throws {
        let good = try FetchedIssuer("https://good.example", certificate: certificate)
        good.publish([("one", 1), ("two", 2)])
        let odd = try FetchedIssuer("https://odd.example", certificate: certificate)
        let members = FetchedIssuer.set([FetchedIssuer.jwk("one", 1), FetchedIssuer.jwk("one", 2)])
        odd.server.answer { _ in [.json(members), .close] }
        let down = try FetchedIssuer("https://down.example", certificate: certificate)
        down.server.stop()
        let stranger = try FetchedIssuer("https://stranger.example", certificate: TestCertificate(["DNS:localhost"]))
        let file = try tenantgate.writeFile {
            $0.credentials = [good.entry(), odd.entry(), down.entry(), stranger.entry(trusting: certificate)]
        }
        let outcome = try tenantgate.run("check", "--config", file)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("2 keys fetched from \(good.url)\n") && outcome.output.contains("1 key fetched from \(odd.url)\n"))
        let lines = outcome.errors.split(separator: "\n").map(String.init)
        for (issuer, words) in [
            (odd, "is left out: keys[1] (kid one)"), (down, "can't be fetched: connect: "), (stranger, "can't be fetched: certificate: "),
        ] {
            let line = try #require(lines.first { $0.contains(issuer.url) })
            #expect(line.contains(": warning: ") && line.contains(words) && line.hasPrefix("\(file):"))
        }
        #expect(lines.last == "3 warnings")
    }

    @Test("a ca_file without certificates is an error of check and serve")
    func authorities() throws {
        let issuer = try FetchedIssuer("https://id.example", certificate: certificate)
        let file = try tenantgate.writeFile {
            $0.credentials = [issuer.entry().replacing(certificate.chainFile, with: certificate.keyFile)]
        }
        for command in ["check", "serve"] {
            let outcome = try tenantgate.run(command, "--config", file)
            #expect(outcome.status == 1 && outcome.errors.contains("error: \(certificate.keyFile): no PEM certificate"))
        }
    }

    @Test("explain fetches the keys of the token's issuer alone and names the key, or the cause")
    func explain() throws {
        let issuer = try FetchedIssuer("https://id.example", certificate: certificate)
        let other = try FetchedIssuer("https://other.example", certificate: certificate)
        issuer.publish([("one", 1)])
        let file = try tenantgate.writeFile { $0.credentials = [issuer.entry(), other.entry()] }
        func explain(_ token: String) throws -> Tenantgate.Outcome {
            let tokenFile = try tenantgate.folder.write(token + "\n", to: "token")
            return try tenantgate.run(
                "explain", "--config", file, "--token-file", tokenFile, "--method", "GET", "--path", "/core/v1/things")
        }
        let good = try explain(issuer.token("one", 1))
        #expect(good.status == 0, "\(good.output)\(good.errors)")
        #expect(good.output.contains("EdDSA, key one; 1 key fetched now from \(issuer.url)"))
        // The token doesn't say which key; the gateway does.
        #expect(try explain(issuer.token(nil, 1)).output.contains("EdDSA, key one;"))
        let unknown = try explain(issuer.token("two", 2))
        #expect(unknown.status == 1 && unknown.output.contains("has no key for this kid and algorithm; 1 key fetched now"))
        let empty = try explain(other.token("one", 1))
        #expect(empty.status == 1 && empty.output.contains("503 keys_unavailable"))
        #expect(empty.output.contains("the keys of \(other.url) can't be fetched: empty: "))
        #expect(issuer.server.received == 3 && other.server.received == 1)
    }
}
