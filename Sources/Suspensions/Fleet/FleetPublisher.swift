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
        // Before the words are taken: in another epoch they are others.
        let entrance = member.entrance
        let (words, left) = try words()
        member.edit { $0.unsent = words.count + left }
        guard !words.isEmpty else {
            // Sent with somebody else's, or said before: whoever waits needs no more than what is known.
            member.waiters.published(upTo: ticket, at: member.state.withLock { max($0.status.applied, $0.lastSent) })
            if !member.waiters.isEmpty { member.stirrer.stir() }
            return false
        }
        guard let sent = try send(words, &log, entrance) else { return false }
        let last = member.state.withLock { state in
            state.lastSent = sent.compactMap(\.number).reduce(state.lastSent, max)
            return state.lastSent
        }
        if left == 0 { member.waiters.published(upTo: ticket, at: last) }
        member.edit { status in
            status.published += sent.count
            status.unsent = left
        }
        // The ledger learns their numbers when the follower hears them; asked before, it would tell the same ones again.
        if left > 0 { waitUntilHeard(last) }
        return true
    }

    /// Nil where there is no connection now. What isn't sent is asked of the ledger again.
    private func send(
        _ words: [FleetEntry], _ log: inout SharedLog?, _ entrance: SharedLog.Entrance?
    ) throws(FleetTrouble) -> [FleetHead]? {
        var isSent = false
        defer { if !isSent { authority.fleetLedger?.loseOutbox() } }
        guard let entrance else { return nil }
        if log == nil { log = try connect() }
        // Asked for with every word: who waits for it may say so only when it is published.
        let note = member.acknowledgesAll ? FleetNote.all : ""
        guard let sent = try log?.publish(words, epoch: entrance.epochs.current, note: note) else {
            // Another epoch: the follower's connection is of the last one too, and enters anew.
            member.state.withLock { $0.entrance = nil }
            throw FleetTrouble("it was started anew", .away)
        }
        isSent = true
        return sent
    }

    private func waitUntilHeard(_ number: Int64) {
        let deadline = PostgresLink.now() + Limits.fleetPollMilliseconds
        while !member.isOver, member.state.withLock({ $0.status.applied }) < number, PostgresLink.now() < deadline {
            _ = member.toPublish.wait(timeout: .now() + .milliseconds(5))
        }
    }

    /// What is to be published next, and how much more there is.
    private func words() throws(FleetTrouble) -> ([FleetEntry], left: Int) {
        if let words = authority.fleetLedger?.takeOutbox() { return (words, 0) }
        do throws(LedgerError) {
            return try authority.step { transaction, scopes -> ([FleetEntry], Int) in
                guard transaction.isJoined else { return ([], 0) }
                let words = try transaction.unsent(Limits.fleetBatch, scopes)
                return (words, words.count < Limits.fleetBatch ? 0 : try transaction.unsentCount() - words.count)
            }
        } catch {
            throw FleetTrouble("\(error)", .ledger)
        }
    }

    private func connect() throws(FleetTrouble) -> SharedLog {
        let log = try member.connect()
        try log.prepareSession()
        return log
    }
}
