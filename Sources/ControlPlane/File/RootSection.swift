import Policy

/// The keys at the top of the file.
enum RootSection {
    static let version = Key("version", .integer(1...1), .required, "The format of this file.")
    static let listeners = Key("listeners", .list(of: .section(ListenerSection.shape), 1...64), .required, "Where clients connect.")
    static let probes = Key(
        "probes", .section(ProbesSection.shape), .optional("no probes"), "A listener of its own for `/healthz`, `/readyz` and `/metrics`.")
    static let admin = Key(
        "admin", .section(AdminSection.shape), .optional("no admin API and no dashboard"),
        "A listener of its own for `tenantgate suspensions`, the API and the dashboard.")
    static let ledger = Key("ledger", .ledger, .required, "The database that keeps who is suspended; its folder must exist.")
    static let threads = Key("threads", .integer(1...256), .optional("one per core"), "Event loops.")
    static let directories = Key(
        "directories", .named(.section(DirectorySection.shape), 0...256), .byDefault("{}"), "User namespaces, each one user service's.")
    static let credentials = Key(
        "credentials", .list(of: .section(CredentialSection.shape), 0...1024), .byDefault("[]"), "Whose tokens are taken.")
    static let credentialsDir = Key(
        "credentials_dir", .folder, .optional("no further credentials"),
        "A folder of YAML files, each one entry as in `credentials` or a list of them. Every entry must list its `tenants`.")
    static let upstreams = Key("upstreams", .named(.section(UpstreamSection.shape), 1...1024), .required, "Services to forward to.")
    static let routes = Key(
        "routes", .list(of: .section(RouteSection.shape), 1...10_000), .required, "The most specific wins; the order does not matter.")
    static let errors = Key<Envelope>("errors", .choice, .byDefault("flat"), "The shape of error bodies before a route is known.")
    static let trustedProxies = Key(
        "trusted_proxies", .list(of: .network, 0...1024), .byDefault("[]"),
        "Peers whose PROXY headers, `X-Forwarded-*`, `Forwarded` and `X-Request-ID` are believed.")
    static let limits = Key("limits", .section(LimitsSection.shape), .byDefault("{}"), "Bounds.")
    static let timeouts = Key("timeouts", .section(TimeoutsSection.shape), .byDefault("{}"), "Times on the client's side.")
    static let log = Key(
        "log", Kind<LogSettings.Destination>.logDestination.or(.section(LogSection.shape)), .byDefault("stdout"),
        "The access log: a destination, or a map.")

    static let rateLimits = Key(
        "rate_limits", .section(RateLimitsSection.shape), .optional("no limits but a route's own"),
        "How often verified callers may call, counted over all routes.")
    static let fleet = Key(
        "fleet", .section(FleetSection.shape), .optional("a gateway by itself"),
        "Joins gateways through one log in PostgreSQL, so that a suspension made at one is in force at all.")
    static let metrics = Key("metrics", .section(MetricsSection.shape), .byDefault("{}"), "What `/metrics` tells beside the usual.")

    static let shape = SectionShape(
        "file",
        [
            version.declaration, listeners.declaration, probes.declaration, admin.declaration, ledger.declaration,
            threads.declaration, directories.declaration, credentials.declaration, credentialsDir.declaration, upstreams.declaration,
            routes.declaration,
            errors.declaration, trustedProxies.declaration, limits.declaration, timeouts.declaration, log.declaration,
            metrics.declaration, rateLimits.declaration, fleet.declaration,
        ],
        later: [
            "reload", "reconcile", "service_tokens", "max_stale", "cors",
            "acknowledge", "when_behind",
        ])
}
