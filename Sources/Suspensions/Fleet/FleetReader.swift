import Foundation
import Policy

/// Reads the shared log on over one connection, and puts in force what it says: through the ledger, which has to have it before it counts.
///
/// While the ledger takes nothing (a full disk, one that hangs), suspensions are in force in memory alone (`SuspensionAuthority.hold`):
/// nothing of that is confirmed, and all of it is heard again from `durable` on when the ledger takes it.
struct FleetReader {
    private let member: FleetMember
    private let log: SharedLog
    private let entrance: SharedLog.Entrance
    private var authority: SuspensionAuthority { member.authority }
    /// In force in memory and in the ledger up to here: what this gateway confirms.
    private(set) var durable: Int64 = 0
    /// Read up to here, if only into memory.
    private var read: Int64 = 0
    /// Whether the ledger has been told which epoch the log is in. Until then nothing is published.
    private(set) var isJoined = false
    /// Whether the ledger has failed, and when it is tried again; nanoseconds.
    private var isFailing = false
    private var nextTry = Int64.min

    /// Enters the log.
    init(_ member: FleetMember, _ log: SharedLog) throws(FleetTrouble) {
        (self.member, self.log) = (member, log)
        let known = try Self.known(member)
        entrance = try log.enter(member.directories, known: known)
        do throws(LedgerError) {
            try join()
        } catch {
            // Nothing is known of this log but by the ledger: it can't be entered without.
            guard known.log == entrance.log else { throw FleetTrouble("\(error)", .ledger) }
            start(at: min(entrance.epochs.cap(known.applied), entrance.number))
            failed(error)
        }
    }

    /// Puts everything in force that has been published; the lease is kept up meanwhile.
    mutating func drain(_ lease: inout FleetLease) throws(FleetTrouble) {
        if !isFailing || FleetGate.now() >= nextTry {
            while try hear() { try lease.goOn(applied: durable) }
        }
        while isFailing, try hold() { try lease.goOn(applied: durable) }
    }

    // MARK: entering

    private static func known(_ member: FleetMember) throws(FleetTrouble) -> (log: String, epoch: Int64, applied: Int64) {
        do throws(LedgerError) {
            return try member.authority.step { transaction, _ in try transaction.known() }
        } catch {
            guard let known = member.state.withLock({ $0.known }) else { throw FleetTrouble("\(error)", .ledger) }
            return known
        }
    }

    private mutating func join() throws(LedgerError) {
        try sayWhatStood()
        let entrance = entrance
        let position = try authority.step { transaction, scopes in
            try transaction.join(log: entrance.log, epochs: entrance.epochs, last: entrance.number, scopes)
        }
        if position.isBehindUs {
            member.say("fleet: the database has lost the end of the shared log, or is another one: what is known here is said again")
        }
        authority.fleetStands(at: position.applied)
        start(at: position.applied)
        isJoined = true
        // For the next start; a full disk keeps nobody out.
        try? authority.step { transaction, _ in try transaction.noteRun() }
        member.state.withLock { $0.entrance = entrance }
        member.toPublish.signal()
    }

    private func sayWhatStood() throws(LedgerError) {
        var last: LedgerTransaction.Stood?
        repeat {
            let from = last
            last = try authority.step { transaction, _ in try transaction.sayWhatStood(after: from, Limits.fleetBatch) }
        } while last != nil && !member.isOver
    }

    private mutating func start(at number: Int64) {
        (durable, read) = (number, number)
        member.state.withLock { state in
            state.known = (entrance.log, entrance.epochs.current, number)
            state.status.applied = number
            state.heldFrom = state.heldFrom.map { min($0, number) }
        }
    }

    // MARK: hearing

    /// A batch, through the ledger. Whether there may be more.
    private mutating func hear() throws(FleetTrouble) -> Bool {
        do throws(LedgerError) {
            if !isJoined { try join() }
        } catch {
            failed(error)
            return false
        }
        let batch = try log.read(after: durable)
        do throws(LedgerError) {
            guard let last = batch.last else {
                try recover()
                return false
            }
            let changed = try authority.hear(batch.entries, upTo: last)
            note(batch, changed)
            (durable, read) = (last, max(read, last))
            return true
        } catch {
            failed(error)
            return false
        }
    }

    private func note(_ batch: SharedLog.Batch, _ changed: Int) {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let writer = authority.fleetWriter
        member.state.withLock { state in
            state.known?.applied = batch.last ?? durable
            state.status.applied = batch.last ?? durable
            state.status.heard += changed
            if let row = batch.unreadable.last { state.status.unreadable = row }
            // What was there before this gateway is no news.
            guard state.status.caughtUpAt > 0 else { return }
            for entry in batch.entries where entry.head.writer != writer && !entry.isLoss { state.status.propagation.add(now - entry.at) }
        }
    }

    // MARK: while the ledger fails

    private mutating func failed(_ error: LedgerError) {
        isFailing = true
        nextTry = FleetGate.now() + Limits.ledgerRetryMilliseconds * 1_000_000
        member.note(ledger: error)
    }

    /// A batch, into memory alone. Whether there may be more.
    private mutating func hold() throws(FleetTrouble) -> Bool {
        let batch = try log.read(after: read)
        guard let last = batch.last else { return false }
        let from = durable
        member.state.withLock { $0.heldFrom = min($0.heldFrom ?? from, from) }
        authority.hold(batch.entries)
        read = last
        return true
    }

    /// The ledger has heard everything: what memory alone has held goes by it again.
    private mutating func recover() throws(LedgerError) {
        if let from = member.state.withLock({ $0.heldFrom }) {
            authority.holdNobody()
            var place = from
            while true {
                let batch: SharedLog.Batch
                do throws(FleetTrouble) { batch = try log.read(after: place) } catch { return }
                guard let last = batch.last, place < durable else { break }
                try authority.release(batch.entries)
                place = last
            }
            member.state.withLock { $0.heldFrom = nil }
        }
        isFailing = false
        member.note(ledger: nil)
    }

    /// Whether all that the others have published is in force, reactivations too.
    var isWhole: Bool { !isFailing }
}
