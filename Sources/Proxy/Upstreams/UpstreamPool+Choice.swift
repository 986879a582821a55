import TLS

// Which server gets a request, and what becomes known of it.
extension UpstreamPool {
    /// Of the servers that serve and have room, the one with the fewest requests of this loop; equals take turns. `fresh`: a new connection
    /// is needed. Those whose bit is set in `tried` are passed over. Where none serves, one that is left out is better than none.
    ///
    /// Why not the better of two at random: that is for balancers whose counts are old or many. A loop's counts are exact, servers few,
    /// and what other loops do evens out by taking turns.
    func choose(fresh: Bool, avoiding tried: UInt64) -> Int? {
        guard servers.count > 1 else { return tried & 1 == 0 && hasRoom(0, fresh: fresh) ? 0 : nil }
        turn = turn + 1 < servers.count ? turn + 1 : 0
        let (serving, isAny) = leastBusy(fresh: fresh, avoiding: tried, onlyServing: true)
        return isAny ? serving : leastBusy(fresh: fresh, avoiding: tried, onlyServing: false).found
    }

    /// `isAny`: whether there was one to be considered, with room or without.
    private func leastBusy(fresh: Bool, avoiding tried: UInt64, onlyServing: Bool) -> (found: Int?, isAny: Bool) {
        let now = worker.clock.now
        var (best, isAny): (Int?, Bool) = (nil, false)
        var least = Int.max
        for step in servers.indices {
            let index = turn + step < servers.count ? turn + step : turn + step - servers.count
            guard tried & 1 << UInt64(index) == 0, !onlyServing || servers[index].health.isServing(at: now) else { continue }
            isAny = true
            guard hasRoom(index, fresh: fresh) else { continue }
            let load = load(of: index)
            if load < least { (best, least) = (index, load) }
        }
        return (best, isAny)
    }

    private func hasRoom(_ index: Int, fresh: Bool) -> Bool {
        servers[index].open < upstream.bounds.connections || !fresh && !servers[index].idle.isEmpty
    }

    /// A server that is back after failures gets one request of each loop until it has answered, unless there is no other.
    private func load(of index: Int) -> Int {
        let inUse = servers[index].inUse
        return inUse > 0 && servers[index].health.isOnTrial ? Int.max / 2 + inUse : inUse
    }

    /// Whether another server than this one serves.
    func hasOther(than server: Int) -> Bool {
        let now = worker.clock.now
        return servers.indices.contains { $0 != server && servers[$0].health.isServing(at: now) }
    }

    /// An answer of the server has begun, whose request was sent at `since`.
    func answered(_ server: Int, since: Int64) { board.answered(server, since: since, now: worker.clock.now) }

    /// A request to the server, or the connection for it, has failed, begun at `since` (the loop's clock in nanoseconds).
    func failed(_ server: Int, _ failure: ServerFailure, since: Int64) {
        board.failed(server, failure, since: since, now: worker.clock.now)
    }

    /// TLS has failed on a connection that stood.
    func tlsBroke(_ server: Int, _ error: TLSError) { board.tlsFailed(server, error, now: worker.clock.now) }
}
