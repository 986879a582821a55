import Dispatch
import Policy

/// Publishes what this gateway says: everything in its ledger that has no number yet, in the order in which it was said.
struct FleetPublisher {
    private let member: FleetMember
    private var authority: SuspensionAuthority { member.authority }

    init(_ member: FleetMember) { self.member = member }

    func run() {
        var log: SharedLog?
        while true {
            _ = member.toPublish.wait(timeout: .now() + .milliseconds(Int(Limits.fleetPollMilliseconds)))
            while member.toPublish.wait(timeout: .now()) == .success {}
            let isLast = member.isOver
            do throws(FleetTrouble) {
                while try publish(&log) {}
            } catch {
                log = nil
            }
            if isLast { return member.stirrer.stir() }
        }
    }

    /// One batch. Whether there may be more.
    private func publish(_ log: inout SharedLog?) throws(FleetTrouble) -> Bool {
        let ticket = member.waiters.lastTicket
        let (unsent, count) = try unsent()
        member.edit { $0.unsent = count }
        guard let entrance = member.entrance else { return false }
        guard !unsent.isEmpty else {
            // Sent with somebody else's, or said before: whoever waits needs no more than what is known.
            member.waiters.published(upTo: ticket, at: member.state.withLock { max($0.status.applied, $0.lastSent) })
            if !member.waiters.isEmpty { member.stirrer.stir() }
            return false
        }
        if log == nil { log = try connect() }
        guard let link = log else { return false }
        // Asked for with every word: who waits for it may say so only when it is published.
        let note = member.acknowledgesAll ? FleetNote.all : ""
        guard let sent = try link.publish(unsent, epoch: entrance.epochs.current, note: note) else {
            // Another epoch: the follower's connection is of the last one too, and enters anew.
            member.state.withLock { $0.entrance = nil }
            throw FleetTrouble("it was started anew", .away)
        }
        do throws(LedgerError) {
            try authority.step { transaction, _ in try transaction.sent(sent) }
        } catch {
            throw FleetTrouble("\(error)", .away)
        }
        let last = member.state.withLock { state in
            state.lastSent = sent.compactMap(\.number).reduce(state.lastSent, max)
            return state.lastSent
        }
        if count <= unsent.count { member.waiters.published(upTo: ticket, at: last) }
        member.edit { status in
            status.published += sent.count
            status.unsent = max(0, count - unsent.count)
        }
        return true
    }

    private func unsent() throws(FleetTrouble) -> ([FleetEntry], Int) {
        do throws(LedgerError) {
            return try authority.step { transaction, scopes -> ([FleetEntry], Int) in
                guard transaction.isJoined else { return ([], 0) }
                let entries = try transaction.unsent(Limits.fleetBatch, scopes)
                return (entries, entries.count < Limits.fleetBatch ? entries.count : try transaction.unsentCount())
            }
        } catch {
            throw FleetTrouble("\(error)", .away)
        }
    }

    private func connect() throws(FleetTrouble) -> SharedLog {
        let log = try member.connect()
        try log.prepareSession()
        return log
    }
}
