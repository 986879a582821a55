import Policy

@testable import Suspensions

/// Two gateways, one user, a service and a shared log, small enough to look at every state that they can come to: the protocol of suspend
/// calls (`CallMachine`'s phases), an operator's lift, reads of contested users, and the fleet's words (`FleetHeads`, `FleetEpochs`, the
/// real ones).
///
/// Every step that the code takes at once is a step here, and between any two of them anything else may happen: the other gateway's steps,
/// a service that carries out a call late, a crash, a database that loses its tail.
struct FleetModel: Hashable {
    /// Where a call is. The service may carry it out at any time after it was forwarded, also when nobody waits for it any more.
    enum Phase: Hashable { case forwarded, confirmed, concluded, lost }

    struct Call: Hashable {
        let gateway: Int
        let wanted: UserState
        let base: Int64
        var phase = Phase.forwarded
        /// The service's commit; nil while it hasn't carried it out.
        var commit: Int?
        /// Its word.
        var writer = ""
        var local: Int64 = 0
    }

    struct Gateway: Hashable {
        // The ledger: survives a crash.
        var heads = FleetHeads()
        var applied: Int64 = 0
        var local: Int64 = 0
        var epoch: Int64 = 1
        /// Acknowledged or heard suspensions, by their calls: what must not be forgotten.
        var known: Set<Int> = []
        // Memory.
        var run = 1
        var isBlocked = false
        /// A remote lift that came while a call was on its way.
        var waits = false
        var read: Read?
    }

    /// The user is being read with the service credential.
    struct Read: Hashable {
        /// What the service said, and the suspensions that it had carried out before.
        var answer: UserState?
        var covers: Set<Int> = []
        /// Something happened to the user meanwhile: the answer is not taken.
        var isTouched = false
    }

    struct Entry: Hashable {
        let number: Int64
        let head: FleetHead
    }

    var gateways = [Gateway(), Gateway()]
    var calls: [Call] = []
    var log: [Entry] = []
    var epochs = [FleetEpochs.Epoch(number: 1, after: 0)].map { [$0.number, $0.after] }
    var service = UserState.active
    var commits = 0
    var crashes = 0
    var losses = 0
    var lifts = 0
    var reads = 0
    /// Suspensions that an operator has lifted who knew of them, or that a read has shown to be over.
    var over: Set<Int> = []

    /// How much may happen.
    struct Bounds { var calls = 3, crashes = 0, losses = 0, lifts = 0, reads = 0 }

    private var fleetEpochs: FleetEpochs { FleetEpochs(epochs.map { FleetEpochs.Epoch(number: $0[0], after: $0[1]) }) }
    private var lastNumber: Int64 { log.last?.number ?? epochs.last![0] << FleetEpochs.digits }

    // MARK: steps

    func next(_ bounds: Bounds) -> [FleetModel] {
        var next: [FleetModel] = []
        func step(_ change: (inout FleetModel) -> Void) {
            var copy = self
            change(&copy)
            if copy != self { next.append(copy) }
        }
        for gateway in gateways.indices {
            if openCall(at: gateway) == nil, calls.count < bounds.calls {
                for wanted in [UserState.suspended, .active] { step { $0.begin(gateway, wanted) } }
            }
            step { $0.hear(gateway) }
            step { $0.publish(gateway, hearsAnswer: true) }
            step { $0.publish(gateway, hearsAnswer: false) }
            step { $0.tick(gateway) }
            if crashes < bounds.crashes { step { $0.crash(gateway) } }
            if lifts < bounds.lifts { step { $0.liftByHand(gateway) } }
            if reads < bounds.reads { step { $0.beginRead(gateway) } }
            step { $0.answerRead(gateway) }
            step { $0.takeRead(gateway) }
        }
        for call in calls.indices {
            step { $0.carryOut(call) }
            step { $0.confirm(call) }
            step { $0.write(call) }
            step { $0.lose(call) }
        }
        if losses < bounds.losses, !log.isEmpty { for kept in log.indices { step { $0.loseTail(keeping: kept) } } }
        return next
    }

    /// The intent is durable and the call forwarded.
    private mutating func begin(_ gateway: Int, _ wanted: UserState) {
        calls.append(Call(gateway: gateway, wanted: wanted, base: gateways[gateway].applied))
        gateways[gateway].read?.isTouched = true
    }

