import Testing

@testable import ControlPlane

/// A file with twelve different mistakes: all are told at once.
@Suite("Twelve mistakes in one file")
struct TwelveMistakesTests {
    private static let file = """
        version: 1
        listeners:
          - address: 0.0.0.0
            tls:
              certificates: [{chain: tls/missing.pem, key: tls/gateway.key}]
              minimum: "1.2"
        probes: {address: 127.0.0.1:9900, address: 127.0.0.1:9901}
        ledger: postgresql://db/tenantgate
        fleet: {database: db.example}
        directories:
          jitsudo: {dialect: dialects/jitsudo.yaml}
          reports: {}
        credentials:
          - issuer: https://id.jitsudo.example
            directory: jitsodu
            audience: [user-api]
            algorithms: [HS265]
            keys: {secret_file: secrets/jitsudo.secret}
          - {issuer: absent, directory: reports, audience: any, algorithms: [HS256], keys: {secret_file: secrets/rinne.secret}}
        upstreams:
          jitsudo: {servers: ["http://127.0.0.1:9101"], directory: jitsudo}
          reports: {servers: ["http://127.0.0.1:9102"], directory: reports}
        routes:
          - {path: /v1/**, upstream: jitsudo}
          - {path: /reports/**, upstream: reports, timeout: 30}
          - {path: /reports/**, upstream: reports, methods: [GET]}
          - {path: /reports/login, upstream: reports, credentials: none}
        limits: {token: 8KB}

        """

    private static let report = """
        gateway.yaml:3:14: error: expected a numeric address and a port, found 0.0.0.0
            fix: for example `0.0.0.0:8443`, or `"[::]:8443"` for IPv6
        gateway.yaml:5:30: error: the file tls/missing.pem does not exist
            fix: correct the path: it is relative to the file that names it
        gateway.yaml:7:35: error: `address` is given twice, first on line 7
            fix: keep one of them
        gateway.yaml:8:9: error: expected sqlite:PATH, found postgresql://db/tenantgate
            fix: for example `sqlite:var/tenantgate.db`
        gateway.yaml:9:9: error: that is no URI of PostgreSQL
            fix: for example `postgresql://tenantgate@db.example:5432/tenantgate?sslmode=verify-full`; write `%40` for an `@` in it
        gateway.yaml:15:16: error: there is no directory `jitsodu`
            fix: did you mean `jitsudo`?
        gateway.yaml:17:18: error: expected one of `HS256`, `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, \
        `ES384`, `ES512`, `EdDSA`, found HS265
            fix: did you mean `HS256`?
        gateway.yaml:24:6: error: it reaches `POST /v1/users/{user}/suspend`, which changes who is suspended, but doesn't say who may
            fix: add `require: upstream` (the upstream decides) or `require: {roles: […]}`, or a route of its own for the call
        gateway.yaml:25:53: error: expected a duration, found the number 30
            fix: write a whole number with a unit (ms, s, m, h): `30s`
        gateway.yaml:26:6: error: this route and the one on line 25 take the same path for GET
            fix: give them different `methods`, or remove one
        gateway.yaml:27:47: error: unknown key `credentials`
            fix: did you mean `credential`?
        gateway.yaml:28:17: error: expected a size, found 8KB
            fix: write a whole number with a unit (KiB, MiB, GiB): `8KiB`
        12 errors

        """

    @Test("all twelve are told, in the order of lines, each with its place and remedy")
    func allAreTold() {
        let workspace = FileWorkspace()
        let checked = workspace.check(Self.file)
        #expect(checked.configuration == nil)
        let report = CheckReport.problems(checked.problems).replacing(workspace.folder + "/", with: "")
        #expect(report == Self.report)
    }
}
