import Synchronization

/// How one server of an upstream is doing: told by every loop's requests and by its health checks, asked by every loop for each request.
/// Atomics only, so that nobody waits; what two loops do at once may count one failure too many or too few.
final class ServerHealth: Sendable {
    let server: Upstream.Server

    /// Failures in a row.
    private let failures = Atomic<Int>(0)
    /// Monotonic nanoseconds until which it is left out for its failures; 0: it never was.
    private let ejectedUntil = Atomic<Int64>(0)
    /// Ejections in a row, with no answer between them: each takes twice as long as the one before.
    private let ejections = Atomic<Int>(0)
    /// Its checks say that it is not well.
    private let isDown = Atomic<Bool>(false)

    private let ejectionsInAll = Atomic<Int>(0)
    private let passed = Atomic<Int>(0)
    private let failed = Atomic<Int>(0)

    init(_ server: Upstream.Server) { self.server = server }

    // MARK: for the choice

    /// Whether it gets requests.
    func isServing(at now: Int64) -> Bool { !isDown.load(ordering: .relaxed) && now >= ejectedUntil.load(ordering: .relaxed) }

    /// It was left out and has not answered since.
    var isOnTrial: Bool { ejections.load(ordering: .relaxed) > 0 }

    /// What its checks have said last.
    var isMarkedDown: Bool { isDown.load(ordering: .relaxed) }

    // MARK: what requests tell

    /// It has begun to answer a request that was sent at `since`. True when that ends its trial.
    func answered(since: Int64) -> Bool {
        if failures.load(ordering: .relaxed) != 0 { failures.store(0, ordering: .relaxed) }
        guard ejections.load(ordering: .relaxed) != 0, since >= ejectedUntil.load(ordering: .relaxed) else { return false }
        return ejections.exchange(0, ordering: .relaxed) != 0
    }

    /// A request or connection that began at `since` has failed. How many milliseconds the server is left out from `now` on, where that was
    /// one too many and `mayEject` allows it. On trial, one is.
    func failed(_ rules: EjectionRules, since: Int64, now: Int64, mayEject: () -> Bool) -> Int64? {
        let until = ejectedUntil.load(ordering: .relaxed)
        // What began before is the same trouble.
        guard rules.failures > 0, since >= until else { return nil }
        let count = failures.add(1, ordering: .relaxed).newValue
        let before = ejections.load(ordering: .relaxed)
        guard count >= rules.failures || before > 0, mayEject() else { return nil }
        let time = min(rules.maximum, rules.time << Int64(min(before, 20)))
        let isMine = ejectedUntil.compareExchange(expected: until, desired: now + time * 1_000_000, ordering: .relaxed).exchanged
        guard isMine else { return nil }
        ejections.add(1, ordering: .relaxed)
        ejectionsInAll.add(1, ordering: .relaxed)
        return time
    }

    // MARK: what checks tell

    func checked(isGood: Bool) {
        if isGood { passed.add(1, ordering: .relaxed) } else { failed.add(1, ordering: .relaxed) }
    }

    /// Its checks have said for long enough that it is not well, or that it is again: then it need not wait for the end of an ejection.
    func note(isDown: Bool, now: Int64) {
        let was = self.isDown.exchange(isDown, ordering: .relaxed)
        guard was, !isDown, ejectedUntil.load(ordering: .relaxed) > now else { return }
        ejectedUntil.store(now, ordering: .relaxed)
    }

    // MARK: telling

    /// What is told of it.
    func figures(of upstream: Upstream, now: Int64) -> ServerFigures {
        ServerFigures(
            upstream: upstream.name, server: "\(server)", isServing: isServing(at: now),
            ejections: ejectionsInAll.load(ordering: .relaxed), isChecked: upstream.health != nil,
            checksPassed: passed.load(ordering: .relaxed), checksFailed: failed.load(ordering: .relaxed))
    }
}

/// What failed of a request, as far as its server is concerned.
enum ServerFailure {
    case connect(ConnectFailure)
    /// No answer has begun within the time allowed.
    case timedOut
    /// The connection ended before an answer.
    case closed
    /// What came is no answer.
    case malformed

    init(_ failure: UpstreamFailure) {
        self =
            switch failure {
            case .malformed: .malformed
            case .closed: .closed
            case .timedOut: .timedOut
            }
    }

    /// Whether a request waited for it in vain, as long as it may.
    var isTimeout: Bool {
        switch self {
        case .timedOut, .connect(.timedOut): true
        default: false
        }
    }

    var description: String {
        switch self {
        case .connect(let failure): failure.description
        case .timedOut: "no answer within the time allowed"
        case .closed: "the connection ended before an answer"
        case .malformed: "what came is no answer"
        }
    }
}