    private mutating func carryOut(_ call: Int) {
        guard calls[call].commit == nil else { return }
        service = calls[call].wanted
        commits += 1
        calls[call].commit = commits
    }

    /// The answer has come: a suspension is in force in memory before anything else.
    private mutating func confirm(_ call: Int) {
        guard calls[call].phase == .forwarded, calls[call].commit != nil else { return }
        calls[call].phase = .confirmed
        if calls[call].wanted == .suspended { gateways[calls[call].gateway].isBlocked = true }
    }

    /// The outcome is durable; a reactivation is in force after it; the client reads its 2xx.
    private mutating func write(_ call: Int) {
        guard calls[call].phase == .confirmed else { return }
        let number = calls[call].gateway
        say(calls[call].wanted, at: number, base: calls[call].base)
        (calls[call].writer, calls[call].local) = ("\(number).\(gateways[number].run)", gateways[number].local)
        if calls[call].wanted == .suspended { gateways[number].known.insert(call) }
        calls[call].phase = .concluded
    }

    /// A word in the ledger; what it lifts is lifted in memory then, unless another one keeps it.
    private mutating func say(_ state: UserState, at number: Int, base: Int64) {
        var gateway = gateways[number]
        gateway.local += 1
        gateway.read?.isTouched = true
        gateway.heads.say(
            FleetHead(
                writer: "\(number).\(gateway.run)", local: gateway.local, number: nil, base: fleetEpochs(at: gateway).cap(base),
                state: state), own: { $0.hasPrefix("\(number).") })
        if gateway.heads.state == .active { gateway.isBlocked = false }
        gateways[number] = gateway
    }

    /// An operator lifts the block. Waits for no call; but an outcome that has come before is written before.
    private mutating func liftByHand(_ number: Int) {
        guard gateways[number].isBlocked, !calls.contains(where: { $0.gateway == number && $0.phase == .confirmed }) else { return }
        lifts += 1
        let known = gateways[number].known
        over.formUnion(known.union(calls.indices.filter { call in known.contains { hasReplaced($0, call) } }))
        say(.active, at: number, base: gateways[number].applied)
    }

    /// Whether whoever knows of the one word knows of the other.
    private func hasReplaced(_ one: Int, _ other: Int) -> Bool {
        let (later, earlier) = (calls[one], calls[other])
        if !earlier.writer.isEmpty, later.writer == earlier.writer, later.local > earlier.local { return true }
        return log.contains { $0.head.writer == earlier.writer && $0.head.local == earlier.local && $0.number <= later.base }
    }

    // MARK: reading

    /// A contested user is read while no call is on its way here.
    private mutating func beginRead(_ number: Int) {
        guard gateways[number].heads.areContested, gateways[number].read == nil, openCall(at: number) == nil else { return }
        reads += 1
        gateways[number].read = Read()
    }

    private mutating func answerRead(_ number: Int) {
        guard let read = gateways[number].read, read.answer == nil else { return }
        gateways[number].read?.answer = service
        gateways[number].read?.covers = Set(calls.indices.filter { calls[$0].wanted == .suspended && calls[$0].commit != nil })
    }

    /// What it shows is said, if nothing has happened to the user since it was asked for.
    private mutating func takeRead(_ number: Int) {
        guard let read = gateways[number].read, let answer = read.answer else { return }
        gateways[number].read = nil
        guard !read.isTouched, openCall(at: number) == nil, gateways[number].heads.areContested else { return }
        if answer == .suspended { gateways[number].isBlocked = true } else { over.formUnion(read.covers) }
        say(answer, at: number, base: gateways[number].applied)
    }

    /// The answer is lost: unconfirmed, and nothing changes.
    private mutating func lose(_ call: Int) {
        if calls[call].phase == .forwarded { calls[call].phase = .lost }
    }

    /// One word, in the order in which they were said; the answer may be lost, so that it is published again.
    private mutating func publish(_ number: Int, hearsAnswer: Bool) {
        guard gateways[number].epoch == epochs.last![0],
            let word = gateways[number].heads.all.filter({ $0.number == nil }).min(by: { $0.local < $1.local })
        else { return }
        if !log.contains(where: { $0.head.writer == word.writer && $0.head.local == word.local }) {
            var head = word
            head.number = lastNumber + 1
            log.append(Entry(number: lastNumber + 1, head: head))
        }
        guard hearsAnswer, let entry = log.first(where: { $0.head.writer == word.writer && $0.head.local == word.local }) else { return }
        gateways[number].heads = FleetHeads(
            gateways[number].heads.all.map { head in
                var head = head
                if head.writer == word.writer, head.local == word.local { head.number = entry.number }
                return head
            })
    }

