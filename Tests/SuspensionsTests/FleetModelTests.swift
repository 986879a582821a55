import Foundation
import Policy
import Testing

@testable import Suspensions

/// Every state that two gateways can come to, breadth first: what ARCHITECTURE's third invariant says holds in each.
@Suite("fleet: every state of a small model")
struct FleetModelTests {
    /// With three calls there are 350,000 states, a minute's work: `TENANTGATE_FLEET_MODEL=long`.
    private static let bounds =
        [
            FleetModel.Bounds(calls: 2, crashes: 1), FleetModel.Bounds(calls: 2, losses: 1), FleetModel.Bounds(calls: 2, lifts: 1),
            FleetModel.Bounds(calls: 2, reads: 1),
        ] + (ProcessInfo.processInfo.environment["TENANTGATE_FLEET_MODEL"] == "long" ? [FleetModel.Bounds(calls: 3)] : [])

    @Test("an acknowledged suspension is never forgotten, and all agree when nothing is on its way", arguments: bounds)
    func explore(_ bounds: FleetModel.Bounds) {
        var seen: Set<FleetModel> = [FleetModel()]
        var frontier = [FleetModel()]
        while !frontier.isEmpty {
            var following: [FleetModel] = []
            for state in frontier {
                for next in state.next(bounds) where seen.insert(next).inserted {
                    if let violation = next.violation {
                        Issue.record("\(violation):\n\(next)")
                        return
                    }
                    following.append(next)
                }
            }
            frontier = following
        }
        #expect(seen.count > 1000)
        print("fleet model: \(seen.count) states with \(bounds)")
    }
}
