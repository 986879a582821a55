import Dispatch
import Policy
import Proxy
import Suspensions

/// The admin API: what there is, in one table, and what it works on. From any thread.
final class AdminAPI: Sendable {
    /// What the gateway gives it.
    struct Sources: Sendable {
        let desk: LiveDesk
        let suspensions: SuspensionAuthority
        /// Nil for a gateway by itself.
        let fleet: FleetMember?
        let gateway: Gateway
        let standing: Standing
        let keys: KeyService
        let reconciling: ReconcileService
        let upgrades: @Sendable () -> UpgradeFigures
        let shown: @Sendable () -> GatewayService.Shown
        /// Reads the file anew; blocks for as long as that takes, so that it has a thread of its own.
        let reload: @Sendable (@escaping @Sendable (ReloadOutcome) -> Void) -> Void
        let news: AdminNews
        /// Milliseconds since 1970.
        let started: Int64
    }

    let sources: Sources

    /// Where counters are added up and told, one answer after another: no loop is kept from its requests.
    private static let telling = DispatchQueue(label: "tenantgate.admin.figures", qos: .utility)

    init(_ sources: Sources) { self.sources = sources }

    /// What all loops have counted, on a thread of its own.
    func figures(_ then: @escaping @Sendable (GatewayFigures) -> Void) {
        sources.gateway.figures { reports in Self.telling.async { then(reports.sum()) } }
    }

    /// In the order of the document.
    static let endpoints: [AdminEndpoint] =
        looking + suspending + [
            AdminEndpoint(
                method: "POST", path: "/api/reload", role: .operator,
                summary: "Read the file and all that it names anew, and put it in force.",
                answers: [.init(status: 200, schema: "Reload", meaning: "In force on every loop, or nothing has changed.")],
                refusals: [.reloadRefused, .draining], act: { $0.reload($1, $2) }),
            AdminEndpoint(
                method: "GET", path: "/api/openapi.json", role: .viewer, summary: "This document.",
                answers: [.init(status: 200, schema: "Document", meaning: "OpenAPI 3.1.")],
                act: { _, _, reply in reply(AdminAnswer(Array(AdminDocument.text.utf8), "application/json")) }),
        ]

    private static let looking: [AdminEndpoint] = [
        AdminEndpoint(
            method: "GET", path: "/api/status", role: .viewer, summary: "Is it well, and since when?",
            answers: [.init(status: 200, schema: "Status", meaning: "How the gateway stands.")], act: { $0.status($1, $2) }),
        AdminEndpoint(
            method: "GET", path: "/api/routes", role: .viewer, summary: "What each route enforces.",
            answers: [.init(status: 200, schema: "Routes", meaning: "The routes in the file's order.")], act: { $0.routes($1, $2) }),
        AdminEndpoint(
            method: "GET", path: "/api/upstreams", role: .viewer, summary: "Upstreams and their servers.",
            answers: [.init(status: 200, schema: "Upstreams", meaning: "By name.")], act: { $0.upstreams($1, $2) }),
        AdminEndpoint(
            method: "GET", path: "/api/keys", role: .viewer, summary: "Whose tokens are taken, and by which keys.",
            answers: [.init(status: 200, schema: "Keys", meaning: "The credential blocks in the file's order; never a key itself.")],
            act: { $0.keys($1, $2) }),
        AdminEndpoint(
            method: "GET", path: "/api/metrics", role: .viewer, summary: "Counts since the start, to be compared with earlier ones.",
            answers: [.init(status: 200, schema: "Metrics", meaning: "By route, code and status; by tenant where the file counts them.")],
            act: { $0.metrics($1, $2) }),
    ]
}
