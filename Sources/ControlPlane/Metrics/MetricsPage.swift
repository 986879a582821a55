import Policy
import Proxy
import Suspensions
import TLS

/// What `/metrics` says: everything that loops, ledger, log and system tell, as one text.
struct MetricsPage {
    /// Nil while the gateway starts.
    var gateway: GatewayFigures?
    var upstreams: [BoardFigures] = []
    var suspensions: SuspensionFigures?
    var reconciling: [ReconcileFigures] = []
    /// Nil for a gateway by itself.
    var fleet: FleetStatus?
    /// Nil while the gateway starts.
    var upgrades: UpgradeFigures?
    var certificates: [CertificateExpiry] = []
    var keySets: [KeySetAge] = []
    /// Lines of the access log that were dropped; nil without a log.
    var droppedLines: Int?
    /// Nil without an admin listener.
    var admin: [AdminCounts.Key: Int]?
    var isReady = false
    var process = ProcessFigures.read()

    var text: String {
        var page = PrometheusText()
        if let gateway {
            addRequests(gateway, &page)
            addUpstreams(gateway, &page)
            addServers(&page)
            addConnections(gateway, &page)
            addTokens(gateway, &page)
        }
        if let suspensions { addSuspensions(suspensions, blockTimes: gateway?.blockTimes, &page) }
        addReads(&page)
        if gateway != nil { addFleet(&page) }
        addUpgrades(&page)
        addMaterial(&page)
        addProcess(&page)
        return page.text
    }
}

/// How suspensions stand.
struct SuspensionFigures {
    let status: AuthorityStatus
    let aliases: AliasTally
    /// Users blocked anywhere, by the directory's name.
    let users: [(directory: String, count: Int)]
}

/// How it stands with keys that are fetched.
struct KeySetAge: Sendable {
    /// Where they come from: the URL, or the issuer whose discovery names it.
    let origin: String
    /// Since they were last fetched well; nil where they never were.
    let seconds: Double?
    /// Whether there are keys to serve.
    let isAvailable: Bool
}

extension MetricsPage {
    private func addRequests(_ figures: GatewayFigures, _ page: inout PrometheusText) {
        page.family("tenantgate_requests_total", .counter, "Requests that have ended, as the access log's lines.") { family in
            for (labels, count) in figures.requests.sorted(by: { $0.key.order < $1.key.order }) {
                family.sample(labels.written, count)
            }
        }
        page.family(
            "tenantgate_observed_refusals_total", .counter,
            "Requests that a route in observe mode forwarded although it would have refused them; status is what was answered."
        ) { family in
            for (labels, count) in figures.observed.sorted(by: { $0.key.order < $1.key.order }) {
                family.sample(labels.written, count)
            }
        }
        page.family("tenantgate_request_duration_seconds", .histogram, "From a request's first byte to its end.") { family in
            for (route, histogram) in figures.durations.sorted(by: { $0.key < $1.key }) {
                family.histogram([("route", route)], histogram)
            }
        }
        page.family("tenantgate_requests_by_protocol_total", .counter, "The same requests by what the client speaks.") { family in
            for kind in RequestProtocol.allCases { family.sample([("protocol", "\(kind.text)")], figures.protocols[kind] ?? 0) }
        }
        page.family(
            "tenantgate_tenant_requests_total", .counter,
            "Requests of verified callers by tenant, for as many tenants as the file's metrics.tenants says."
        ) { family in
            for (tenant, counts) in figures.tenants.sorted(by: { $0.key < $1.key }) {
                for (code, count) in counts.sorted(by: { "\($0.key.text)" < "\($1.key.text)" }) {
                    family.sample([("tenant", tenant), ("code", "\(code.text)")], count)
                }
            }
        }
    }

