import Foundation
import Testing

/// Every state that two gateways can come to, breadth first: what ARCHITECTURE's third invariant says holds in each.
@Suite("fleet: every state of a small model")
struct FleetModelTests {
    private static let always = [
        FleetModel.Bounds(calls: 2, crashes: 1), FleetModel.Bounds(calls: 2, losses: 1), FleetModel.Bounds(calls: 2, lifts: 1),
        FleetModel.Bounds(calls: 2, reads: 1), FleetModel.Bounds(calls: 2, lifts: 1, reads: 1),
        FleetModel.Bounds(calls: 2, crashes: 1, reads: 1), FleetModel.Bounds(calls: 3, reads: 1, overlapped: true),
    ]

    /// Up to half a million states each, minutes' work: `TENANTGATE_FLEET_MODEL=long`.
    private static let long = [
        FleetModel.Bounds(calls: 3), FleetModel.Bounds(calls: 2, crashes: 1, losses: 1), FleetModel.Bounds(calls: 2, crashes: 1, lifts: 1),
        FleetModel.Bounds(calls: 2, losses: 1, lifts: 1), FleetModel.Bounds(calls: 2, losses: 1, reads: 1),
        FleetModel.Bounds(calls: 2, lifts: 2), FleetModel.Bounds(calls: 2, lifts: 1, reads: 2),
        FleetModel.Bounds(calls: 3, crashes: 1, reads: 1, overlapped: true), FleetModel.Bounds(calls: 3, losses: 1, overlapped: true),
    ]

    private static var bounds: [FleetModel.Bounds] {
        ProcessInfo.processInfo.environment["TENANTGATE_FLEET_MODEL"] == "long" ? always + long : always
    }

    @Test("an acknowledged suspension is never forgotten, and all agree when nothing is on its way", arguments: bounds)
    func explore(_ bounds: FleetModel.Bounds) {
        let start = ContinuousClock.now
        var seen = Set(FleetModel.starts(bounds))
        var frontier = seen.map { (state: $0, place: 0) }
        /// By which step each state was come to first, and from which.
        var ways: [(step: FleetModel.Step?, from: Int)] = [(nil, 0)]
        while !frontier.isEmpty {
            var following: [(state: FleetModel, place: Int)] = []
            for (state, place) in frontier {
                for (step, next) in state.next(bounds) where seen.insert(next).inserted {
                    ways.append((step, place))
                    if let violation = next.violation {
                        Issue.record("\(violation), after \(Self.steps(to: ways.count - 1, ways)):\n\(next)")
                        return
                    }
                    following.append((next, ways.count - 1))
                }
            }
            frontier = following
        }
        #expect(seen.count > 1000)
        print("fleet model: \(seen.count) states with \(bounds) in \(ContinuousClock.now - start)")
    }

    private static func steps(to place: Int, _ ways: [(step: FleetModel.Step?, from: Int)]) -> String {
        var (steps, place) = ([String](), place)
        while let step = ways[place].step {
            steps.append("\(step)")
            place = ways[place].from
        }
        return steps.reversed().joined(separator: ", ")
    }
}
