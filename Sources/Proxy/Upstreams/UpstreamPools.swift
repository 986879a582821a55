/// One loop's pools: those of the snapshot in force, and those of earlier ones that still serve somebody. Loop-bound.
final class UpstreamPools {
    /// In the order of the snapshot's upstreams.
    private var current: [UpstreamPool] = []
    private var retired: [UpstreamPool] = []

    /// The pool of the snapshot's upstream with this index.
    subscript(upstream: Int) -> UpstreamPool { current[upstream] }

    /// Goes on with the upstreams of another snapshot: one whose settings are the same keeps its connections, the others' are let go as
    /// soon as nobody uses them.
    func take(_ upstreams: [Upstream], worker: Worker) {
        let before = Dictionary(uniqueKeysWithValues: current.map { ($0.upstream.name, $0) })
        var kept: Set<String> = []
        current = upstreams.map { upstream in
            guard let pool = before[upstream.name], pool.upstream == upstream else { return UpstreamPool(upstream, worker: worker) }
            kept.insert(upstream.name)
            return pool
        }
        for (name, pool) in before where !kept.contains(name) {
            pool.retire()
            keep(pool)
        }
    }

    /// Looks after a retired pool until it is done.
    func keep(_ pool: UpstreamPool) {
        if !retired.contains(where: { $0 === pool }) { retired.append(pool) }
    }

    /// Called by the loop's tick.
    func sweep(now: Int64) {
        for pool in current { pool.sweep(now: now) }
        for pool in retired { pool.sweep(now: now) }
        retired.removeAll { $0.isDone }
    }

    /// How each stands, retired ones too.
    var figures: [PoolFigures] { (current + retired).map(\.figures) }

    /// The loop is ending.
    func stop() {
        for pool in current + retired { pool.stop() }
    }
}
