import Synchronization

/// What has become of upgrades in place, as the process tells it that goes on.
struct UpgradeFigures: Sendable, Equatable {
    enum Result: String, CaseIterable, Sendable {
        /// This process has taken over from another.
        case takenOver = "taken_over"
        /// Another was not let.
        case refused
        /// Another was let, and never served.
        case cameToNothing = "came_to_nothing"
    }

    /// The process before, while it answers on its last connections.
    struct Follower: Sendable, Equatable {
        let process: Int32
        /// Changes that it has been told and has not said to be in force.
        let unapplied: Int
    }

    var results: [Result: Int] = [:]
    /// From asking to serving, where this process has taken over.
    var seconds: Double?
    /// How often a suspension has waited until the process before had it in force, and until that one's lease was over instead.
    var waitsApplied = 0
    var waitsLeaseOver = 0
    var follower: Follower?
}

/// Counts what becomes of upgrades. From any thread.
final class UpgradeTally: Sendable {
    private let state = Mutex(UpgradeFigures())

    func note(_ result: UpgradeFigures.Result) { state.withLock { $0.results[result, default: 0] += 1 } }

    func note(tookOverIn seconds: Double) {
        note(.takenOver)
        state.withLock { $0.seconds = seconds }
    }

    var figures: UpgradeFigures { state.withLock { $0 } }
}

extension GatewayService {
    var upgradeFigures: UpgradeFigures {
        var figures = upgrades.figures
        predecessor?.add(to: &figures)
        return figures
    }
}
