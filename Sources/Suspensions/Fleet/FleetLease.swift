import Policy

/// This gateway's lease: others count on it for longer than it trusts it.
struct FleetLease {
    private let member: FleetMember
    private let log: SharedLog
    private var trustedUntil: Int64 = 0
    private var askedAt: Int64 = 0
    /// It had run out when it was last asked for: nothing may be served before all is read that others have published meanwhile.
    private(set) var isLapsed = true

    init(_ member: FleetMember, _ log: SharedLog) {
        self.member = member
        self.log = log
    }

    /// A third of it is over, or more than a second.
    var isDue: Bool { FleetGate.now() - askedAt >= 1_000_000_000 }

    /// Asks for it, and confirms what is in force here.
    mutating func take(applied: Int64, telling: Bool = false) throws(FleetTrouble) {
        let asked = FleetGate.now()
        try log.confirm(
            applied, as: member.authority.fleetWriter, name: member.settings.name, refuses: member.acknowledgesAll, telling: telling)
        if FleetGate.now() >= trustedUntil { isLapsed = true }
        askedAt = asked
        trustedUntil = asked + Limits.fleetLeaseMilliseconds * 1_000_000
        open()
    }

    /// There is more to read, perhaps for minutes: whoever is heard all the time, and counted on, serves meanwhile. Who publishes waits for
    /// `applied`, which is in force here.
    mutating func goOn(applied: Int64) throws(FleetTrouble) {
        member.state.withLock { state in
            let now = FleetGate.now()
            if now < state.heardAt + member.settings.behindMilliseconds * 1_000_000 { state.heardAt = now }
        }
        if isDue { try take(applied: applied) } else { open() }
    }

    /// Everything was read that had been published at this time, after the lease was last taken.
    mutating func heardAll(at time: Int64) {
        member.state.withLock { $0.heardAt = max($0.heardAt, time) }
        isLapsed = false
        open()
    }

    /// Serves for as long as the lease and the file allow.
    private func open() {
        var closes = Int64.max
        if member.acknowledgesAll {
            if isLapsed { return }
            closes = trustedUntil
        }
        if member.settings.behind == .refuse {
            closes = min(closes, member.state.withLock { $0.heardAt } + member.settings.behindMilliseconds * 1_000_000)
        }
        if closes != .max { member.authority.fleetGate.close(at: closes) }
    }

    func giveBack() throws(FleetTrouble) { try log.leave(member.authority.fleetWriter) }
}
