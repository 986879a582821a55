import Policy

/// What goes to the ledger besides calls, and what becomes of every write.
extension CallMachine {
    /// Writes something new of a subject, after what is owed of it.
    mutating func write(_ change: LedgerChange, of subject: Subject, _ purpose: Write.Purpose, _ actions: inout [Action]) {
        let due = carry(subject)
        submit((due?.changes ?? []) + [change], Write(purpose: purpose, debts: due.map { [subject: $0.stamp] } ?? [:]), &actions)
    }

    mutating func submit(_ changes: [LedgerChange], _ write: Write, _ actions: inout [Action]) {
        writesOpen += 1
        actions.append(.write(changes, write))
    }

    mutating func written(_ write: Write, _ error: LedgerError?, _ now: Moment, _ actions: inout [Action]) {
        writesOpen -= 1
        trouble = error
        tally.ledgerWrites += 1
        if error != nil { tally.ledgerErrors += 1 }
        nextTry = error == nil ? now.steady : now.steady + Limits.ledgerRetryMilliseconds * 1_000_000
        for (subject, stamp) in write.debts { debts.carried(subject, stamp, succeeded: error == nil) }
        switch write.purpose {
        case .intent(let number): intentWritten(number, error, now, &actions)
        case .outcome(let number, let outcome): outcomeWritten(number, outcome, error, now, &actions)
        case .forgetting(let subject, let intent): if error != nil { debts.owe(.forget(intent: intent), of: subject) }
        case .sighting(let subject, let outcome): if error != nil { debts.owe(.record(outcome), of: subject) }
        case .byHand(let number, let outcomes): handWritten(number, outcomes, error, now, &actions)
        case .learned(let outcome, let source): learnedWritten(outcome, source, error, now, &actions)
        case .debts: isPaying = false
        }
        payDebts(now, &actions)
    }

    /// Tells the ledger what it missed, as soon as it takes writes again. Where it failed and nothing is owed, it is asked whether it does:
    /// a gateway that gets no calls because it is not ready would never find out.
    mutating func payDebts(_ now: Moment, _ actions: inout [Action]) {
        guard !isPaying, now.steady >= nextTry else { return }
        guard !debts.isEmpty else {
            guard trouble != nil else { return }
            isPaying = true
            return submit([.probe], Write(purpose: .debts), &actions)
        }
        let (queue, lifted) = (queue, Set(lifting.keys.map(\.subject)))
        let due = debts.carryNext { queue.isBusy($0) || lifted.contains($0) }
        guard !due.changes.isEmpty else { return }
        isPaying = true
        submit(due.changes, Write(purpose: .debts, debts: due.stamps), &actions)
    }
}

extension CallMachine {
    /// A suspended user was seen: blocked, unless a call for it says more; then the user is read afterwards. Never lifts.
    mutating func sighted(_ subject: Subject, _ sighting: Sighting, _ now: Moment, _ actions: inout [Action]) {
        guard !queue.isBusy(subject), quiet.mayTeach(subject, asked: sighting.asked, at: now.steady) else {
            return readAfterwards(subject, now)
        }
        guard !debts.isFull, writesOpen < Limits.ledgerBacklog else { return }
        tally.seenSuspended += 1
        touches.note(subject)
        actions.append(.block([subject]))
        let outcome = Outcome(
            intent: nil, subject: subject, source: .upstream, result: .state(.suspended), learned: .passive, actor: sighting.caller.name,
            requestID: sighting.requestID, reason: "", at: now.wall)
        write(.record(outcome), of: subject, .sighting(subject, outcome), &actions)
    }
}