    /// The next entry of the log; first of all, in a new epoch, what of it is still there.
    private mutating func hear(_ number: Int) {
        var gateway = gateways[number]
        if gateway.epoch != epochs.last![0] {
            let epochs = fleetEpochs
            gateway.applied = epochs.cap(gateway.applied)
            gateway.heads = FleetHeads(
                gateway.heads.all.map { head in
                    var head = head
                    if let number = head.number, !epochs.has(number) { head.number = nil }
                    head.base = epochs.cap(head.base)
                    return head
                })
            gateway.epoch = epochs.current
        } else if let entry = log.first(where: { $0.number > gateway.applied }) {
            let before = gateway.heads
            gateway.heads.hear(entry.head)
            gateway.applied = entry.number
            // Its own word that comes back changes nothing.
            if gateway.heads.state != before.state
                || !before.all.contains(where: { $0.writer == entry.head.writer && $0.local == entry.head.local })
            {
                gateway.read?.isTouched = true
            }
            let isBusy = openCall(at: number) != nil
            if gateway.heads.state == .suspended {
                gateway.isBlocked = true
            } else if isBusy {
                gateway.waits = true
            } else {
                gateway.isBlocked = false
            }
            if let call = calls.firstIndex(where: { $0.writer == entry.head.writer && $0.local == entry.head.local }),
                calls[call].wanted == .suspended, gateway.isBlocked
            {
                gateway.known.insert(call)
            }
        }
        gateways[number] = gateway
    }

    /// What was to be lifted while a call was on its way is looked up in the ledger.
    private mutating func tick(_ number: Int) {
        guard gateways[number].waits, openCall(at: number) == nil else { return }
        gateways[number].waits = false
        if gateways[number].heads.state == .active { gateways[number].isBlocked = false }
    }

    /// SIGKILL, and a start from the ledger: open calls are unconfirmed.
    private mutating func crash(_ number: Int) {
        crashes += 1
        gateways[number].run += 1
        gateways[number].waits = false
        gateways[number].read = nil
        gateways[number].isBlocked = gateways[number].heads.state == .suspended
        for call in calls.indices where calls[call].gateway == number {
            if calls[call].phase == .forwarded || calls[call].phase == .confirmed { calls[call].phase = .lost }
        }
    }

    /// The database is restored from an older copy.
    private mutating func loseTail(keeping count: Int) {
        losses += 1
        let next = epochs.last![0] + 1
        log.removeLast(log.count - count)
        epochs.append([next, log.last?.number ?? epochs[0][0] << FleetEpochs.digits])
    }

    private func openCall(at gateway: Int) -> Int? {
        calls.firstIndex { $0.gateway == gateway && ($0.phase == .forwarded || $0.phase == .confirmed) }
    }

    /// As the gateway knows them: those of a database that it hasn't entered yet are unknown to it.
    private func fleetEpochs(at gateway: Gateway) -> FleetEpochs {
        FleetEpochs(fleetEpochs.all.filter { $0.number <= gateway.epoch })
    }

    // MARK: what must hold

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
            gateway.epoch == epochs.last![0] && !gateway.waits && gateway.read == nil && gateway.heads.all.allSatisfy { $0.number != nil }
                && !log.contains { $0.number > gateway.applied }
        } && calls.allSatisfy { $0.phase == .concluded || $0.phase == .lost }
    }

    private var quietViolation: String? {
        if Set(gateways[0].heads.all) != Set(gateways[1].heads.all) { return "the gateways don't agree" }
        if gateways[0].isBlocked != gateways[1].isBlocked { return "the gateways' lists differ" }
        for (number, call) in calls.enumerated() where call.phase == .concluded && call.wanted == .suspended && !isLifted(number) {
            if !gateways[0].isBlocked { return "suspension \(number) was acknowledged, and is nowhere in force" }
        }
        return nil
    }
}