    private func addUpstreams(_ figures: GatewayFigures, _ page: inout PrometheusText) {
        let upstreams = figures.upstreams.sorted { $0.key < $1.key }
        page.family(
            "tenantgate_upstream_duration_seconds", .histogram, "From the moment a request is sent on until its answer's head has come."
        ) { family in
            for (name, upstream) in upstreams { family.histogram([("upstream", name)], upstream.durations) }
        }
        page.family("tenantgate_upstream_connections", .gauge, "Connections to upstreams by state.") { family in
            for (name, upstream) in upstreams {
                let pool = upstream.pool
                for (state, count) in [("busy", pool.busy), ("connecting", pool.connecting), ("idle", pool.idle)] {
                    family.sample([("upstream", name), ("state", state)], count)
                }
            }
        }
        page.family("tenantgate_upstream_waiting_requests", .gauge, "Requests that wait for a connection.") { family in
            for (name, upstream) in upstreams { family.sample([("upstream", name)], upstream.pool.waiting) }
        }
        page.family("tenantgate_upstream_connects_total", .counter, "Connections made to upstreams.") { family in
            for (name, upstream) in upstreams { family.sample([("upstream", name)], upstream.connects) }
        }
        page.family("tenantgate_upstream_connect_failures_total", .counter, "Connections to upstreams that could not be made.") { family in
            for (name, upstream) in upstreams { family.sample([("upstream", name)], upstream.connectFailures) }
        }
    }

    private func addConnections(_ figures: GatewayFigures, _ page: inout PrometheusText) {
        page.single("tenantgate_client_connections", .gauge, "Client connections that are open.", Double(figures.connectionsOpen))
        page.single(
            "tenantgate_client_connections_accepted_total", .counter, "Client connections that were taken.",
            Double(figures.connectionsAccepted))
        page.single(
            "tenantgate_client_connections_refused_total", .counter,
            "Client connections that were closed at once because their source had as many as it may.", Double(figures.connectionsRefused))
        page.family(
            "tenantgate_proxy_protocol_refused_total", .counter,
            "Connections to listeners with proxy_protocol that were closed before they were anybody's, by cause."
        ) { family in
            for refusal in ProxyRefusal.allCases { family.sample([("cause", "\(refusal.text)")], figures.proxyRefusals[refusal] ?? 0) }
        }
        page.family("tenantgate_tls_handshakes_total", .counter, "TLS handshakes that were completed.") { family in
            for (kind, count) in figures.handshakes.sorted(by: { $0.key.order < $1.key.order }) {
                family.sample([("version", kind.version == .v1_3 ? "1.3" : "1.2"), ("resumed", kind.isResumed ? "true" : "false")], count)
            }
        }
        page.family("tenantgate_tls_handshake_failures_total", .counter, "TLS handshakes that failed, by cause.") { family in
            for failure in HandshakeFailure.allCases {
                family.sample([("cause", "\(failure.text)")], figures.handshakeFailures[failure] ?? 0)
            }
        }
    }

    private func addTokens(_ figures: GatewayFigures, _ page: inout PrometheusText) {
        page.single("tenantgate_token_memory_entries", .gauge, "Verified tokens that are remembered.", Double(figures.tokens.entries))
        page.single("tenantgate_token_memory_bytes", .gauge, "Memory that they take.", Double(figures.tokens.bytes))
        page.family("tenantgate_token_memory_lookups_total", .counter, "Tokens that came: remembered (hit) or to be verified (miss).") {
            $0.sample([("result", "hit")], figures.tokens.hits)
            $0.sample([("result", "miss")], figures.tokens.misses)
        }
    }

