import NIOCore
import Policy
import TLS

/// One loop's connections to one upstream: kept alive, to the server with the fewest requests, bounded.
///
/// A request gets an idle connection at once, a new one, or a place in a bounded queue; each way ends in one call of
/// `Exchange.leased` or `Exchange.leaseFailed`. No caller gets so many that nothing is left for others (`CallerShare`). Everything runs on
/// the loop; how servers do is shared by all of them (`board`).
final class UpstreamPool {
    let upstream: Upstream
    let board: ServerBoard
    let worker: Worker
    let servers: [ServerPlace]
    var waiting = WaitingLines()
    /// A connection has been given back that one of those who wait gets at the end of this turn.
    private var isOwed = false
    let share: CallerShare
    /// Connections that each caller has, or that are being made for it.
    var callers: CallerCounts
    var uploads: Uploads
    /// Connections that are being made.
    private var openings: [UpstreamOpening] = []
    /// The file doesn't have its upstream any more, or not like this: who was admitted before is still served.
    private var isRetired = false
    /// Where the next search for a server begins, so that equals take turns.
    var turn = 0

    /// What the loop has of one server.
    final class ServerPlace {
        let server: Upstream.Server
        let health: ServerHealth
        /// Nil for a name, which is looked up.
        let address: SocketAddress?
        /// Whose certificate it must show; nil without TLS.
        let identity: TLSServerIdentity?
        /// What the next handshake may resume.
        let sessions = TLSClientSessions()
        var idle: [UpstreamConnection] = []
        /// Connections that stand or are being made.
        var open = 0

        /// Requests that it has or is about to get.
        var inUse: Int { open - idle.count }

        init(_ health: ServerHealth, of upstream: Upstream) {
            server = health.server
            self.health = health
            address = health.server.address
            identity = upstream.tls?.identity(of: health.server)
        }
    }

    init(_ upstream: Upstream, worker: Worker) {
        self.upstream = upstream
        self.worker = worker
        share = CallerShare(percent: upstream.bounds.callerShare)
        let connections = upstream.bounds.connections * upstream.servers.count
        callers = CallerCounts(connections: connections)
        uploads = Uploads(connections: connections)
        let board = worker.gateway.boards.board(for: upstream)
        self.board = board
        servers = board.servers.map {
            ServerPlace($0, of: upstream)
        }
    }

    /// Finds a connection for `exchange`.
    func lease(for exchange: Exchange) {
        if isRetired { worker.pools.keep(self) }
        if !exchange.request.isRetried, let wait = board.circuit.wait(now: worker.clock.now, upstream.circuit) {
            return exchange.leaseFailed(.overloaded, retryAfter: wait)
        }
        if mayConnect(exchange) { connect(exchange) }
    }

    /// Gives `exchange` a connection or a place in the queue. Nobody overtakes those who wait but for theirs to be made, or because they
    /// have their share.
    func connect(_ exchange: Exchange) {
        if !isOwed, mayTake(exchange), serve(exchange) { return }
        guard waits(exchange, in: &waiting) else { return exchange.leaseFailed(.overloaded) }
        if exchange.needsFreshConnection { closeLongestIdle() }
    }

    /// Forgets a request that no longer wants a connection. One that is being made for it goes to the next in line.
    func cancel(_ exchange: Exchange) {
        if !waiting.remove(exchange) { _ = uploads.waiting.remove(exchange) }
    }

    /// Takes back a connection that may carry another request. Who waits gets it when the events at hand are dealt with: more may have
    /// come with the last answer than belongs to it.
    func release(_ connection: UpstreamConnection) {
        if let next = waiting.lines.first(where: { mayTake($0.first) })?.first {
            // Its room goes to a new one.
            if next.needsFreshConnection && connection.isReused { return connection.end() }
            isOwed = true
            worker.loop.atTurnEnd(connection)
        } else if isRetired {
            return connection.end()
        }
        connection.rest(since: worker.clock.now)
        servers[connection.server].idle.append(connection)
    }

    /// Notes that a connection is gone.
    func closed(_ connection: UpstreamConnection) {
        servers[connection.server].open -= 1
        servers[connection.server].idle.removeAll { $0 === connection }
        serveWaiting()
    }

    // MARK: for the worker

    /// Closes connections that were idle for longer than the upstream's `keepAlive`. Called by the loop's tick.
    func sweep(now: Int64) {
        for opening in openings { opening.checkDeadline(now: now) }
        for index in servers.indices {
            let stale = servers[index].idle.prefix { now - $0.idleSince > upstream.times.keepAlive * 1_000_000 }
            for connection in Array(stale) { endIdle(connection) }
        }
        // A server may be back, which nothing else tells.
        if !waiting.isEmpty { serveWaiting() }
    }

