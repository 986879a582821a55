import Policy
import Proxy
import Suspensions
import Synchronization
import TLS
import Tokens

/// How the gateway stands, from its start to its end: what the probes' listener tells. From any thread.
final class Standing: Sendable {
    /// Where a gateway is in its life.
    enum Phase: Sendable { case starting, serving, draining }

    /// What there is to ask once the gateway serves.
    struct Sources: Sendable {
        let gateway: Gateway
        let suspensions: SuspensionAuthority
        /// Nil for a gateway by itself.
        var fleet: FleetMember?
        /// The directories' names, by number.
        let directories: [String]
        let log: LogWriter?
        let certificates: @Sendable () -> [CertificateExpiry]
        /// Lines for `/readyz` that keep nobody out, such as routes in observe mode.
        var notices: @Sendable () -> [String] = { [] }
        /// How old fetched keys are.
        var keySets: @Sendable () -> [KeySetAge] = { [] }
        /// How reconcile runs stand.
        var reconciling: @Sendable () -> [ReconcileFigures] = { [] }
        /// What has become of upgrades in place.
        var upgrades: @Sendable () -> UpgradeFigures = { UpgradeFigures() }
        /// What the admin listener has answered; nil without one.
        var admin: AdminCounts?
    }

    private struct State {
        var phase = Phase.starting
        var sources: Sources?
    }

    private let state = Mutex(State())

    /// From now on requests are served.
    func serve(_ sources: Sources) {
        state.withLock { state in
            state.sources = sources
            state.phase = .serving
        }
    }

    /// From now on nobody should send requests here.
    func drain() { state.withLock { $0.phase = .draining } }

    var readiness: Readiness {
        let (phase, sources) = state.withLock { ($0.phase, $0.sources) }
        var readiness = Readiness()
        switch phase {
        case .starting: readiness.reasons.append("starting")
        case .draining: readiness.reasons.append("draining")
        case .serving: break
        }
        guard let sources else { return readiness }
        let status = sources.suspensions.status
        if let trouble = status.ledgerTrouble { readiness.reasons.append("the ledger can't be written: \(trouble)") }
        if status.unconfirmedUsers > 0 {
            readiness.notices.append("users with a suspend call whose outcome is unknown: \(status.unconfirmedUsers)")
        }
        if let fleet = sources.fleet { readiness.add(fleet.status) }
        readiness.notices += sources.notices()
        return readiness
    }

    /// Collects what `/metrics` tells. `completion` comes on some thread, at once or when every loop has told; it makes the page, so that
    /// no loop is kept from its work by it.
    func metrics(_ completion: @escaping @Sendable (@escaping @Sendable () -> MetricsPage) -> Void) {
        guard let sources = state.withLock({ $0.sources }) else { return completion { MetricsPage() } }
        sources.gateway.figures { [self] reports in
            completion { [self] in
                MetricsPage(
                    gateway: reports.sum(), upstreams: sources.gateway.boardFigures,
                    suspensions: SuspensionFigures(sources.suspensions, directories: sources.directories),
                    reconciling: sources.reconciling(), fleet: sources.fleet?.status, upgrades: sources.upgrades(),
                    certificates: sources.certificates(),
                    keySets: sources.keySets(),
                    droppedLines: sources.log?.droppedLines, admin: sources.admin?.all, isReady: readiness.isReady)
            }
        }
    }
}

extension SuspensionFigures {
    fileprivate init(_ suspensions: SuspensionAuthority, directories: [String]) {
        let counts = suspensions.index.usersByDirectory
        status = suspensions.status
        aliases = suspensions.aliases.tally
        users = directories.enumerated().map { ($0.element, $0.offset < counts.count ? counts[$0.offset] : 0) }
    }
}

extension KeySetAge {
    /// One for each origin that people can tell apart: several with one address count as the worst of them.
    static func all(_ statuses: [KeyStatus]) -> [KeySetAge] {
        let now = KeyService.now()
        return Dictionary(grouping: statuses, by: \.origin.shown).sorted { $0.key < $1.key }.map { origin, statuses in
            let ages = statuses.compactMap { $0.age(now: now) }
            return KeySetAge(
                origin: origin, seconds: ages.max().map { Double($0) / 1000 }, isAvailable: statuses.allSatisfy(\.isAvailable))
        }
    }
}
