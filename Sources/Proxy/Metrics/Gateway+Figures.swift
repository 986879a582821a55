import Synchronization

extension Gateway {
    /// Has every loop tell what it has counted; `completion` gets all of it, on one of them. Never waits. After the loops' end nothing comes.
    package func figures(_ completion: @escaping @Sendable (LoopReports) -> Void) {
        let workers = all
        let reports = Collector(loops: workers.count)
        for worker in workers {
            worker.execute { worker in
                if let whole = reports.add(worker.figures) { completion(whole) }
            }
        }
    }
}

/// What each loop has counted. Loops only copy their counters; adding them up is for whoever asked, on a thread of its own.
package struct LoopReports: Sendable {
    fileprivate var loops: [LoopFigures] = []

    /// The sum: work in proportion to the routes.
    package func sum() -> GatewayFigures {
        var figures = GatewayFigures()
        for loop in loops { figures.add(loop) }
        return figures
    }
}

/// What the loops have told so far.
private final class Collector: Sendable {
    private let loops: Int
    private let reports = Mutex(LoopReports())

    init(loops: Int) { self.loops = loops }

    /// The whole, with the last of them.
    func add(_ loop: LoopFigures) -> LoopReports? {
        reports.withLock { reports in
            reports.loops.append(loop)
            return reports.loops.count == loops ? reports : nil
        }
    }
}
