import Foundation

/// A gateway's file for tests: both dialects, all test issuers, on a free port.
package struct GatewayFile: Sendable {
    package var jitsudoPort: Int
    package var rinnePort: Int
    /// Further lines of `routes`, each `- {…}`.
    package var routes: [String] = []
    /// Further lines of `credentials`, each `- {…}`.
    package var credentials: [String] = []
    /// Milliseconds until an upstream's answer must begin.
    package var timeout = "10s"
    /// Connections that one loop may have to each service.
    package var connections = 256
    /// The servers of the upstream `jitsudo`; nil means the one at `jitsudoPort`.
    package var servers: [String]?
    /// Further keys of the upstream `jitsudo`: `health: {…}`.
    package var upstreamKeys: [String] = []
    /// A folder for the ledger; nil means `var` beside the file.
    package var ledgerFolder: String?
    package var threads = 2
    /// The name of the certificate's files in `tls`.
    package var certificate = "gateway"
    /// Further keys of the two services' directories: `service_tokens: [{file: secrets/service}]`.
    package var directoryKeys: [String] = []
    /// JITSudo's dialect, where it is another than the shipped one.
    package var jitsudoDialect: String?
    /// Further lines of `directories`.
    package var directories: [String] = []
    /// Further lines of `upstreams`.
    package var upstreams: [String] = []
    /// Further lines of `listeners`, each `- {…}`.
    package var listeners: [String] = []
    /// `fresh_token_after_reactivation` in the two services' own credential blocks.
    package var wantsFreshTokens = false
    /// An admin listener on a free port, with the tokens of `TestAdmin`.
    package var admin = false
    /// The tokens' files without the listener: for tests that write `admin` themselves.
    package var adminTokens = false
    /// Further top-level keys.
    package var more: [String] = []

    package init(jitsudo: Int, rinne: Int) {
        jitsudoPort = jitsudo
        rinnePort = rinne
    }

    /// Writes the file and all that it names into `folder`; the file's path.
    package func write(to folder: TemporaryFolder) throws -> String {
        let certificate = try TestCertificate.gateway.get()
        try folder.write(certificate.chain, to: "tls/gateway.pem")
        try folder.write(certificate.key, to: "tls/gateway.key")
        for (name, forge) in Self.issuers { try folder.write(Self.keyText(forge.key), to: "secrets/\(name)") }
        for (name, token) in [("ops", TestAdmin.operatorToken), ("eyes", TestAdmin.viewerToken)] where admin || adminTokens {
            try folder.write(token + "\n", to: "secrets/\(name).token")
        }
        try folder.write(Self.serviceToken + "\n", to: "secrets/service")
        try folder.write("", to: "var/.keep")
        if let jitsudoDialect { try folder.write(jitsudoDialect, to: "jitsudo.yaml") }
        return try folder.write(text, to: "tenantgate.yaml")
    }

    /// What `secrets/service` holds.
    package static let serviceToken = "service-token-of-the-tests"

    private static let issuers = [
        ("jitsudo", TestIssuers.jitsudo), ("rinne", TestIssuers.rinne), ("globex", TestIssuers.globexOnly),
        ("south", TestIssuers.southOnly), ("login", TestIssuers.login),
    ]

    private static func keyText(_ key: TokenForge.Key) -> String {
        switch key {
        case .hs256(let secret): String(decoding: secret, as: UTF8.self) + "\n"
        case .ed25519: key.publicPEM ?? ""
        }
    }

    private var jitsudoUpstream: String {
        let servers = (servers ?? ["http://127.0.0.1:\(jitsudoPort)"]).map { "\"\($0)\"" }.joined(separator: ", ")
        return (["servers: [\(servers)]", "directory: jitsudo", "connections: \(connections)"] + upstreamKeys).joined(separator: ", ")
    }

    /// The file itself.
    package var text: String {
        let dialects = BuildProducts.repository.appending(path: "config/dialects").path
        return """
            version: 1
            listeners:
              - address: 127.0.0.1:0
                tls:
                  certificates:
                    - {chain: tls/\(certificate).pem, key: tls/\(certificate).key}
            \(listeners.map { "  \($0)" }.joined(separator: "\n"))
            \(admin ? TestAdmin.section : "")
            ledger: sqlite:\(ledgerFolder ?? "var")/tenantgate.db
            threads: \(threads)
            directories:
              jitsudo: {\((["dialect: \(jitsudoDialect == nil ? dialects + "/" : "")jitsudo.yaml"] + directoryKeys).joined(separator: ", "))}
              rinne: {\((["dialect: \(dialects)/rinne.yaml"] + directoryKeys).joined(separator: ", "))}
            \(directories.map { "  \($0)" }.joined(separator: "\n"))
            credentials:
              - issuer: \(TestIssuers.jitsudo.issuer)
                directory: jitsudo
                audience: [\(TestIssuers.jitsudo.audience)]
                algorithms: [HS256]
                keys: {secret_file: secrets/jitsudo}
                claims: {user: [sub], tenant: [tenant_id], roles: [roles], scopes: [scope]}
                fresh_token_after_reactivation: \(wantsFreshTokens)
              - issuer: \(TestIssuers.rinne.issuer)
                directory: rinne
                audience: [\(TestIssuers.rinne.audience)]
                algorithms: [HS256]
                keys: {secret_file: secrets/rinne}
                fresh_token_after_reactivation: \(wantsFreshTokens)
              - issuer: \(TestIssuers.globexOnly.issuer)
                directory: jitsudo
                audience: [\(TestIssuers.globexOnly.audience)]
                algorithms: [EdDSA]
                keys: {pem_file: secrets/globex}
                tenants: [\(TestIssuers.globex)]
              - issuer: \(TestIssuers.southOnly.issuer)
                directory: rinne
                audience: [\(TestIssuers.southOnly.audience)]
                algorithms: [EdDSA]
                keys: {pem_file: secrets/south}
                tenants: [\(TestIssuers.south)]
            \(credentials.map { "  \($0)" }.joined(separator: "\n"))
            upstreams:
              jitsudo: {\(jitsudoUpstream)}
              rinne: {servers: ["http://127.0.0.1:\(rinnePort)"], directory: rinne, connections: \(connections)}
            \(upstreams.map { "  \($0)" }.joined(separator: "\n"))
            routes:
              - {path: /v1/**, upstream: jitsudo, timeout: \(timeout)}
              - {path: "/v1/users/{user}/suspend", methods: [POST], upstream: jitsudo, require: upstream, timeout: \(timeout)}
              - {path: /v1/auth/**, upstream: jitsudo, credential: none}
              - {path: /healthz, methods: [GET], upstream: jitsudo, credential: none}
              - {path: /core/v1/**, upstream: rinne, require: upstream, timeout: \(timeout)}
              - {path: /core/v1/auth/login/**, upstream: rinne, credential: none}
            \(routes.map { "  \($0)" }.joined(separator: "\n"))
            \(more.joined(separator: "\n"))
            """
    }
}