    private func addSuspensions(_ figures: SuspensionFigures, blockTimes: HistogramFigures?, _ page: inout PrometheusText) {
        let (status, tally) = (figures.status, figures.status.tally)
        page.family("tenantgate_suspended_users", .gauge, "Users that are blocked in a directory or in one of its tenants.") { family in
            for (directory, count) in figures.users { family.sample([("directory", directory)], count) }
        }
        page.single("tenantgate_suspend_calls_open", .gauge, "Suspend and reactivate calls in progress.", Double(status.openCalls))
        page.single(
            "tenantgate_unconfirmed_users", .gauge, "Users with a suspend or reactivate call whose outcome is unknown.",
            Double(status.unconfirmedUsers))
        page.single(
            "tenantgate_ledger_owed_users", .gauge, "Users of whom memory knows more than the ledger, because it could not be written.",
            Double(status.owedUsers))
        page.single(
            "tenantgate_ledger_writable", .gauge, "1 if the ledger's last write succeeded, 0 if not.", status.ledgerTrouble == nil ? 1 : 0)
        page.single("tenantgate_ledger_writes_total", .counter, "Writes that the ledger was given.", Double(tally.ledgerWrites))
        page.single("tenantgate_ledger_errors_total", .counter, "Writes that failed.", Double(tally.ledgerErrors))
        page.family("tenantgate_suspend_calls_total", .counter, "Suspend and reactivate calls by what became of them.") { family in
            for (wanted, label) in [(UserState.suspended, "suspend"), (.active, "reactivate")] {
                for ending in CallTally.Ending.allCases {
                    family.sample([("call", label), ("outcome", ending.rawValue)], tally.count(wanted, ending))
                }
            }
        }
        page.single(
            "tenantgate_suspensions_seen_total", .counter,
            "Users who were blocked because another answer of the service showed them as suspended.", Double(tally.seenSuspended))
        guard let blockTimes else { return }
        page.family(
            "tenantgate_time_to_block_seconds", .histogram,
            "From the service's confirmation of a suspension until every event loop refuses the user."
        ) { $0.histogram([], blockTimes) }
    }

    private func addMaterial(_ page: inout PrometheusText) {
        page.family(
            "tenantgate_certificate_expiry_timestamp_seconds", .gauge, "When a listener's certificate expires, in seconds since 1970."
        ) { family in
            for certificate in certificates { family.sample([("file", certificate.file)], Double(certificate.notAfter)) }
        }
        page.family("tenantgate_key_set_age_seconds", .gauge, "Time since keys were last fetched.") { family in
            for keySet in keySets { if let age = keySet.seconds { family.sample([("origin", keySet.origin)], age) } }
        }
        page.family("tenantgate_key_set_available", .gauge, "1 if there are keys of an origin, 0 if its tokens get 503.") { family in
            for keySet in keySets { family.sample([("origin", keySet.origin)], keySet.isAvailable ? 1 : 0) }
        }
        page.single(
            "tenantgate_log_lines_dropped_total", .counter,
            "Lines of the access log that were dropped because its destination can't keep up.",
            droppedLines.map { Double($0) })
        if let admin {
            page.family("tenantgate_admin_requests_total", .counter, "Requests to the admin listener; endpoint - is what is none.") {
                family in
                for (key, count) in admin.sorted(by: { ($0.key.endpoint, $0.key.status) < ($1.key.endpoint, $1.key.status) }) {
                    family.sample([("endpoint", key.endpoint), ("status", String(key.status))], count)
                }
            }
        }
        page.single("tenantgate_ready", .gauge, "1 if /readyz says so, else 0.", isReady ? 1 : 0)
        page.family("tenantgate_build_info", .gauge, "Always 1; the labels say what runs.") {
            $0.sample([("version", Versions.tenantgate)], 1)
        }
    }

    private func addProcess(_ page: inout PrometheusText) {
        page.single("process_start_time_seconds", .gauge, "When the process was started, in seconds since 1970.", process.startTime)
        page.single("process_cpu_seconds_total", .counter, "User and system time spent.", process.cpu)
        page.single("process_resident_memory_bytes", .gauge, "Memory that is in RAM.", process.residentBytes)
        page.single("process_virtual_memory_bytes", .gauge, "Address space.", process.virtualBytes)
        page.single("process_open_fds", .gauge, "Open file descriptors.", process.openDescriptors)
        page.single("process_max_fds", .gauge, "File descriptors that may be open.", process.descriptorLimit)
    }
}

extension GatewayFigures.RequestLabels {
    fileprivate var order: String { "\(route) \(code.text) \(status)" }

    fileprivate var written: [(String, String)] {
        [("route", route), ("stage", code.stage.rawValue), ("code", "\(code.text)"), ("status", String(status))]
    }
}

extension HandshakeKind {
    fileprivate var order: String { "\(version) \(isResumed)" }
}
