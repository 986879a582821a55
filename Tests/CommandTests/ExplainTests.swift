import Foundation
import TestSupport
import Testing

/// A token made by `token` and judged by `explain`: the two commands that operators try things out with.
@Suite("token and explain")
struct ExplainTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var title: String
        /// Arguments of `token` beside issuer, audience and secret; nil sends no token.
        var token: [String]? = ["--subject", TestIssuers.acmeMember, "--claim", "tenant_id=\(TestIssuers.acme)"]
        var method = "GET"
        var path = "/v1/users/\(TestIssuers.acmeMember)"
        var tenant: String? = TestIssuers.acme
        var more: [String] = []
        /// What the last line says, its first word and others.
        var says: [String]
        var passes = false
        var testDescription: String { title }
    }

    private static let member = ["--subject", TestIssuers.acmeMember, "--claim", "tenant_id=\(TestIssuers.acme)"]

    private static let cases = [
        Case(
            title: "a good call", says: ["forward", "upstream jitsudo", "X-Tenant-ID: \(TestIssuers.acme)", "nothing was sent"],
            passes: true),
        Case(title: "no token", token: nil, says: ["authenticate", "REFUSED", "401 unauthenticated", "routes[0].credential"]),
        Case(
            title: "expired", token: member + ["--expires-in=-5m"],
            says: ["authenticate", "401 token_expired", "the token has expired"]),
        Case(
            title: "without exp", token: member + ["--expires-in", "never"], says: ["authenticate", "401 invalid_token", "exp is missing"]),
        Case(
            title: "two audiences, one of them ours", token: member + ["--audience", "other-api"],
            says: ["forward"], passes: true),
        Case(
            title: "another key", token: member + ["--secret-file", "FOLDER/stranger"],
            says: ["authenticate", "401 invalid_token", "the signature is not valid"]),
        Case(
            title: "an algorithm that isn't allowed", token: member + ["--secret-file", "FOLDER/stranger", "--alg", "HS512"],
            says: ["authenticate", "401 invalid_token", "does not allow this algorithm"]),
        Case(
            title: "a user that is no uuid", token: ["--subject", "ben", "--claim", "tenant_id=\(TestIssuers.acme)"],
            says: ["authenticate", "401 invalid_token", "no user id of the directory"]),
        Case(
            title: "another tenant", tenant: TestIssuers.globex,
            says: ["tenant", "403 tenant_mismatch", "routes[0].tenant", TestIssuers.acme]),
        Case(title: "no tenant", tenant: nil, says: ["tenant", "400 tenant_required"]),
        Case(title: "a tenant that is no uuid", tenant: "acme", says: ["tenant", "400 invalid_tenant_id"]),
        Case(title: "no such route", path: "/v2/users", says: ["route", "404 route_not_found"]),
        Case(title: "a method that isn't there", method: "PUT", path: "/healthz", says: ["route", "405 method_not_allowed", "GET"]),
        Case(title: "two readings of a path", path: "/v1/../admin", says: ["parse", "400 ambiguous_path"]),
        Case(
            title: "a second credential", more: ["--header", "X-API-Key: 4711"],
            says: ["authenticate", "400 ambiguous_credential"]),
        Case(title: "a header that is sent twice", more: ["--header", "X-Tenant-ID: x"], says: ["parse", "REFUSED", "duplicate"]),
        Case(
            title: "a public route", token: nil, method: "POST", path: "/v1/auth/login", tenant: nil,
            says: ["forward", "without X-Tenant-ID"], passes: true),
        Case(
            title: "a suspend call", method: "POST", path: "/v1/users/\(TestIssuers.acmeOwner)/suspend",
            says: ["forward", "a suspend or reactivate call"], passes: true),
        Case(
            title: "a page of a listed origin", path: "/v1/open", more: ["--header", "Origin: https://app.example"],
            says: ["forward", "a page of https://app.example may read the answer", ".cors: https://app.example"], passes: true),
        Case(
            title: "a page of another origin", path: "/v1/open", more: ["--header", "Origin: https://evil.example"],
            says: ["forward", "no page of another origin may read the answer"], passes: true),
        Case(
            title: "a WebSocket without a key", more: ["--header", "Upgrade: websocket", "--header", "Connection: Upgrade"],
            says: ["parse", "400 bad_request", "without a good Sec-WebSocket-Key"]),
        Case(
            title: "a preflight", token: nil, method: "OPTIONS", path: "/v1/open", tenant: nil,
            more: ["--header", "Origin: https://app.example", "--header", "Access-Control-Request-Method: GET"],
            says: ["route", "a preflight: answered 204 by the gateway", "a page of https://app.example may read"], passes: true),
    ]

    private static let routes = ["- {path: /v1/open, upstream: jitsudo, cors: {origins: [\"https://app.example\"]}}"]

    @Test("a minted token is judged as the gateway would judge it", arguments: cases)
    func verdicts(_ example: Case) throws {
        let gate = try Tenantgate()
        let file = try gate.writeFile { $0.routes = Self.routes }
        var arguments = ["explain", "--config", file, "--method", example.method, "--path", example.path] + example.more
        if var options = example.token {
            try gate.folder.write(String(repeating: "0123456789abcdef", count: 4), to: "stranger")
            options = options.map { $0.replacing("FOLDER", with: gate.folder.url.path) }
            let minted = try gate.run(
                [
                    "token", "--secret-file", gate.folder.path("secrets/jitsudo"), "--issuer", TestIssuers.jitsudo.issuer, "--audience",
                    "user-api",
                ]
                    + options)
            #expect(minted.status == 0)
            #expect(minted.errors.isEmpty)
            arguments += ["--token-file", try gate.folder.write(minted.output, to: "token")]
        }
        if let tenant = example.tenant { arguments += ["--tenant", tenant] }
        let outcome = try gate.run(arguments)
        #expect(outcome.status == (example.passes ? 0 : 1))
        let lines = outcome.output.split(separator: "\n").filter { !$0.hasPrefix(" ") }
        #expect(lines.last?.hasPrefix(example.says[0]) == true, "\(outcome.output)")
        for word in example.says { #expect(outcome.output.contains(word), "\(outcome.output)") }
        #expect(outcome.output.contains("eyJ") == false)
    }

    @Test("a suspended user is refused with the block that stands, unless the ledger is held by somebody else")
    func suspended() throws {
        let gate = try Tenantgate()
        let file = try gate.writeFile()
        let (ledger, token) = ("sqlite:" + gate.folder.path("var/tenantgate.db"), gate.folder.path("token"))
        let lines = #"{"directory":"rinne","user":"usr_ben","reason":"INC-1"}"#
        _ = try gate.run("suspensions", "import", "--config", file, "--ledger", ledger, try gate.folder.write(lines + "\n", to: "lines"))
        let minted = try gate.run(
            "token", "--secret-file", gate.folder.path("secrets/rinne"), "--issuer", TestIssuers.rinne.issuer, "--audience",
            TestIssuers.rinne.audience, "--subject", "usr_ben", "--claim", "tenant_id=comp_north")
        try gate.folder.write(minted.output, to: "token")
        let arguments = ["explain", "--config", file, "--token-file", token, "--method", "GET", "--path", "/core/v1/users"]
        let refused = try gate.run(arguments)
        #expect(refused.status == 1)
        #expect(refused.output.contains("403 user_suspended"))
        #expect(refused.output.contains("user usr_ben of rinne is blocked in every tenant, source operator"))

        let gateway = try Gateway(file: file, in: gate.folder)
        let asked = try gate.run(arguments)
        #expect(asked.status == 0)
        #expect(asked.output.contains("held by the running gateway"))
        gateway.process.terminate()
    }

    @Test("a token from before a reactivation is refused with its time and the reactivation's, a later one passes")
    func reactivated() throws {
        let gate = try Tenantgate()
        let file = try gate.writeFile { $0.wantsFreshTokens = true }
        let ledger = "sqlite:" + gate.folder.path("var/tenantgate.db")
        for step in ["add", "lift"] {
            let done = try gate.run([
                "suspensions", step, "--config", file, "--ledger", ledger, "--operator", "ops", "--directory", "rinne", "--user", "usr_ben",
                "--reason", "INC-1",
            ])
            #expect(done.status == 0, "\(done.errors)")
        }
        func explain(issued offset: Double) throws -> Tenantgate.Outcome {
            let issued = Int(Date().timeIntervalSince1970 + offset)
            let token = try gate.folder.write(TestIssuers.rinneToken("usr_ben", ["iat": issued]), to: "token")
            return try gate.run(["explain", "--config", file, "--token-file", token, "--method", "GET", "--path", "/core/v1/users"])
        }
        let refused = try explain(issued: -60)
        #expect(refused.status == 1)
        #expect(refused.output.contains("401 token_expired"))
        #expect(refused.output.contains("Rule: credentials[1].fresh_token_after_reactivation"))
        #expect(refused.output.contains("the token was issued at 20"))
        #expect(refused.output.contains("user usr_ben of rinne was reactivated in every tenant at 20"))
        let passed = try explain(issued: 5)
        #expect(passed.status == 0)
        #expect(passed.output.contains("is from after every reactivation"))
    }
}
