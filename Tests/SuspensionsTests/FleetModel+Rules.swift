import Policy

@testable import Suspensions

/// What must hold in every state.
extension FleetModel {
    /// Nil where all is well.
    var violation: String? {
        for (number, gateway) in gateways.enumerated() {
            if !gateway.isBlocked, let call = gateway.known.first(where: { !isLifted($0) }) {
                return "gateway \(number) admits the user of suspension \(call), which was in force there"
            }
            if gateway.isBlocked, !calls.contains(where: { $0.wanted == .suspended && $0.phase != .lost && $0.commit != nil }),
                crashes == 0
            {
                return "gateway \(number) blocks without a confirmed suspension"
            }
        }
        return isQuiet ? quietViolation : nil
    }

    /// A later word of the service, that somebody has read: the suspension is over.
    private func isLifted(_ call: Int) -> Bool {
        over.contains(call)
            || calls.contains {
                $0.wanted == .active && ($0.phase == .concluded || $0.phase == .confirmed) && $0.commit! > calls[call].commit!
            }
    }

    /// Nothing is on its way.
    private var isQuiet: Bool {
        gateways.allSatisfy { gateway in
            gateway.epoch == epochs.last![0] && !gateway.waits && gateway.read == nil && gateway.writes.isEmpty
                && gateway.heads.all.allSatisfy { $0.number != nil } && !log.contains { $0.number > gateway.applied }
        } && calls.allSatisfy { $0.phase == .concluded || $0.phase == .lost }
    }

    private var quietViolation: String? {
        if Set(gateways[0].heads.all) != Set(gateways[1].heads.all) { return "the gateways don't agree" }
        if gateways[0].isBlocked != gateways[1].isBlocked { return "the gateways' lists differ" }
        for gateway in gateways where gateway.isBlocked != (gateway.heads.state == .suspended) { return "memory and ledger differ" }
        let suspensions = calls.indices.filter { calls[$0].wanted == .suspended && calls[$0].phase == .concluded }
        if !gateways[0].isBlocked, let call = suspensions.first(where: { !isLifted($0) }) {
            return "suspension \(call) was acknowledged, and is nowhere in force"
        }
        // What a crash or the database has lost, and what was read, may keep it.
        if crashes + losses + reads == 0, gateways[0].isBlocked, suspensions.allSatisfy(isUndone) {
            return "whoever lifted the block knew of all suspensions, and it stands"
        }
        return nil
    }

    /// By an operator or a call that knew of it.
    private func isUndone(_ call: Int) -> Bool {
        over.contains(call) || calls.contains { $0.wanted == .active && $0.phase == .concluded && $0.past.contains(call) }
    }
}
