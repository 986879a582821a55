import Dispatch
import Glibc
import NIOCore
import Policy
import Proxy
import Suspensions
import Synchronization
import TLS
import Tokens

/// The gateway as a process runs it: ledger, loops, listeners and probes, started from a checked file and drained at the end.
package final class GatewayService: Sendable {
    let suspensions: SuspensionAuthority
    /// Nil for a gateway by itself.
    let fleet: FleetMember?
    let gateway: Gateway
    let running: Mutex<Running>
    /// Not in `running`, which a reload may hold for seconds.
    let shown: Mutex<Shown>
    let log: LogWriter?
    let probes: ProbesListener?
    let admin: AdminListener?
    let keys: KeyService
    let reads: ServiceReads
    /// What operators may ask to run.
    let reconciling: ReconcileService
    let standing = Standing()
    /// How the admin listener has the file read anew.
    private let reloading = Mutex<@Sendable (@escaping @Sendable (ReloadOutcome) -> Void) -> Void>({ $0(.over) })
    /// How files that have changed are looked for where nothing tells of them.
    let lookingAgain = Mutex<@Sendable () -> Void>({})
    /// One line for each address that was listened on at the start.
    package let addresses: [String]
    /// The gateway before this one, where it was upgraded in place: it may still have connections.
    let predecessor: PredecessorLink?
    let upgrades = UpgradeTally()
    /// The listening socket at which that one was asked to hand over.
    let door: CInt?

    /// What the probes and the end ask for, and must not wait for.
    struct Shown: Sendable {
        let configuration: Configuration
        /// For people.
        let listeners: [String]
        let certificates: [TLSContext]
        let observing: [Route]

        var timeouts: TimeoutSettings { configuration.timeouts }

        init(_ configuration: Configuration, _ listeners: [ServedListener], admin: AdminListener?) {
            self.configuration = configuration
            self.listeners = listeners.map(\.text)
            certificates = listeners.compactMap(\.tls) + [admin?.tls].compactMap(\.self)
            observing = configuration.routes.filter { $0.observesUntil != nil }
        }
    }

    /// What a reload replaces.
    struct Running: Sendable {
        var configuration: Configuration
        /// What `configuration` was read from.
        var inputs: InputFiles
        /// What the last file was read from that was looked at, whether it was taken or refused.
        var lastRead: InputFiles
        var authority: TokenAuthority
        /// Buckets of rate limits are not refilled by a reload.
        var rates: RateTable?
        var listeners: [ServedListener]
        /// Nothing is replaced any more.
        var isOver = false
    }

    /// Starts everything in order: what can fail for the file's sake first, then the ledger with its list, then the listeners. Keys are
    /// fetched meanwhile; those that take longer than `Limits.keysAtStartMilliseconds` are not waited for.
    ///
    /// `inputs` is what the file was read from, to tell what a reload changes; `say` gets what is worth knowing, then and later, from any
    /// thread. Throws a `StartFailure` that says what to do. Blocks the calling thread; not for an event loop.
    ///
    /// `takeOver` is a gateway that runs: its sockets are taken, and the ledger as late as can be. Nobody is answered here before it follows.
    package init(
        _ configuration: Configuration, inputs: InputFiles = InputFiles(), takingOver takeOver: TakeOver? = nil,
        say: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(StartFailure) {
        keys = KeyService(say: say)
        try keys.follow(configuration.fetchedKeys.map(\.origin))
        log = try Self.log(configuration)
        let news = AdminNews(say)
        // First of all listeners, so that whoever asks is told that the gateway is starting: a large ledger takes its time.
        let early = takeOver == nil ? try Front(configuration, standing, news) : nil
        if let takeOver {
            Self.awaitKeys(keys, say)
            try takeOver.claim()
        }
        let relay = BlockRelay()
        let desk: LiveDesk
        (suspensions, desk) = try Self.suspensions(configuration, relay)
        for line in desk.unaskedBlocks { say(line) }
        if takeOver == nil { LeaseMark.waitOut(ledger: configuration.ledger) }
        if configuration.fleet != nil { suspensions.aliases.believe(forSeconds: Limits.fleetAliasSeconds) }
        fleet = Self.fleet(configuration, suspensions, say)
        let snapshot: Snapshot
        do {
            snapshot = try Snapshot(configuration.fitted(to: OpenFiles.raise()), suspensions: suspensions, fleet: fleet)
            let gateway = try Gateway(
                snapshot: snapshot, log: log, threads: configuration.threads ?? System.coreCount,
                tenantLabels: configuration.metrics.tenants, say: say)
            relay.attach(gateway)
            self.gateway = gateway
        } catch {
            throw StartFailure("The gateway can't be started: \(error).")
        }
        let gateway = gateway
        reads = ServiceReads(suspensions, say: say) { gateway.boardFigures }
        reconciling = ReconcileService(suspensions, reads, say: say)
        if takeOver == nil { Self.awaitKeys(keys, say) }
        keys.serve(gateway)
        Self.awaitFleet(fleet, say)
        let plan: ListenerPlan
        do throws(Problem) {
            plan = try ListenerPlan(from: [], to: configuration.listeners, of: gateway, file: configuration) { takeOver?.descriptor($0) }
        } catch {
            throw StartFailure(error.text)
        }
        let handed = Front.Handed(configuration, takeOver)
        door = takeOver?.descriptor(HandedSocket.door)
        predecessor = try takeOver?.lead(suspensions, gateway)
        let front = if let early { early } else { try Front(configuration, standing, news, handed) }
        (probes, admin) = (front.probes, front.admin)
        gateway.take(snapshot, plan.changes)
        addresses = plan.served.map(\.text) + front.texts
        running = Mutex(
            Running(
                configuration: configuration, inputs: inputs, lastRead: inputs, authority: snapshot.authority, rates: snapshot.rates,
                listeners: plan.served))
        shown = Mutex(Shown(configuration, plan.served, admin: admin))
        begin(configuration, snapshot, desk, news)
        if let takeOver, predecessor != nil { upgrades.note(tookOverIn: takeOver.seconds) }
    }

    /// Everything is there: users are read, and whoever asks how the gateway stands is told.
    private func begin(_ configuration: Configuration, _ snapshot: Snapshot, _ desk: LiveDesk, _ news: AdminNews) {
        readUsers(configuration, snapshot)
        standing.serve(
            Standing.Sources(
                gateway: gateway, suspensions: suspensions, fleet: fleet, directories: configuration.directories.map(\.name), log: log,
                certificates: { [unowned self] in Self.expiries(of: shown.withLock { $0.certificates }) },
                notices: { [unowned self] in
                    Self.observing(shown.withLock { $0.observing }) + keys.notices + Self.unwell(gateway.boardFigures)
                        + reconciling.notices
                },
                keySets: { [unowned self] in KeySetAge.all(keys.statuses) },
                reconciling: { [unowned self] in reconciling.figures }, upgrades: { [unowned self] in upgradeFigures },
                admin: admin?.room.counts))
        admin?.serve(
            AdminAPI(
                AdminAPI.Sources(
                    desk: desk, suspensions: suspensions, fleet: fleet, gateway: gateway, standing: standing, keys: keys,
                    reconciling: reconciling,
                    upgrades: { [unowned self] in upgradeFigures },
                    shown: { [unowned self] in shown.withLock { $0 } },
                    reload: { [unowned self] answer in reloading.withLock { $0 }(answer) }, news: news, started: Int64(time(nil)) * 1000)))
        reloading.withLock { $0 = { [unowned self] answer in DispatchQueue.global().async { answer(self.reload()) } } }
    }

    /// Has reloads that are asked for at the admin listener go by `reload`, which tells of them where the others are told.
    package func reload(by reload: @escaping @Sendable (@escaping @Sendable (ReloadOutcome) -> Void) -> Void) {
        reloading.withLock { $0 = reload }
    }

    /// Reads users by the service tokens of this file from now on. The directories' numbers must be the ledger's.
    func readUsers(_ configuration: Configuration, _ snapshot: Snapshot) {
        let isAnybody = reads.follow(configuration, snapshot.upstreams)
        let late = configuration.directories.map { $0.service?.lateSeconds ?? Limits.lateCommitSeconds }
        suspensions.aliases.search(by: isAnybody ? reads : nil)
        if isAnybody { suspensions.readUsers(from: reads, late: late) }
        reconciling.follow(configuration)
    }

    /// Opens the access log's file anew, which may have been renamed. Doesn't wait.
    package func reopenLog(_ say: @escaping @Sendable (String) -> Void) {
        log?.reopen { failure in
            if let failure { say("the access log can't be opened anew (\(failure.reason)): the file that was open is written on") }
        }
    }

    /// Ends in order: `/readyz` says no, balancers get the file's delay to notice, then no new connections are taken, open work and suspend
    /// calls finish within the file's bound, then everything closes. True if nothing had to be broken off.
    package func drain() -> Bool {
        standing.drain()
        running.withLock { $0.isOver = true }
        let timeouts = shown.withLock { $0.timeouts }
        _ = poll(nil, 0, CInt(clamping: timeouts.drainDelayMilliseconds))
        let bound = TimeAmount.milliseconds(timeouts.drainMilliseconds)
        let isDone = gateway.drain(within: bound)
        admin?.close()
        keys.end()
        reconciling.end()
        reads.end()
        let isSettled = drainSuspensions()
        probes?.close()
        let isWritten = log?.finish() ?? true
        return isDone && isSettled && isWritten
    }

    /// Waits a bounded time for the first keys, and says which are not there.
    private static func awaitKeys(_ keys: KeyService, _ say: (String) -> Void) {
        keys.waitForFirst(milliseconds: Limits.keysAtStartMilliseconds)
        for status in keys.statuses where !status.isAvailable && status.error == nil {
            say("starting without the keys from \(status.origin.shown), which don't come: its tokens are answered by 503 keys_unavailable")
        }
    }

    /// Waits a bounded time until what others have published is in force here.
    private static func awaitFleet(_ fleet: FleetMember?, _ say: (String) -> Void) {
        guard let fleet, !fleet.waitForFirst(milliseconds: Limits.fleetAtStartMilliseconds) else { return }
        say("starting with what this gateway knows by itself: what the others of the fleet have published isn't known yet")
    }

    /// Waits for the calls that are still open, then closes the ledger.
    private func drainSuspensions() -> Bool {
        let open = awaited { suspensions.drain(patience: .seconds(5), then: $0) }
        fleet?.leave(milliseconds: Limits.fleetLeavingMilliseconds)
        suspensions.close()
        return open == 0
    }
}

/// Why the gateway didn't start, and what to do about it.
package struct StartFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

extension GatewayService {
    private static func log(_ configuration: Configuration) throws(StartFailure) -> LogWriter? {
        do {
            return switch configuration.log.destination {
            case .off: nil
            case .standardOutput: try LogWriter(path: nil)
            case .file(let path): try LogWriter(path: path)
            }
        } catch {
            throw StartFailure("The access log can't be opened: \(error.reason). Check the path and that this user may write there.")
        }
    }

    private static func suspensions(
        _ configuration: Configuration, _ relay: BlockRelay
    ) throws(StartFailure) -> (SuspensionAuthority, LiveDesk) {
        let directories = configuration.directories.map {
            LedgerDirectory(name: $0.name, idFormat: $0.dialect.idFormat, tenantFormat: $0.dialect.tenantFormat)
        }
        do throws(LedgerError) {
            let ledger = try SQLiteLedger(path: configuration.ledger, directories: directories) { Tokens.Digest.sha256($0.span) }
            let authority = try SuspensionAuthority(
                store: ledger, reaches: configuration.directories.map(\.dialect.reach),
                openPerCaller: configuration.limits.openSuspendCalls,
                perMinute: configuration.limits.suspendCallsPerMinute, aliasKinds: configuration.aliasKinds, onBlock: { relay.tell($0) })
            return (authority, LiveDesk(authority, ledger: ledger, configured: directories.count))
        } catch {
            throw StartFailure(error.description)
        }
    }

    private static func fleet(
        _ configuration: Configuration, _ suspensions: SuspensionAuthority, _ say: @escaping @Sendable (String) -> Void
    ) -> FleetMember? {
        guard let settings = configuration.fleet else { return nil }
        let directories = configuration.directories.map {
            FleetDirectory(name: $0.name, idFormat: $0.dialect.idFormat, tenantFormat: $0.dialect.tenantFormat, reach: $0.dialect.reach)
        }
        return FleetMember(settings, directories: directories, authority: suspensions, say: say)
    }

    /// Each file once, though several listeners may use it.
    private static func expiries(of contexts: [TLSContext]) -> [CertificateExpiry] {
        var seen: Set<String> = []
        return contexts.flatMap(\.expiries).filter { seen.insert($0.file).inserted }
    }

    /// The upstreams of which no server is well, for `/readyz`: taking the gateway out would help nobody, since others have the same.
    private static func unwell(_ boards: [BoardFigures]) -> [String] {
        boards.filter { !$0.servers.contains(where: \.isServing) }.map { "no server of the upstream \($0.upstream) is well" }
    }

    /// The routes that observe now, for `/readyz`.
    private static func observing(_ routes: [Route]) -> [String] {
        let now = Int64(time(nil))
        return routes.compactMap { route in
            guard route.observes(at: now), let last = route.lastObservedDay else { return nil }
            return "routes[\(route.index)] (\(route.pattern.text)) observes until \(last)"
        }
    }
}

extension Configuration {
    /// The same with no more client connections than there are descriptors for.
    func fitted(to descriptors: Int) -> Configuration {
        var fitted = self
        fitted.limits.connections = min(limits.connections, OpenFiles.clients(of: descriptors))
        return fitted
    }
}

/// Passes on who was blocked to the gateway, which is made after the authority that says so.
private final class BlockRelay: Sendable {
    private let gateway = Mutex<Gateway?>(nil)

    func attach(_ gateway: Gateway) {
        self.gateway.withLock { $0 = gateway }
    }

    func tell(_ blocked: [Subject]) {
        gateway.withLock { $0 }?.cut(blocked)
    }
}
