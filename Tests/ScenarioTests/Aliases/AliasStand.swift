import Foundation
import GRDB
import TestSupport

/// JITSudo's users behind the gateway, and an identity provider that knows them by their addresses, beside JITSudo's own tokens.
struct AliasStand {
    let world: World

    /// JITSudo's dialect with what its reference doesn't say: a list, and a search in it.
    static let dialect = """
        name: jitsudo
        tenant: required
        tenant_format: uuid
        reach: tenant
        errors: flat
        id_format: uuid
        user: {id: /id, suspended: {field: /active, is: false}}
        aliases:
          email: {field: /email, if: /email_verified, fold: case, search: {call: "GET /v1/users?email={alias}", items: /users}}
        calls:
          - {call: "POST /v1/users/{user}/suspend", answers: user, intent: {field: /active, suspend: false}}
          - {call: "GET /v1/users/{user}", answers: user}
          - {call: "GET /v1/users", answers: list, items: /users}

        """

    static let credential =
        "- {issuer: \(TestIssuers.login.issuer), directory: jitsudo, audience: [user-api], algorithms: [EdDSA], "
        + "keys: {pem_file: secrets/login}, claims: {user: {alias: email, claim: [email], if: [email_verified]}}}"

    static let emails = ["ana@acme.example", "ben@acme.example", "olga@acme.example", "carl@globex.example"]
    static let ben = TestIssuers.acmeMember
    static let ana = TestIssuers.acmeAdmin

    /// `searches`: the gateway may ask the service; otherwise it knows what it has seen.
    init(searches: Bool = true, _ edit: (inout GatewayFile) -> Void = { _ in }) throws {
        world = try World { file in
            file.jitsudoDialect = Self.dialect
            file.credentials = [Self.credential]
            if searches { file.directoryKeys = ["service_tokens: [{file: secrets/service}]", "reconcile: off"] }
            file.more = ["probes: {address: 127.0.0.1:0}"]
            edit(&file)
        }
    }

    /// A call that shows nobody, by the holder of an address.
    func probe(_ email: String, tenant: String = TestIssuers.acme, _ claims: [String: Any] = [:]) throws -> WireAnswer {
        try world.gateway.ask(
            request("GET", "/v1/probe", token: TestIssuers.loginToken(email, tenant: tenant, claims), tenant: tenant))
    }

    /// Has the gateway see a user, in an answer to a call by JITSudo's own token.
    @discardableResult
    func look(at user: String) throws -> WireAnswer {
        try world.gateway.ask(Dialect.jitsudo.call("GET", "/users/\(user)", token: Dialect.jitsudo.adminToken))
    }

    func set(_ active: Bool, _ user: String) throws -> WireAnswer {
        try world.gateway.ask(Dialect.jitsudo.setActive(active, user))
    }

    /// Changes a user past everything, as somebody with the service's database would.
    func edit(_ user: String, email: String? = nil, verified: Bool = true, id: String? = nil) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        let database = try DatabaseQueue(path: world.jitsudo.database, configuration: configuration)
        try database.write { database in
            try database.execute(
                sql: "UPDATE users SET email = coalesce(?, email), emailVerified = ? WHERE id = ?",
                arguments: [email, verified, user.uppercased()])
        }
        try database.close()
    }

    /// How often the service was asked whose an alias is.
    func searches() throws -> Double {
        let metrics = try world.gateway.metrics()
        return ["found", "nobody", "failed"].reduce(0) { $0 + (metrics["tenantgate_alias_searches_total{result=\"\($1)\"}"] ?? 0) }
    }
}

/// Whether the answer is the service's own: the request was let through.
func passed(_ answer: WireAnswer) -> Bool { answer.status == 404 && answer.gatewayCode == nil }

/// Whether nobody was known by the token's alias.
func isUnknown(_ answer: WireAnswer) -> Bool {
    answer.status == 401 && answer.gatewayCode == "invalid_token"
        && (answer.json?["details"] as? [String: Any])?["rule"] as? String == "credentials[4].claims.user"
}
