import StrictJSON
import Suspensions

/// How far a suspension by hand reaches when it is answered, as the calls' `Suspension-Reach` says it.
struct AdminReach: Sendable {
    /// In force at every live gateway of the fleet; else at this one, and the others follow.
    let isEverywhere: Bool
    /// How this gateway stands with the others; nil for one by itself.
    let fleet: FleetStatus.Link?

    var name: String { isEverywhere ? "fleet" : "gateway" }

    /// Waits for the others where the file says `acknowledge: all`, for a second at most.
    static func find(_ fleet: FleetMember?, then answer: @escaping @Sendable (AdminReach) -> Void) {
        guard let fleet else { return answer(AdminReach(isEverywhere: false, fleet: nil)) }
        guard fleet.acknowledgesAll else { return answer(AdminReach(isEverywhere: false, fleet: fleet.status.link)) }
        fleet.confirm { answer(AdminReach(isEverywhere: $0, fleet: fleet.status.link)) }
    }
}

extension JSONWriter {
    mutating func write(_ reach: AdminReach) {
        member("reach", reach.name)
        if let fleet = reach.fleet { member("fleet", fleet.rawValue) }
    }
}
