import Dispatch
import Foundation
import Policy

/// Follows what the others say: enters the shared log, puts every new entry in force, confirms it, and holds this gateway's lease.
///
/// News come by NOTIFY; where they don't (a pooler in between that hands connections round), by looking often.
struct FleetFollower {
    private let member: FleetMember
    private var authority: SuspensionAuthority { member.authority }

    init(_ member: FleetMember) { self.member = member }

    func run() {
        while !member.isOver {
            do throws(FleetTrouble) {
                try follow(try member.connect())
            } catch {
                member.note(error)
            }
            guard !member.isOver else { break }
            _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(Int(Limits.fleetRetryMilliseconds)))
        }
    }

    // MARK: one connection

    private func follow(_ log: SharedLog) throws(FleetTrouble) {
        var reader = try FleetReader(member, log)
        try settle(log)
        var lease = FleetLease(member, log)
        var said = Set<String>()
        try lease.take(applied: reader.durable)
        try drain(&reader, &lease)
        try lookAround(log)
        joined()
        while true {
            if member.isOver { return try lease.giveBack() }
            said.formUnion(try wait(log))
            // The publisher has found it to be in another epoch.
            guard member.entrance != nil || !reader.isJoined else { throw FleetTrouble("it was started anew", .away) }
            try drain(&reader, &lease)
            let isAsked = said.contains(FleetNote.all)
            if isAsked || lease.isDue {
                try lease.take(applied: reader.durable, telling: isAsked)
                // Whoever published while nobody counted on this gateway didn't wait for it.
                if lease.isLapsed { try drain(&reader, &lease) }
                said = []
                try lookAround(log)
            }
            if !member.waiters.isEmpty { try settleWaiters(log) }
        }
    }

    /// Puts everything in force that has been published.
    private func drain(_ reader: inout FleetReader, _ lease: inout FleetLease) throws(FleetTrouble) {
        let begun = FleetGate.now()
        try reader.drain(&lease)
        lease.heardAll(at: begun)
        member.heardAll(at: begun, isWhole: reader.isWhole)
    }

    /// Has the others' news come by themselves.
    private func settle(_ log: SharedLog) throws(FleetTrouble) {
        try log.listen()
        let hears = try log.hears(try member.connect(), as: authority.fleetWriter, stirrer: member.stirrer)
        member.edit { $0.hears = hears }
        if !hears {
            member.say(
                "fleet: LISTEN gets nothing: is there a pooler in between that hands out connections by transaction? Looking every "
                    + "\(Limits.fleetBlindPollMilliseconds) ms instead; connect to PostgreSQL itself, or have the pooler keep sessions")
        }
    }

    private func joined() {
        let isNews = member.state.withLock { state in
            defer { state.status.link = .joined }
            return state.status.link != .joined
        }
        if isNews { member.say("fleet: joined") }
        member.toPublish.signal()
    }

    /// Waits for news, or for the time to look. Returns the notes that came.
    private func wait(_ log: SharedLog) throws(FleetTrouble) -> [String] {
        let pause = member.state.withLock { $0.status.hears } ? Limits.fleetPollMilliseconds : Limits.fleetBlindPollMilliseconds
        let notes = try log.news(within: pause, stirredBy: member.stirrer.descriptor)
        member.stirrer.settle()
        return notes
    }

    /// Who else is there, now and then, and whether the log is to be cut: once a day.
    private func lookAround(_ log: SharedLog) throws(FleetTrouble) {
        try log.forgetGone(authority.fleetLedger?.earlierRuns ?? [])
        let (peers, stray) = (try log.peers(authority.fleetWriter), try log.stray())
        member.edit { status in
            status.members = peers
            if let stray { status.unreadable = stray }
        }
        member.cutWhenDue()
    }

    private func settleWaiters(_ log: SharedLog) throws(FleetTrouble) {
        if let number = try log.confirmedEverywhere() { member.waiters.confirm(upTo: number) }
    }
}
