/// The demo gateway's file: what a platform team would write for these two services, with the demo's ports.
enum DemoFile {
    /// `services` are the ports and `issuers` the identity providers, by the dialect's name.
    static func text(port: Int, services: [String: Int], issuers: [String: DemoIssuer]) -> String {
        """
        version: 1
        listeners:
          - address: 127.0.0.1:\(port)
            tls: {certificates: [{chain: gateway.pem, key: gateway.key}]}
        admin: {address: 127.0.0.1:0, tokens: [{name: demo, role: operator, file: admin.token}]}
        ledger: sqlite:ledger.db
        threads: 2
        directories:
          jitsudo: {dialect: jitsudo.yaml}
          rinne: {dialect: rinne.yaml}
        credentials:
        \(credential(.jitsudo, issuers))
        \(credential(.rinne, issuers))
        upstreams:
        \(upstream(.jitsudo, services))
        \(upstream(.rinne, services))
        routes:
          - {path: /v1/**, upstream: jitsudo}
          - {path: "/v1/users/{user}/suspend", methods: [POST], upstream: jitsudo, require: upstream}
          - {path: /v1/auth/**, upstream: jitsudo, credential: none}
          - {path: /healthz, methods: [GET], upstream: jitsudo, credential: none}
          - {path: /core/v1/**, upstream: rinne, require: upstream}
          - {path: /core/v1/auth/login/**, upstream: rinne, credential: none}
        log: access.log

        """
    }

    private static func credential(_ city: DemoCity, _ issuers: [String: DemoIssuer]) -> String {
        guard let issuer = issuers[city.dialect] else { return "" }
        return """
              - issuer: \(issuer.issuer)
                directory: \(city.dialect)
                audience: [\(issuer.audience)]
                algorithms: [HS256]
                keys: {secret_file: \(city.dialect).secret}
            """
    }

    private static func upstream(_ city: DemoCity, _ services: [String: Int]) -> String {
        "  \(city.dialect): {servers: [\"http://127.0.0.1:\(services[city.dialect] ?? 0)\"], directory: \(city.dialect)}"
    }
}
