// What one caller may have of the connections, and who waits while they are short.
extension UpstreamPool {
    /// Whether the caller may have one more connection of those that are free. Who has few is not asked how many these are.
    func mayTake(_ exchange: Exchange) -> Bool {
        let held = callers.count(of: exchange.caller)
        return share.allowsAlways(held: held) || share.allows(held: held, free: room.free)
    }

    /// Adds a request to those that wait; false where there are too many of all, or of this caller's.
    func waits(_ exchange: Exchange, in lines: inout WaitingLines) -> Bool {
        let free = upstream.bounds.waiting - lines.count
        let own = exchange.caller.isCounted ? lines.length(of: exchange.caller) : 0
        guard free > 0, share.allows(held: own, free: free) else { return false }
        lines.append(exchange)
        return true
    }

    /// Requests wait though nobody holds them back but those who have the connections.
    var isShort: Bool { !waiting.isEmpty && room.free <= 0 }

    /// Whether the caller has more than a quarter of the connections: while others wait, it is in their way.
    func isGreedy(_ caller: CallerKey) -> Bool { callers.count(of: caller) * 4 > room.all }

    /// Connections that the servers that serve may have, and those of them that no request has or waits for.
    private var room: (all: Int, free: Int) {
        let bound = upstream.bounds.connections
        guard servers.count > 1 else { return (bound, bound - servers[0].inUse) }
        let now = worker.clock.now
        var (serving, every) = ((all: 0, free: 0), (all: 0, free: 0))
        for server in servers {
            let free = bound - server.inUse
            every = (every.all + bound, every.free + free)
            if server.health.isServing(at: now) { serving = (serving.all + bound, serving.free + free) }
        }
        return serving.all > 0 ? serving : every
    }
}
