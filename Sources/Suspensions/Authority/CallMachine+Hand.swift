import Policy

/// What operators change while the gateway runs (SPEC §4, "Sources"): confirmed by being made, so that nobody has to be asked.
///
/// A block is in memory before it is durable, a lift durable before it is in memory, as with calls. Neither waits for a call of the same
/// user that is on its way: that one can take as long as a service likes, and an operator who blocks at night can't. What keeps memory and
/// ledger together is the order of writes: a lift that is being written leaves alone whatever blocks the user meanwhile.
extension CallMachine {
    mutating func byHand(_ number: Int64, _ outcomes: [Outcome], _ now: Moment, _ actions: inout [Action]) {
        guard drainingUntil == nil else { return actions.append(.concludeByHand(number, .draining)) }
        guard writesOpen < Limits.ledgerBacklog else { return actions.append(.concludeByHand(number, .busy)) }
        let blocked = outcomes.filter(\.blocks).map(\.subject)
        guard blocked.isEmpty || debts.count + blocked.count <= Limits.undurableUsers else {
            return actions.append(.concludeByHand(number, .notDurable(inForce: false)))
        }
        if !blocked.isEmpty { actions.append(.blockByHand(blocked)) }
        for outcome in outcomes { touches.note(outcome.subject) }
        hands[number] = HandChange(
            since: now.steady, inForce: !blocked.isEmpty, settles: Set(outcomes.filter(\.settlesUnconfirmed).map(\.subject)))
        var (changes, stamps): ([LedgerChange], [Subject: LedgerDebts.Stamp]) = ([], [:])
        for outcome in outcomes {
            if let due = carry(outcome.subject) {
                changes += due.changes
                stamps[outcome.subject] = due.stamp
            }
            changes.append(.record(outcome))
        }
        for outcome in outcomes where !outcome.blocks { lifting[HandLift(outcome), default: []].insert(number) }
        submit(changes, Write(purpose: .byHand(number, outcomes), debts: stamps), &actions)
    }

    mutating func handWritten(
        _ number: Int64, _ outcomes: [Outcome], _ error: LedgerError?, _ now: Moment, _ actions: inout [Action]
    ) {
        for outcome in outcomes {
            let counts = !outcome.blocks && endLift(HandLift(outcome), number)
            guard error == nil else {
                if outcome.blocks { debts.owe(.record(outcome), of: outcome.subject) }
                continue
            }
            debts.supersede(outcome.subject, outcome.source)
            // A read that was asked for before it was in force is asked for again.
            touches.note(outcome.subject)
            if hands[number]?.settles.contains(outcome.subject) == true {
                lost[outcome.subject] = nil
                debts.settle(by: outcome)
            }
            guard !outcome.blocks else { continue }
            // An answer that was on its way when the operator decided must not undo it.
            quiet.begin(outcome.subject, at: now.steady)
            if counts { actions.append(.liftByHand(outcome.subject, outcome.source, at: outcome.at)) }
        }
        guard let change = hands.removeValue(forKey: number), !change.isAnswered else { return }
        actions.append(.concludeByHand(number, error == nil ? .done : .notDurable(inForce: change.inForce)))
    }

    /// The write of a lift is over. Whether nothing has blocked the user since it began.
    private mutating func endLift(_ lift: HandLift, _ number: Int64) -> Bool {
        guard lifting[lift]?.remove(number) != nil else { return false }
        if lifting[lift]?.isEmpty == true { lifting[lift] = nil }
        return true
    }

    /// What is owed of a subject, to be written before anything newer of it. While a lift by hand is being written it waits: what came
    /// before the lift must not be written behind it.
    mutating func carry(_ subject: Subject) -> (changes: [LedgerChange], stamp: LedgerDebts.Stamp)? {
        isLifting(subject) ? nil : debts.carry(subject)
    }

    func isLifting(_ subject: Subject) -> Bool {
        BlockSource.allCases.contains { lifting[HandLift(subject: subject, source: $0)] != nil }
    }

    /// Whom these actions block stays blocked by that source, though a lift from before is still being written: the ledger hears of it
    /// behind the lift. What other gateways have said is in the ledger at once, which knows whether the lift ends it (`FleetVerdict.kept`).
    mutating func keepBlocks(of actions: [Action]) {
        for action in actions {
            switch action {
            case .block(let subjects):
                for subject in subjects { lifting[HandLift(subject: subject, source: .upstream)] = nil }
            case .blockByHand(let subjects):
                for subject in subjects { lifting[HandLift(subject: subject, source: .operator)] = nil }
            default: break
            }
        }
    }

    /// Whoever waits for a disk that hangs is answered. It may still write what it was given.
    mutating func loseHandPatience(_ now: Moment, _ actions: inout [Action]) {
        for (number, change) in hands where !change.isAnswered && change.since <= now.steady - Self.ledgerPatience {
            hands[number]?.isAnswered = true
            actions.append(.concludeByHand(number, change.inForce ? .notDurable(inForce: true) : .undecided))
        }
    }
}

/// An operator's change while it is being written.
struct HandChange {
    /// Steady nanoseconds.
    let since: Int64
    /// Somebody is blocked by it already.
    let inForce: Bool
    /// Whose unconfirmed calls it settles: those of before it.
    var settles: Set<Subject>
    var isAnswered = false
}

/// Which block a lift by hand is about.
struct HandLift: Hashable {
    let subject: Subject
    let source: BlockSource
}

extension HandLift {
    init(_ outcome: Outcome) { self.init(subject: outcome.subject, source: outcome.source) }
}

/// What has become of an operator's change.
package enum HandConclusion: Sendable, Equatable {
    /// In force and durable.
    case done
    /// The ledger could not be written, or not in time. `inForce`: blocks hold in memory and are written as soon as they can be; else
    /// nothing has changed.
    case notDurable(inForce: Bool)
    /// A lift was given to a disk that hangs: the users stay blocked, and are let in if it is written in the end.
    case undecided
    /// Too many writes wait for the disk: nothing has changed.
    case busy
    /// The gateway is ending: nothing has changed.
    case draining
}

extension Outcome {
    /// Whether the source's block stands after it.
    fileprivate var blocks: Bool {
        if case .state(.suspended) = result { true } else { false }
    }
}