    /// Closes what is idle; what is in use closes when it is given back.
    func retire() {
        isRetired = true
        closeIdle()
    }

    /// Whether nothing is left that needs the tick or the end.
    var isDone: Bool { waiting.isEmpty && uploads.waiting.isEmpty && openings.isEmpty && servers.allSatisfy { $0.open == 0 } }

    /// Closes every idle connection and gives up those that are being made: the loop is ending.
    func stop() {
        closeIdle()
        for opening in openings { opening.cancel() }
        openings = []
    }

    /// How it stands, for the metrics.
    var figures: PoolFigures {
        var figures = PoolFigures(upstream: upstream.name)
        figures.idle = servers.reduce(0) { $0 + $1.idle.count }
        figures.connecting = openings.count
        figures.busy = servers.reduce(0) { $0 + $1.open } - figures.idle - figures.connecting
        figures.waiting = waiting.count + uploads.waiting.count
        return figures
    }

    // MARK: idle connections

    private func closeIdle() {
        for server in servers {
            for connection in server.idle { endIdle(connection) }
        }
    }

    /// Nobody gets it any more, though its goodbye may take a moment.
    private func endIdle(_ connection: UpstreamConnection) {
        servers[connection.server].idle.removeAll { $0 === connection }
        connection.end()
    }

    /// Gives up an idle connection: its room goes to who waits for a new one, and might wait long for somebody else to give one back.
    private func closeLongestIdle() {
        servers.compactMap { $0.idle.first { $0.isOpen } }.min { $0.idleSince < $1.idleSince }.map(endIdle)
    }

    /// The most recently used one.
    private func popIdle(_ index: Int) -> UpstreamConnection? {
        while let connection = servers[index].idle.popLast() {
            // It may have been closed by an event that was at hand together with this one.
            if connection.isOpen, connection.isQuiet() { return connection }
        }
        return nil
    }

    // MARK: new connections

    /// Gives `exchange` an idle connection or begins to make one; false where no server has room.
    private func serve(_ exchange: Exchange) -> Bool {
        let isFresh = exchange.needsFreshConnection
        let avoided = exchange.serversToAvoid
        var chosen = choose(fresh: isFresh, avoiding: avoided)
        // Where there is no other server, the same one again.
        if chosen == nil && avoided != 0 { chosen = choose(fresh: isFresh, avoiding: 0) }
        guard let chosen else { return false }
        if !isFresh, let connection = popIdle(chosen) {
            exchange.leased(connection)
            return true
        }
        guard servers[chosen].open < upstream.bounds.connections else { return false }
        open(server: chosen, for: exchange, tried: 1 << UInt64(chosen))
        return true
    }

    /// Gives those in line what there is, in their order, but for those who have their share.
    func serveWaiting() {
        isOwed = false
        while let line = waiting.lines.firstIndex(where: { mayTake($0.first) }) {
            let next = waiting.take(line: line)
            guard serve(next) else {
                waiting.putBack(next, line: line)
                // What is idle is none that it could use: its room goes to a new one.
                if next.needsFreshConnection { closeLongestIdle() }
                return
            }
        }
        // Nobody waits any more for what was to be given on.
        if isRetired, waiting.isEmpty { closeIdle() }
    }

    private func open(server index: Int, for exchange: Exchange, tried: UInt64) {
        servers[index].open += 1
        let caller = exchange.caller
        callers.add(caller)
        let opening = UpstreamOpening(server: index, pool: self, worker: worker) { [unowned self] opening, result in
            openings.removeAll { $0 === opening }
            callers.remove(caller)
            switch result {
            case .success(let connection):
                worker.metrics.connected(true, upstream: upstream.name)
                connected(connection, for: exchange)
            case .failure(let failure):
                worker.metrics.connected(false, upstream: upstream.name)
                failed(failure, opening, exchange, tried)
            }
        }
        openings.append(opening)
        opening.start()
    }

    private func connected(_ connection: UpstreamConnection, for exchange: Exchange) {
        if exchange.wantsConnection {
            exchange.leased(connection)
        } else {
            release(connection)
        }
    }

    /// Nothing was sent: every other server is tried before the request fails.
    private func failed(_ failure: ConnectFailure, _ opening: UpstreamOpening, _ exchange: Exchange, _ tried: UInt64) {
        servers[opening.server].open -= 1
        failed(opening.server, .connect(failure), since: opening.began)
        guard exchange.wantsConnection else { return serveWaiting() }
        if let next = choose(fresh: true, avoiding: tried) {
            open(server: next, for: exchange, tried: tried | 1 << UInt64(next))
        } else {
            exchange.leaseFailed(.upstreamUnavailable)
        }
        serveWaiting()
    }
}
