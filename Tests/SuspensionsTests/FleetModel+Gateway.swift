import Policy

@testable import Suspensions

/// A gateway's own steps: calls, operators, reads, and its ledger.
extension FleetModel {
    /// The intent is durable and the call forwarded.
    mutating func begin(_ gateway: Int, _ wanted: UserState) {
        calls.append(Call(gateway: gateway, wanted: wanted, base: gateways[gateway].applied, past: gateways[gateway].known))
        gateways[gateway].read?.isTouched = true
    }

    mutating func carryOut(_ call: Int) {
        guard calls[call].commit == nil else { return }
        service = calls[call].wanted
        commits += 1
        calls[call].commit = commits
    }

    /// The answer has come: a suspension is in force in memory before anything else.
    mutating func confirm(_ call: Int) {
        guard calls[call].phase == .forwarded, calls[call].commit != nil else { return }
        calls[call].phase = .confirmed
        if calls[call].wanted == .suspended { gateways[calls[call].gateway].block() }
        gateways[calls[call].gateway].writes.append(.outcome(call: call))
    }

    /// The answer is lost: unconfirmed, and nothing changes.
    mutating func lose(_ call: Int) {
        if calls[call].phase == .forwarded { calls[call].phase = .lost }
    }

    /// An operator lifts the block. Waits for no call, but is written after what came before.
    mutating func liftByHand(_ number: Int) {
        guard gateways[number].isBlocked else { return }
        lifts += 1
        // A suspension that is in force here, though not yet durable, is lifted with the others.
        let confirmed = gateways[number].writes.compactMap { write in
            if case .outcome(let call) = write, calls[call].wanted == .suspended { call } else { nil }
        }
        let past = gateways[number].known.union(confirmed)
        gateways[number].writes.append(.lift(base: gateways[number].applied, past: past, counts: true))
        gateways[number].read?.isTouched = true
    }

    // MARK: the ledger

    /// The next write is durable. A reactivation is in force after it; the client reads its 2xx.
    mutating func write(_ number: Int) {
        guard !gateways[number].writes.isEmpty else { return }
        switch gateways[number].writes.removeFirst() {
        case .outcome(let call):
            say(calls[call].wanted, at: number, base: calls[call].base, past: calls[call].past.union([call]), lifts: true)
            calls[call].phase = .concluded
        case .lift(let base, let past, let counts):
            over.formUnion(past)
            say(.active, at: number, base: base, past: [], lifts: counts)
        case .read(let state, let base, let past, let covers):
            over.formUnion(covers)
            say(state, at: number, base: base, past: past, lifts: true)
        }
    }

    /// A word in the ledger; what it lifts is lifted in memory then, unless another one keeps it.
    private mutating func say(_ state: UserState, at number: Int, base: Int64, past: Set<Int>, lifts: Bool) {
        var gateway = gateways[number]
        gateway.local += 1
        gateway.read?.isTouched = true
        let word = FleetHead(
            writer: "\(number).\(gateway.run)", local: gateway.local, number: nil, base: fleetEpochs(at: gateway).cap(base), state: state)
        let before = gateway.heads
        gateway.heads.say(word, own: { Self.isOwn($0, number) })
        for head in before.all where head.writer == word.writer && isUnpublished(head) && !gateway.heads.all.contains(head) {
            gateway.replaced.append(head)
        }
        if state == .suspended {
            pasts[Word(word)] = past
            gateway.known.formUnion(past)
        } else if lifts, gateway.heads.state == .active {
            gateway.isBlocked = false
        }
        gateways[number] = gateway
    }

    /// What was to be lifted while a call was on its way is looked up in the ledger.
    mutating func tick(_ number: Int) {
        guard gateways[number].waits, !isBusy(number) else { return }
        gateways[number].waits = false
        if gateways[number].heads.state == .active { gateways[number].isBlocked = false }
    }

    /// SIGKILL, and a start from the ledger: open calls are unconfirmed.
    mutating func crash(_ number: Int) {
        crashes += 1
        gateways[number].run += 1
        gateways[number].writes = []
        gateways[number].replaced = []
        gateways[number].waits = false
        gateways[number].read = nil
        gateways[number].isBlocked = gateways[number].heads.state == .suspended
        for call in calls.indices where calls[call].gateway == number {
            if calls[call].phase == .forwarded || calls[call].phase == .confirmed { calls[call].phase = .lost }
        }
    }

    // MARK: reading

    /// A contested user is read while no call is on its way here.
    mutating func beginRead(_ number: Int) {
        guard gateways[number].heads.areContested, gateways[number].read == nil, !isTurnTaken(at: number) else { return }
        reads += 1
        gateways[number].read = Read()
    }

    mutating func answerRead(_ number: Int) {
        guard let read = gateways[number].read, read.answer == nil else { return }
        gateways[number].read?.answer = service
        gateways[number].read?.covers = Set(calls.indices.filter { calls[$0].wanted == .suspended && calls[$0].commit != nil })
    }

    /// What it shows is said, if nothing has happened to the user since it was asked for.
    mutating func takeRead(_ number: Int) {
        guard let read = gateways[number].read, let answer = read.answer else { return }
        gateways[number].read = nil
        guard !read.isTouched, !isTurnTaken(at: number), gateways[number].heads.areContested else { return }
        if answer == .suspended { gateways[number].block() }
        gateways[number].writes.append(
            .read(
                answer, base: gateways[number].applied, past: gateways[number].known, covers: answer == .active ? read.covers : []))
    }

    // MARK: what is on its way

    /// A call is on its way here, or a read's answer is being written: nobody else may begin.
    func isTurnTaken(at number: Int) -> Bool {
        calls.contains { $0.gateway == number && ($0.phase == .forwarded || $0.phase == .confirmed) }
            || gateways[number].writes.contains { if case .read = $0 { true } else { false } }
    }

    /// Something here may block the user of which the ledger doesn't know yet.
    func isBusy(_ number: Int) -> Bool { isTurnTaken(at: number) || !gateways[number].writes.isEmpty }

    static func isOwn(_ writer: String, _ gateway: Int) -> Bool { writer.hasPrefix("\(gateway).") }
}

extension FleetModel.Gateway {
    /// In memory, at once: lifts that are being written count no more, since the ledger hears of it behind them.
    mutating func block() {
        isBlocked = true
        writes = writes.map { write in
            guard case .lift(let base, let past, _) = write else { return write }
            return .lift(base: base, past: past, counts: false)
        }
    }
}
