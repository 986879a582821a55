import Policy
import Testing
import Tokens

@testable import ControlPlane

@Suite("Good files")
struct GoodFileTests {
    @Test("the files in config are good", arguments: ["tenantgate.yaml", "minimal.yaml"])
    func shippedFileIsGood(name: String) {
        let checked = FileWorkspace().check(FileWorkspace.repository("config/\(name)"))
        let errors = checked.problems.filter { $0.severity == .error }
        #expect(errors == [])
        #expect(checked.configuration != nil)
        #expect(checked.problems.isEmpty, "\(CheckReport.problems(checked.problems))")
    }

    @Test("the file of the specification is good")
    func specifiedFile() {
        let workspace = FileWorkspace()
        let checked = workspace.check(specified)
        #expect(checked.configuration?.admin?.tokens.map(\.name) == ["ops"])
        #expect(checked.configuration?.admin?.address.text == "127.0.0.1:9901")
        #expect(checked.configuration != nil)
        #expect(
            checked.problems.map(\.message)
                == ["no credentials are declared for the directory `rinne`: every token on its routes is refused"])
    }

    @Test("a gateway in front of public services needs no directory and no credentials")
    func publicOnly() {
        let text = """
            version: 1
            listeners: [{address: "[::1]:0", tls: off}]
            ledger: sqlite:var/tenantgate.db
            upstreams: {site: {servers: ["http://localhost"]}}
            routes: [{path: /**, upstream: site, credential: none}]
            """
        let checked = FileWorkspace().check(text)
        #expect(checked.problems == [])
        #expect(checked.configuration?.listeners.map(\.address.text) == ["[::1]:0"])
        #expect(checked.configuration?.upstreams.map(\.servers) == [[UpstreamServer(host: "localhost", port: 80)]])
    }

    @Test("upstreams: every way to reach a server, and what is left out has the defaults of the reference")
    func upstreams() throws {
        let text = """
            version: 1
            listeners: [{address: "unix:door.sock", tls: off}, {address: "unix:/run/b.sock", tls: off, mode: "0600"}]
            ledger: sqlite:var/tenantgate.db
            upstreams:
              plain: {servers: ["http://localhost", "http://[::1]:81", "unix:app.sock"], ejection: off, circuit_breaker: off}
              secure:
                servers: ["https://a.example", "https://b.example:8443"]
                tls: {ca: tls/gateway.pem, name: users.example, certificate: tls/gateway.pem, key: tls/gateway.key}
                ejection: {failures: 5}
                circuit_breaker: {timeouts: 7, open: 2s}
                health: {path: "/healthz?a=b"}
                waiting: 0
                caller_share: 100
            routes: [{path: /**, upstream: plain, credential: none}, {path: /s/**, upstream: secure, credential: none}]
            """
        let workspace = FileWorkspace()
        let checked = workspace.check(text)
        #expect(checked.problems == [])
        let configuration = try #require(checked.configuration)
        #expect(configuration.listeners.map(\.address.text) == ["unix:\(workspace.folder)/door.sock", "unix:/run/b.sock"])
        #expect(configuration.listeners.map(\.mode) == [0o660, 0o600])
        let (plain, secure) = (configuration.upstreams[0], configuration.upstreams[1])
        #expect(
            plain.servers == [
                .network(host: "localhost", port: 80), .network(host: "::1", port: 81), .unix(path: "\(workspace.folder)/app.sock"),
            ])
        #expect(plain.tls == nil && plain.health == nil && plain.ejection == (0, 0, 0) && plain.circuit == (0, 0) && plain.waiting == 1024)
        #expect(plain.callerShare == 75 && secure.callerShare == 100)
        #expect(secure.servers == [.network(host: "a.example", port: 443), .network(host: "b.example", port: 8443)])
        #expect(secure.tls?.authorities == "\(workspace.folder)/tls/gateway.pem" && secure.tls?.name == "users.example")
        #expect(secure.tls?.certificate?.key == "\(workspace.folder)/tls/gateway.key")
        #expect(secure.ejection == (5, 10_000, 300_000) && secure.circuit == (7, 2000) && secure.waiting == 0)
        let health = HealthSettings(
            path: "/healthz?a=b", intervalMilliseconds: 5000, timeoutMilliseconds: 2000, healthy: 2, unhealthy: 3)
        #expect(secure.health == health)
    }

    @Test("fetched keys: each origin once, with the defaults of the reference")
    func fetchedKeys() throws {
        func entry(_ issuer: String, _ keys: String) -> String {
            "  - {issuer: \"\(issuer)\", directory: main, audience: any, algorithms: [RS256], keys: {\(keys)}}\n"
        }
        let text =
            "version: 1\nlisteners: [{address: 127.0.0.1:0, tls: off}]\nledger: sqlite:var/tenantgate.db\ndirectories: {main: {}}\ncredentials:\n"
            + entry("https://a.example/", "discovery: true") + entry("b", "jwks_url: \"https://keys.example/?v=1\"")
            + entry("c", "jwks_url: \"https://keys.example/?v=1\"")
            + entry("d", "jwks_url: \"https://keys.example/?v=1\", refresh: 30s, max_stale: 10m, timeout: 1s")
            + "upstreams: {main: {servers: [\"http://localhost\"], directory: main}}\nroutes: [{path: /**, upstream: main}]\n"
        let checked = FileWorkspace().check(text)
        #expect(checked.problems == [])
        let configuration = try #require(checked.configuration)
        let algorithms: AlgorithmSet = [.rs256]
        let metadata = try FetchURL("https://a.example/.well-known/openid-configuration")
        let keys = KeyOrigin.Location.keySet(try FetchURL("https://keys.example/?v=1"))
        #expect(
            configuration.fetchedKeys.map(\.origin) == [
                KeyOrigin(.discovery(metadata, issuer: Array("https://a.example/".utf8)), algorithms: algorithms),
                KeyOrigin(keys, algorithms: algorithms),
                KeyOrigin(keys, algorithms: algorithms, refresh: 30_000, maxStale: 600_000, timeout: 1000),
            ])
        #expect(configuration.credentials.map(\.origin).compactMap(\.self).count == 4)
    }

    @Test("defaults are those of the reference: dialect before file")
    func defaults() throws {
        let configuration = try #require(FileWorkspace().check(goodFile).configuration)
        #expect(configuration.threads == nil)
        #expect(configuration.log == LogSettings())
        #expect(configuration.limits.token == Limits.token)
        #expect(configuration.limits.headers == Limits.headers)
        #expect(configuration.limits.body == Limits.body)
        #expect(configuration.limits.openSuspendCalls == Limits.openIntents)
        #expect(configuration.limits.suspendCallsPerMinute == Limits.intentsPerMinute)
        #expect(configuration.credentials.map(\.leeway) == [30, 30])
        #expect(configuration.credentials.map(\.issuer) == [Array("https://id.jitsudo.example".utf8), nil])
        #expect(configuration.credentials.map(\.userFormat) == [.uuid, .string])
        #expect(configuration.routes.map(\.tenant) == [.required, .required, .optional, .none])
        #expect(configuration.routes.map(\.errors) == [.flat, .flat, .nested, .flat])
        #expect(configuration.routes.map(\.directory) == [0, 0, 1, nil])
        #expect(configuration.routes.map(\.timeoutMilliseconds) == [30_000, 30_000, 30_000, 30_000])
        #expect(configuration.routes.map(\.bodyLimit) == Array(repeating: Limits.body, count: 4))
    }

    @Test("the settings' own defaults are those of the declarations")
    func settingsAgree() throws {
        let (limits, timeouts) = (LimitSettings(), TimeoutSettings())
        let configuration = try #require(FileWorkspace().check(goodFile).configuration)
        #expect("\(limits)" == "\(configuration.limits)")
        #expect("\(timeouts)" == "\(configuration.timeouts)")
    }

    @Test("values of the complete example arrive where they belong")
    func completeExample() throws {
        let workspace = FileWorkspace()
        let configuration = try #require(workspace.check(FileWorkspace.repository("config/tenantgate.yaml")).configuration)
        #expect(configuration.listeners.map(\.address.text) == ["0.0.0.0:8443"])
        #expect(configuration.listeners[0].tls?.certificates.map(\.chain) == ["\(workspace.folder)/tls/gateway.pem"])
        #expect(configuration.ledger == "\(workspace.folder)/var/tenantgate.db")
        #expect(configuration.trustedProxies == ["10.0.0.0/8"])
        #expect(
            configuration.upstreams[1].servers == [
                UpstreamServer(host: "127.0.0.1", port: 9102), UpstreamServer(host: "127.0.0.1", port: 9112),
            ])
        #expect(configuration.upstreams[1].connectTimeoutMilliseconds == 1000)
        #expect(configuration.upstreams[2].base == Array("/internal".utf8))
        let reports = try #require(configuration.routes.last)
        #expect(reports.host == .exact(Array("reports.example.com".utf8)))
        #expect(reports.stripPrefix == Array("/api".utf8))
        #expect(reports.dropsAuthorization)
        #expect(reports.outlivesToken)
        #expect(reports.allowedCredentials == ["cookie"])
        #expect(reports.requirement == .credential(roles: [], scopes: [Array("reports:read".utf8)]))
        #expect(reports.timeoutMilliseconds == 120_000)
        #expect(reports.bodyLimit == 64 * 1024)
        #expect(configuration.credentials[2].boundTenants?.count == 2)
        #expect(configuration.credentials[2].maximumLifetime == 3600)
        #expect(configuration.credentials[0].keys.count == 2)
        #expect(configuration.routes[7].suspendsOnUnknown)
    }

    @Test("check shows what each route enforces and which calls it reaches")
    func routeTable() throws {
        let configuration = try #require(FileWorkspace().check(goodFile).configuration)
        #expect(
            CheckReport.routes(of: configuration) == """
                ROUTE                     METHODS  UPSTREAM  CREDENTIAL  TENANT    REQUIRE   SUSPENDED
                /v1/**                    *        jitsudo   jwt         required  -         refused
                    learns from jitsudo's GET /v1/users/{user}
                /v1/users/{user}/suspend  POST     jitsudo   jwt         required  upstream  refused
                    suspends and reactivates by jitsudo's POST /v1/users/{user}/suspend
                /core/v1/**               *        rinne     jwt         optional  upstream  refused
                    suspends and reactivates by rinne's POST /core/v1/users/{user}/suspend
                    suspends and reactivates by rinne's POST /core/v1/users/{user}/activate
                    learns from rinne's GET /core/v1/users/{user}
                    learns from rinne's GET /core/v1/users
                /login                    *        login     none        -         -         -

                """)
    }

    private let specified = """
        version: 1
        listeners:
          - address: 0.0.0.0:8443                   # or "[::]:8443", unix:/run/tenantgate.sock
            tls:
              certificates:                         # by SNI; the first is the default
                - {chain: tls/gateway.pem, key: tls/gateway.key}
              minimum: "1.2"
        probes: {address: 127.0.0.1:9900}           # plain HTTP: /healthz /readyz /metrics
        admin: {address: 127.0.0.1:9901, tokens: [{name: ops, role: operator, file: secrets/admin.token}]}   # role viewer | operator
        ledger: sqlite:var/tenantgate.db
        threads: 2                                  # event loops; default one per core
        directories:
          jitsudo: {dialect: dialects/jitsudo.yaml}
          rinne:   {dialect: dialects/rinne.yaml}
        credentials:
          - issuer: https://id.jitsudo.example
            directory: jitsudo
            audience: [user-api]
            algorithms: [HS256]
            keys: {secret_file: secrets/jitsudo.secret}
            claims: {user: [sub], tenant: [tenant_id], roles: [roles], scopes: [scope]}
        upstreams:
          jitsudo: {servers: ["http://127.0.0.1:9101"], directory: jitsudo}
          rinne:   {servers: ["http://127.0.0.1:9102"], directory: rinne}
        routes:                                     # the most specific wins; the order does not matter
          - {path: /v1/**, upstream: jitsudo}
          - {path: "/v1/users/{user}/suspend", methods: [POST], upstream: jitsudo, require: upstream}
          - {path: /v1/auth/**, upstream: jitsudo, credential: none}
          - {path: /healthz, methods: [GET], upstream: jitsudo, credential: none}
          - {path: /core/v1/**, upstream: rinne, timeout: 10s, require: upstream}
          - {path: /core/v1/auth/login/**, upstream: rinne, credential: none}
        limits: {token: 8KiB, headers: 32KiB, body: 10MiB}

        """
}
