import Suspensions

extension Readiness {
    /// How the fleet stands: nothing where all is well.
    mutating func add(_ fleet: FleetStatus) {
        if fleet.isRefusing { reasons.append("requests are refused: nothing is heard of the fleet (\(fleet.behindText))") }
        if let trouble = fleet.trouble, fleet.isLedgerTrouble {
            notices.append(
                "fleet: the ledger doesn't take what the others say: \(trouble) Their suspensions are held in memory, their reactivations wait "
                    + "(\(fleet.untoldText))")
        } else if let trouble = fleet.trouble {
            notices.append("fleet: the database can't be used: \(trouble) (\(fleet.behindText); \(fleet.untoldText))")
        } else if fleet.behindSeconds > Self.worthTelling || fleet.unsent > 0 {
            notices.append("fleet: \(fleet.behindText); \(fleet.untoldText)")
        }
        if let row = fleet.unreadable {
            notices.append("fleet: entry \(row) of the shared log is not a gateway's: it was passed over; look at it, and delete it")
        }
        if !fleet.hears { notices.append("fleet: LISTEN gets nothing, so others are heard late: connect past the pooler") }
        if fleet.contested > 0 {
            notices.append("fleet: users whose calls at two gateways overlapped, suspended until settled: \(fleet.contested)")
        }
    }

    /// Seconds: a few looks.
    private static let worthTelling = 3.0
}

extension FleetStatus {
    fileprivate var untoldText: String { "\(unsent) changes not told the others" }

    fileprivate var behindText: String {
        caughtUpAt == 0 ? "nothing was heard since the start" : "behind by \(Int(behindSeconds)) s"
    }
}
