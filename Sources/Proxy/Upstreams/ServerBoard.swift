import Synchronization
import TLS

/// How an upstream and its servers are doing, shared by the pools of all loops and by the health checks.
final class ServerBoard: Sendable {
    let upstream: Upstream
    /// In the upstream's order.
    let servers: [ServerHealth]
    let circuit = Circuit()
    private let news: UpstreamNews
    private let handshakes = Atomic<Int>(0)
    private let resumptions = Atomic<Int>(0)
    private let retries = Atomic<Int>(0)
    /// Rare, so that a lock may be taken.
    private let tlsFailures = Mutex<[UpstreamTLSFailure: Int]>([:])

    /// `before` is the board of the same upstream with other settings: what is known of servers that stay is kept.
    init(_ upstream: Upstream, after before: ServerBoard?, news: UpstreamNews) {
        self.upstream = upstream
        self.news = news
        servers = upstream.servers.map { server in before?.servers.first { $0.server == server } ?? ServerHealth(server) }
        // Nobody would take it back.
        if upstream.health == nil { for server in servers { server.note(isDown: false, now: SocketLoop.now) } }
    }

    // MARK: what requests tell

    /// An answer has begun to a request that was sent at `since` (monotonic nanoseconds).
    func answered(_ server: Int, since: Int64, now: Int64) {
        if servers[server].answered(since: since) { tell("\(servers[server].server) answers again") }
        if circuit.answered(now: now) { tell("it answers again: requests pass") }
    }

    /// A request, or the connection for it, has failed that began at `since`.
    func failed(_ server: Int, _ failure: ServerFailure, since: Int64, now: Int64) {
        if failure.isTimeout, circuit.timedOut(upstream.circuit, since: since, now: now) {
            let seconds = UpstreamNews.seconds(upstream.circuit.open)
            tell("\(upstream.circuit.timeouts) requests in a row waited in vain: one in \(seconds) tries again, the others are refused")
        }
        if case .connect(let failure) = failure {
            if case .tls(let error) = failure { tlsFailed(server, error, now: now) }
            guard failure.isServers else { return }
        }
        let health = servers[server]
        let time = health.failed(upstream.ejection, since: since, now: now) { mayEject(server, at: now) }
        guard let time else { return }
        tell("\(health.server) is left out for \(UpstreamNews.seconds(time)): \(failure.description)")
    }

    /// At least half of the servers (rounded down) go on, and at least one: what is left must carry it all.
    private func mayEject(_ server: Int, at now: Int64) -> Bool {
        let left = servers.indices.count { $0 != server && servers[$0].isServing(at: now) }
        return left >= max(1, servers.count / 2)
    }

    /// TLS with the server has failed, in the handshake or later.
    func tlsFailed(_ server: Int, _ error: TLSError, now: Int64) {
        let cause = UpstreamTLSFailure(error)
        tlsFailures.withLock { $0[cause, default: 0] += 1 }
        news.tell(
            "upstream \(upstream.name): TLS with \(servers[server].server) fails: \(error)",
            about: "\(upstream.name)/\(server)/\(cause.text)", now: now)
    }

    func shookHands(resumed: Bool) {
        if resumed { resumptions.add(1, ordering: .relaxed) } else { handshakes.add(1, ordering: .relaxed) }
    }

    /// A request is sent a second time.
    func retried() { retries.add(1, ordering: .relaxed) }

    // MARK: what checks tell

    /// The state of a server that is checked has changed.
    func turned(_ server: Int, isDown: Bool, because reason: String, now: Int64) {
        servers[server].note(isDown: isDown, now: now)
        tell("\(servers[server].server) \(isDown ? "fails its health checks: \(reason)" : "passes its health checks again")")
        if isDown, !isAnyServing(at: now) { tell("no server is left that is well: all of them are tried") }
    }

    func isAnyServing(at now: Int64) -> Bool { servers.contains { $0.isServing(at: now) } }

    private func tell(_ text: String) { news.tell("upstream \(upstream.name): \(text)") }

    // MARK: telling

    func figures(now: Int64) -> BoardFigures {
        BoardFigures(
            upstream: upstream.name, servers: servers.map { $0.figures(of: upstream, now: now) }, isCircuitOpen: circuit.isOpen,
            isTLS: upstream.tls != nil, handshakes: handshakes.load(ordering: .relaxed), resumptions: resumptions.load(ordering: .relaxed),
            tlsFailures: tlsFailures.withLock { $0 }, retries: retries.load(ordering: .relaxed))
    }
}

/// The boards of all upstreams, by name. From any thread; pools ask when they are made, not for requests.
final class ServerBoards: Sendable {
    private let boards = Mutex<[String: ServerBoard]>([:])
    private let news: UpstreamNews

    init(news: UpstreamNews) { self.news = news }

    /// The board of an upstream with exactly these settings.
    func board(for upstream: Upstream) -> ServerBoard {
        boards.withLock { boards in
            let before = boards[upstream.name]
            if let before, before.upstream == upstream { return before }
            let board = ServerBoard(upstream, after: before, news: news)
            boards[upstream.name] = board
            return board
        }
    }

    /// Forgets all but those of these upstreams, and returns them in their order.
    func keep(_ upstreams: [Upstream]) -> [ServerBoard] {
        let names = Set(upstreams.map(\.name))
        boards.withLock { boards in boards = boards.filter { names.contains($0.key) } }
        return upstreams.map(board)
    }

    /// How each stands, by name.
    var figures: [BoardFigures] {
        let now = SocketLoop.now
        return boards.withLock { Array($0.values) }.map { $0.figures(now: now) }.sorted { $0.upstream < $1.upstream }
    }
}
