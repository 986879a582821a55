import Synchronization

extension Gateway {
    /// Has every loop tell what it has counted; `completion` gets the sum, on one of them. Never waits. After the loops' end nothing comes.
    package func figures(_ completion: @escaping @Sendable (GatewayFigures) -> Void) {
        let workers = all
        let sum = FigureSum(loops: workers.count)
        for worker in workers {
            worker.execute { worker in
                if let whole = sum.add(worker.figures) { completion(whole) }
            }
        }
    }
}

/// What the loops have told so far.
private final class FigureSum: Sendable {
    private struct State {
        var left: Int
        var figures = GatewayFigures()
    }

    private let state: Mutex<State>

    init(loops: Int) { state = Mutex(State(left: loops)) }

    /// The whole, with the last of them.
    func add(_ loop: LoopFigures) -> GatewayFigures? {
        state.withLock { state in
            state.figures.add(loop)
            state.left -= 1
            return state.left == 0 ? state.figures : nil
        }
    }
}
