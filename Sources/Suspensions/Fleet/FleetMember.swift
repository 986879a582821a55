import Foundation
import Policy
import Synchronization

/// This gateway's part in the fleet. Two threads, each with a connection of its own: one publishes what this gateway says, one follows what
/// the others say. No event loop ever waits for either.
///
/// A *word* (`FleetHead`) is what one gateway says of one subject: suspended or active. It goes through these states, and a crash at any
/// point leaves the one before:
///
/// 1. *confirmed*: the service has answered; a suspension is in force here, in memory.
/// 2. *durable*: the ledger has it, in the same transaction as block and log (`LedgerTransaction.say`), without a number; the client may
///    read its 2xx. A crash before leaves an intent, which is unconfirmed at the next start.
/// 3. *published*: the shared log has it, with a number out of one counter row that is locked until the commit, so that numbers are in the
///    order of commits (`SharedLog.publish`). A crash before the ledger has its number: it is published again, and is there already
///    (`UNIQUE (writer, local)`).
/// 4. *applied* elsewhere: blocks in memory first, then the ledger together with the number that it follows from, then what is lifted, in
///    memory (`SuspensionAuthority.hear`). A crash before: read again after the last number.
///
/// Which of two words holds is decided by `FleetHeads`, the same everywhere and in whatever order they come: each word says with its *base*
/// up to which number the gateway knew of everything when the call's intent was written. One that knew of the other is the newer one; where
/// neither did, the calls overlapped or the gateways didn't hear of each other, and suspended wins until a call that knew of both is
/// confirmed, the service is read, or a person decides. Such subjects are in the ledger's list of unconfirmed calls.
///
/// A call whose outcome is unknown says nothing of its user. That one was lost is told all the same, in the log's order
/// (`LedgerTransaction.lose`), so that a call that is begun afterwards settles it, at whichever gateway.
///
/// What the database may lose, and how that is found, is told by `FleetEpochs`; who is waited for by `acknowledge: all`, by `FleetLease`.
package final class FleetMember: Sendable {
    struct State {
        var status = FleetStatus()
        /// Set by the follower when it has entered the shared log; nil while it hasn't.
        var entrance: SharedLog.Entrance?
        var isOver = false
        var hasCaughtUp = false
        /// The last number that this gateway's own words have got.
        var lastSent: Int64 = 0
        /// What the ledger knows of the shared log: while it can't be asked.
        var known: (log: String, epoch: Int64, applied: Int64)?
        /// Where suspensions begin that memory alone has in force, because the ledger took nothing; nil where there are none.
        var heldFrom: Int64?
        /// When something was last heard of the others; nanoseconds.
        var heardAt = FleetGate.now()
        /// When the log was last looked at for what can be cut; nanoseconds.
        var cutAt = Int64.min
    }

    let settings: FleetSettings
    let directories: [FleetDirectory]
    let authority: SuspensionAuthority
    let say: @Sendable (String) -> Void
    let state = Mutex(State())
    let waiters = FleetWaiters()
    /// Wakes the follower, the publisher, and whoever waits for the start.
    let stirrer = Stirrer()
    let toPublish = DispatchSemaphore(value: 0)
    private let started = DispatchSemaphore(value: 0)
    private let ended = DispatchGroup()

    /// Takes part at once, in the background. `say` gets what is worth knowing, from any thread.
    package init(
        _ settings: FleetSettings, directories: [FleetDirectory], authority: SuspensionAuthority, say: @escaping @Sendable (String) -> Void
    ) {
        self.settings = settings
        self.directories = directories
        self.authority = authority
        self.say = say
        if settings.acknowledge == .all {
            authority.fleetGate.close(at: 0)
        } else if settings.behind == .refuse {
            authority.fleetGate.close(at: state.withLock { $0.heardAt } + settings.behindMilliseconds * 1_000_000)
        }
        authority.tellFleet { [weak self] in _ = self?.toPublish.signal() }
        run("fleet-follow") { FleetFollower($0).run() }
        run("fleet-publish") { FleetPublisher($0).run() }
    }

    /// Blocks until everything that the others had published is in force here, but no longer than `milliseconds`. Whether it is.
    package func waitForFirst(milliseconds: Int) -> Bool {
        _ = started.wait(timeout: .now() + .milliseconds(milliseconds))
        return state.withLock { $0.hasCaughtUp }
    }

    package var status: FleetStatus {
        var status = state.withLock { $0.status }
        status.contested = authority.contestedUsers
        status.isRefusing = authority.fleetGate.isClosed
        return status
    }

    /// Whether a suspension's 2xx waits for the others.
    package var acknowledgesAll: Bool { settings.acknowledge == .all }

    /// Answers whether everything that this gateway has said so far is in force at every live gateway, after a second at the latest.
    package func confirm(_ answer: @escaping @Sendable (Bool) -> Void) {
        waiters.add(answer)
        toPublish.signal()
    }

    /// Publishes what is left within `milliseconds`, says goodbye and ends. Blocks.
    package func leave(milliseconds: Int) {
        state.withLock { $0.isOver = true }
        toPublish.signal()
        stirrer.stir()
        _ = ended.wait(timeout: .now() + .milliseconds(milliseconds))
    }

    // MARK: for the threads

    var isOver: Bool { state.withLock { $0.isOver } }
    var entrance: SharedLog.Entrance? { state.withLock { $0.entrance } }

    func edit(_ change: (inout FleetStatus) -> Void) { state.withLock { change(&$0.status) } }

    /// The connection is lost, or can't be made. What is said about it is said once.
    func note(_ trouble: FleetTrouble) {
        let isNews = state.withLock { state in
            defer {
                state.status.link = trouble.kind == .refused ? .refused : .away
                state.status.trouble = trouble.words
                state.status.isLedgerTrouble = trouble.kind == .ledger
            }
            state.entrance = nil
            return state.status.link == .joined || state.status.trouble != trouble.words
        }
        if isNews { say("fleet: \(trouble.kind == .ledger ? "the ledger" : "the database") can't be used: \(trouble.words)") }
        // A start doesn't wait for what can't be had.
        started.signal()
    }

    /// The ledger takes nothing of what the others say, or does again. Said once.
    func note(ledger error: LedgerError?) {
        let isNews = state.withLock { state in
            let was = state.status.isLedgerTrouble
            state.status.isLedgerTrouble = error != nil
            if error != nil || was { state.status.trouble = error.map { "\($0)" } }
            return was != (error != nil)
        }
        guard isNews else { return }
        guard let error else { return say("fleet: the ledger takes what the others say again") }
        say("fleet: the ledger doesn't take what the others say: their suspensions are held in memory, their reactivations wait: \(error)")
        started.signal()
    }

    /// Everything was read that had been published at this time. `isWhole`: and is in force, reactivations too.
    func heardAll(at time: Int64, isWhole: Bool) {
        let isFirst = state.withLock { state in
            if isWhole {
                state.status.caughtUpAt = time
                if !state.status.isLedgerTrouble { state.status.trouble = nil }
            }
            defer { state.hasCaughtUp = true }
            return !state.hasCaughtUp
        }
        if isFirst { started.signal() }
    }

    /// Has the shared log cut, at the start and once a day, by a connection of its own that nobody waits for. One gateway at a time.
    func cutWhenDue() {
        let isDue = state.withLock { state in
            let now = FleetGate.now()
            guard state.cutAt == .min || now - state.cutAt >= Limits.fleetCutSeconds * 1_000_000_000 else { return false }
            state.cutAt = now
            return true
        }
        guard isDue else { return }
        DispatchQueue.global(qos: .utility).async { [self] in
            do throws(FleetTrouble) {
                let log = try connect(patience: Limits.fleetCutPatienceMilliseconds)
                let count = try log.cut()
                if count > 0 { say("fleet: \(count) entries of the shared log that others have replaced were cut") }
            } catch {
                say("fleet: the shared log could not be cut: \(error.words)")
            }
        }
    }

    func connect(patience: Int32 = Limits.fleetPatienceMilliseconds) throws(FleetTrouble) -> SharedLog {
        let password = try settings.password()
        do throws(PostgresError) {
            return SharedLog(
                link: try PostgresLink(
                    database: settings.database, password: password, patience: patience))
        } catch {
            throw FleetTrouble(error.description, .away)
        }
    }

    private func run(_ name: String, _ body: @escaping @Sendable (FleetMember) -> Void) {
        ended.enter()
        let thread = Thread { [self] in
            body(self)
            ended.leave()
        }
        thread.name = name
        thread.start()
    }
}

/// Wakes a thread that waits in poll(2).
final class Stirrer: Sendable {
    let descriptor: CInt
    private let writing: CInt

    init() {
        var ends: [CInt] = [-1, -1]
        _ = unsafe pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (descriptor, writing) = (ends[0], ends[1])
    }

    deinit {
        close(descriptor)
        close(writing)
    }

    func stir() {
        var byte: UInt8 = 0
        _ = unsafe write(writing, &byte, 1)
    }

    func settle() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while unsafe read(descriptor, &bytes, bytes.count) > 0 {}
    }
}
