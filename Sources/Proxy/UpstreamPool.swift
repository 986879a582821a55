import NIOCore
import Policy

/// One loop's connections to one upstream: kept alive, chosen by least connections, bounded.
///
/// A request gets an idle connection at once, a new one, or a place in a bounded queue; each way ends in one call of
/// `Exchange.leased` or `Exchange.leaseFailed`. Everything runs on the loop.
final class UpstreamPool {
    let upstream: Upstream
    private let worker: Worker
    private var servers: [ServerState]
    private var waiting: [Exchange] = []
    /// Connections that are being made.
    private var connectors: [Connector] = []
    /// The file doesn't have its upstream any more, or not like this: who was admitted before is still served.
    private var isRetired = false

    /// Requests that may wait for a connection, per loop and upstream: beyond, 503 `overloaded`.
    private static let waitingBound = 1024

    private struct ServerState {
        let server: Upstream.Server
        let address: SocketAddress?
        var idle: [UpstreamConnection] = []
        /// Connections that stand or are being made.
        var open = 0
    }

    init(_ upstream: Upstream, worker: Worker) {
        self.upstream = upstream
        self.worker = worker
        servers = upstream.servers.map {
            ServerState(server: $0, address: try? SocketAddress(ipAddress: $0.host, port: $0.port))
        }
    }

    /// Finds a connection for `exchange`.
    func lease(for exchange: Exchange) {
        if isRetired { worker.pools.keep(self) }
        if !exchange.needsFreshConnection, let connection = popIdle() {
            return exchange.leased(connection)
        }
        if connect(for: exchange, avoiding: 0) { return }
        guard waiting.count < Self.waitingBound else { return exchange.leaseFailed(.overloaded) }
        waiting.append(exchange)
        if exchange.needsFreshConnection { closeLongestIdle() }
    }

    /// Forgets a request that no longer wants a connection. One that is being made for it goes to the next in line.
    func cancel(_ exchange: Exchange) {
        waiting.removeAll { $0 === exchange }
    }

    /// Takes back a connection that may carry another request.
    func release(_ connection: UpstreamConnection) {
        guard let next = waiting.first else {
            if isRetired { return connection.close() }
            connection.rest(since: worker.clock.now)
            servers[connection.server].idle.append(connection)
            return
        }
        // Its room goes to a new one.
        if next.needsFreshConnection && connection.isReused { return connection.close() }
        waiting.removeFirst()
        next.leased(connection)
    }

    /// Notes that a connection is gone.
    func closed(_ connection: UpstreamConnection) {
        servers[connection.server].open -= 1
        servers[connection.server].idle.removeAll { $0 === connection }
        serveWaiting()
    }

    /// Closes connections that were idle for longer than the upstream's `keepAlive`. Called by the loop's tick.
    func sweep(now: Int64) {
        for connector in connectors { connector.checkDeadline(now: now) }
        for index in servers.indices {
            let stale = servers[index].idle.prefix { now - $0.idleSince > upstream.keepAlive * 1_000_000 }
            for connection in Array(stale) { connection.close() }
        }
    }

    /// Closes what is idle; what is in use closes when it is given back.
    func retire() {
        isRetired = true
        closeIdle()
    }

    private func closeIdle() {
        for server in servers {
            for connection in server.idle { connection.close() }
        }
    }

    /// Whether nothing is left that needs the tick or the end.
    var isDone: Bool { waiting.isEmpty && connectors.isEmpty && servers.allSatisfy { $0.open == 0 } }

    /// Closes every idle connection and gives up those that are being made: the loop is ending.
    func stop() {
        closeIdle()
        for connector in connectors { connector.cancel() }
        connectors = []
    }

    private func serveWaiting() {
        guard let next = waiting.first, connect(for: next, avoiding: 0) else { return }
        waiting.removeAll { $0 === next }
    }

    /// Gives up an idle connection: its room goes to who waits for a new one, and might wait long for somebody else to give one back.
    private func closeLongestIdle() {
        servers.compactMap { $0.idle.first { $0.isOpen } }.min { $0.idleSince < $1.idleSince }?.close()
    }

    /// The most recently used idle connection of the server with the fewest connections in use.
    private func popIdle() -> UpstreamConnection? {
        var best: Int?
        for index in servers.indices where !servers[index].idle.isEmpty {
            if let chosen = best, inUse(chosen) <= inUse(index) { continue }
            best = index
        }
        guard let best else { return nil }
        let connection = servers[best].idle.removeLast()
        // It may have been closed by an event that was at hand together with this one.
        return connection.isOpen ? connection : popIdle()
    }

    /// How it stands, for the metrics.
    var figures: PoolFigures {
        var figures = PoolFigures(upstream: upstream.name)
        figures.idle = servers.reduce(0) { $0 + $1.idle.count }
        figures.connecting = connectors.count
        figures.busy = servers.reduce(0) { $0 + $1.open } - figures.idle - figures.connecting
        figures.waiting = waiting.count
        return figures
    }

    private func inUse(_ index: Int) -> Int { servers[index].open - servers[index].idle.count }

    /// Starts a connection to the least busy server whose bit in `tried` is not set; false when there is none with room.
    private func connect(for exchange: Exchange, avoiding tried: UInt64) -> Bool {
        var best: Int?
        for index in servers.indices where tried & (1 << UInt64(index & 63)) == 0 {
            guard servers[index].open < upstream.connectionsPerLoop else { continue }
            if let chosen = best, servers[chosen].open <= servers[index].open { continue }
            best = index
        }
        guard let best else { return false }
        servers[best].open += 1
        open(server: best, for: exchange, tried: tried | 1 << UInt64(best & 63))
        return true
    }

    private func open(server index: Int, for exchange: Exchange, tried: UInt64) {
        weak var current: Connector?
        let deadline = worker.clock.now + upstream.connectTimeout * 1_000_000
        let connector = Connector(on: worker.loop, deadline: deadline) { [unowned self] descriptor in
            connectors.removeAll { $0 === current }
            worker.clock.read()
            worker.metrics.connected(descriptor != nil, upstream: upstream.name)
            let connection = descriptor.map { UpstreamConnection($0, pool: self, server: index, worker: worker) }
            if let connection, connection.isOpen {
                connected(connection, for: exchange)
            } else {
                failed(server: index, exchange: exchange, tried: tried)
            }
        }
        current = connector
        connectors.append(connector)
        let server = servers[index]
        if let address = server.address {
            connector.start([address])
        } else {
            connector.start(host: server.server.host, port: server.server.port, resolver: worker.gateway.resolver)
        }
    }

    private func connected(_ connection: UpstreamConnection, for exchange: Exchange) {
        if exchange.wantsConnection {
            exchange.leased(connection)
        } else {
            release(connection)
        }
    }

    private func failed(server index: Int, exchange: Exchange, tried: UInt64) {
        servers[index].open -= 1
        guard exchange.wantsConnection else { return serveWaiting() }
        if !connect(for: exchange, avoiding: tried) { exchange.leaseFailed(.upstreamUnavailable) }
        serveWaiting()
    }
}
