/// Leave to admit users by what the index says: taken before the index is asked, and held against the clock afterwards.
///
/// What was good all that time vouches for the index as it was in between: a gateway that follows another, or one of a fleet, had every
/// change then that somebody has been told is in force. Asked on one side alone it would not: a thread that stands still between the two
/// questions could read an old index and then find a new leave, or take a good leave and read the index when it is over.
package struct AdmissionLeave {
    /// Steady nanoseconds; `max` where the ledger is this process' own.
    fileprivate let lease: Int64
    /// `FleetGate`'s.
    fileprivate let gate: Int64

    package enum Standing {
        case good
        /// The process that has the ledger now is not heard.
        case unheard
        /// Too little is known of the other gateways of the fleet.
        case behind
        /// The ledger was given away, or taken back, in between: to be asked again.
        case changed
    }
}

extension SuspensionAuthority {
    /// From any thread, on every request.
    package var leave: AdmissionLeave {
        AdmissionLeave(lease: lease.load(ordering: .acquiring), gate: fleetGate.closing)
    }

    /// What has become of `leave`. From any thread, on every request: two loads where neither can end.
    package func standing(of leave: AdmissionLeave) -> AdmissionLeave.Standing {
        let current = lease.load(ordering: .acquiring)
        if (leave.lease == .max) != (current == .max) { return .changed }
        if current != .max && surroundings.steady() >= min(leave.lease, current) { return .unheard }
        return FleetGate.isOver(leave.gate) ? .behind : .good
    }
}
