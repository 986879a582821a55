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
        var position = try enter(log)
        var lease = FleetLease(member, log)
        var said = Set<String>()
        try lease.take(applied: position)
        try drain(log, &position)
        lease.open()
        joined()
        while true {
            if member.isOver { return try lease.giveBack() }
            said.formUnion(try wait(log))
            // The publisher has found it to be in another epoch.
            guard member.entrance != nil else { throw FleetTrouble("it was started anew", .away) }
            let begun = FleetGate.now()
            try drain(log, &position)
            let isAsked = said.contains(FleetNote.all)
            if isAsked || lease.isDue {
                let wasLapsed = try lease.take(applied: position, telling: isAsked)
                // Whoever published while nobody counted on this gateway didn't wait for it.
                if wasLapsed { try drain(log, &position) }
                lease.open()
                said = []
                try lookAround(log)
            }
            lease.caughtUp(at: begun)
            if !member.waiters.isEmpty { try settleWaiters(log) }
        }
    }

    private func enter(_ log: SharedLog) throws(FleetTrouble) -> Int64 {
        let known = try asking { () throws(LedgerError) in try authority.step { transaction, _ in try transaction.known() } }
        let entrance = try log.enter(member.directories, known: (known.log, known.epoch, known.applied))
        try sayWhatStood()
        let position = try asking { () throws(LedgerError) in
            try authority.step { transaction, scopes in try transaction.join(log: entrance.log, epochs: entrance.epochs, scopes) }
        }
        if position.isBehindUs {
            member.say("fleet: the database has lost the end of the shared log, or is another one: what is known here is said again")
        }
        authority.fleetStands(at: position.applied)
        try log.forgetGone()
        try log.listen()
        let hears = try log.hears(try member.connect(), as: authority.fleetWriter, stirrer: member.stirrer)
        member.state.withLock { state in
            state.entrance = entrance
            state.status.hears = hears
            state.status.applied = position.applied
        }
        if !hears {
            member.say(
                "fleet: LISTEN gets nothing: is there a pooler in between that hands out connections by transaction? Looking every "
                    + "\(Limits.fleetBlindPollMilliseconds) ms instead; connect to PostgreSQL itself, or have the pooler keep sessions")
        }
        return position.applied
    }

    private func sayWhatStood() throws(FleetTrouble) {
        var last: LedgerTransaction.Stood?
        repeat {
            let from = last
            last = try asking { () throws(LedgerError) in
                try authority.step { transaction, _ in try transaction.sayWhatStood(after: from, Limits.fleetBatch) }
            }
        } while last != nil && !member.isOver
    }

    private func joined() {
        let isNews = member.state.withLock { state in
            defer { (state.status.link, state.status.trouble) = (.joined, nil) }
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

    /// Puts everything in force that has been published.
    private func drain(_ log: SharedLog, _ position: inout Int64) throws(FleetTrouble) {
        while true {
            let entries = try log.read(after: position)
            guard let last = entries.last?.head.number else { return }
            let changed = try asking { () throws(LedgerError) in try authority.hear(entries, upTo: last) }
            position = last
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            member.edit { status in
                status.applied = last
                status.heard += changed
                // What was there before this gateway is no news.
                guard status.caughtUpAt > 0 else { return }
                for entry in entries where entry.head.writer != authority.fleetWriter { status.propagation.add(now - entry.at) }
            }
        }
    }

    /// Who else is there, now and then, and whether the log is to be cut: once a day.
    private func lookAround(_ log: SharedLog) throws(FleetTrouble) {
        let peers = try log.peers(authority.fleetWriter)
        member.edit { $0.members = peers }
        member.cutWhenDue()
    }

    private func settleWaiters(_ log: SharedLog) throws(FleetTrouble) {
        if let number = try log.confirmedEverywhere() { member.waiters.confirm(upTo: number) }
    }

    private func asking<Result>(_ body: () throws(LedgerError) -> Result) throws(FleetTrouble) -> Result {
        do throws(LedgerError) {
            return try body()
        } catch {
            throw FleetTrouble("the ledger can't take what it says: \(error)", .away)
        }
    }
}

/// This gateway's lease: others count on it for longer than it trusts it.
struct FleetLease {
    private let member: FleetMember
    private let log: SharedLog
    private var trustedUntil: Int64 = 0
    private var caughtUpAt: Int64 = 0
    private var askedAt: Int64 = 0

    init(_ member: FleetMember, _ log: SharedLog) {
        self.member = member
        self.log = log
    }

    /// A third of it is over, or more than a second.
    var isDue: Bool { FleetGate.now() - askedAt >= 1_000_000_000 }

    /// Asks for it, and confirms what is in force here. Whether it had run out: then nothing may be served before all is read that others
    /// have published meanwhile.
    @discardableResult
    mutating func take(applied: Int64, telling: Bool = false) throws(FleetTrouble) -> Bool {
        let asked = FleetGate.now()
        try log.confirm(
            applied, as: member.authority.fleetWriter, name: member.settings.name, refuses: member.acknowledgesAll, telling: telling)
        let wasLapsed = FleetGate.now() >= trustedUntil
        askedAt = asked
        trustedUntil = asked + Limits.fleetLeaseMilliseconds * 1_000_000
        return wasLapsed
    }

    /// Everything was read that had been published at this time.
    mutating func caughtUp(at time: Int64) {
        caughtUpAt = time
        member.caughtUp(at: time)
        open()
    }

    /// Serves for as long as the lease and the file allow.
    func open() {
        var closes = Int64.max
        if member.acknowledgesAll { closes = trustedUntil }
        if member.settings.behind == .refuse, caughtUpAt > 0 {
            closes = min(closes, caughtUpAt + member.settings.behindMilliseconds * 1_000_000)
        }
        if closes != .max { member.authority.fleetGate.close(at: closes) }
    }

    func giveBack() throws(FleetTrouble) { try log.leave(member.authority.fleetWriter) }
}
