import TestSupport
import Testing

@Suite("check")
struct CheckTests {
    private static let twelveMistakes = """
        version: 2
        listeners:
          - address: localhost:8443
            tls: on
        ledger: tenantgate.db
        metrics: on
        directories:
          jitsudo: {dialect: no-such-dialect.yaml}
        credentials:
          - issuer: https://id.example
            directory: jitsodu
            audience: [user-api]
            algorithms: [none]
            keys: {secret_file: no-such.secret}
        upstreams:
          jitsudo: {servers: ["127.0.0.1:9101"], directory: jitsudo}
        routes:
          - {path: v1/**, upstream: jitsudo}
        limits: {token: 8KB}

        """

    @Test("a file with twelve mistakes names all twelve, each with line, column and remedy, and ends with 1")
    func twelve() throws {
        let gate = try Tenantgate()
        let file = try gate.folder.write(Self.twelveMistakes, to: "wrong.yaml")
        let outcome = try gate.run("check", "--config", file)
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        let problems = outcome.errors.split(separator: "\n").filter { $0.contains(": error: ") }
        let lines = problems.compactMap { $0.dropFirst(file.count + 1).split(separator: ":").first.flatMap { Int($0) } }
        #expect(lines == [1, 3, 4, 5, 6, 8, 11, 13, 14, 16, 18, 19])
        #expect(outcome.errors.split(separator: "\n").count { $0.hasPrefix("    fix: ") } == problems.count)
        #expect(outcome.errors.hasSuffix("12 errors\n"))
    }

    @Test("a good file shows each route with what it enforces, and the calls that it carries")
    func table() throws {
        let gate = try Tenantgate()
        let outcome = try gate.run("check", "--config", try gate.writeFile())
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.output.contains("/v1/users/{user}/suspend"))
        #expect(outcome.output.contains("suspends and reactivates by jitsudo's POST /v1/users/{user}/suspend"))
    }

    @Test("a good file shows whose tokens a reactivation makes void")
    func freshTokens() throws {
        let gate = try Tenantgate()
        let outcome = try gate.run("check", "--config", try gate.writeFile { $0.wantsFreshTokens = true })
        #expect(outcome.status == 0)
        for issuer in [TestIssuers.jitsudo, TestIssuers.rinne].map(\.issuer) {
            #expect(outcome.output.contains("(issuer \(issuer)): fresh_token_after_reactivation: only tokens"))
        }
        #expect(!outcome.output.contains("credentials[2] (issuer"))
        #expect(try !gate.run("check", "--config", gate.writeFile()).output.contains("fresh_token"))
    }

    @Test("a file of authorities for clients that holds none is found, at its own line")
    func authorities() throws {
        let gate = try Tenantgate()
        let file = try gate.writeFile {
            $0.listeners = [
                "- {address: \"127.0.0.1:0\", tls: {certificates: [{chain: tls/gateway.pem, key: tls/gateway.key, client_ca: tls/gateway.key, "
                    + "client_certificate: required}]}}"
            ]
        }
        let outcome = try gate.run("check", "--config", file)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("tenantgate.yaml:7:") && outcome.errors.contains("tls/gateway.key: no PEM certificate"))
    }

    @Test("certificates that can't be served together are found, at the second one's line")
    func together() throws {
        let gate = try Tenantgate()
        let file = try gate.writeFile {
            $0.listeners = [
                "- {address: \"127.0.0.1:0\", tls: {certificates: [{chain: tls/gateway.pem, key: tls/gateway.key},\n"
                    + "    {chain: tls/gateway.pem, key: tls/gateway.key, client_ca: tls/gateway.pem, client_certificate: required}]}}"
            ]
        }
        let outcome = try gate.run("check", "--config", file)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("tenantgate.yaml:8:") && outcome.errors.contains("`client_ca`"), "\(outcome)")
    }

    @Test("a key that is not the certificate's is found, at the line that names it", arguments: ["tls/gateway.key", "tls/gateway.pem"])
    func certificates(_ name: String) throws {
        let gate = try Tenantgate()
        let file = try gate.writeFile()
        try gate.folder.write("no PEM at all\n", to: name)
        let outcome = try gate.run("check", "--config", file)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("tenantgate.yaml:6:"))
        #expect(outcome.errors.contains(name))
    }
}
