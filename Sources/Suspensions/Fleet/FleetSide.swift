import Policy

/// What the authority keeps for the fleet. Touched on its thread only, but for `wake`.
struct FleetSide: Sendable {
    /// Something was written that others have to hear.
    var wake: (@Sendable () -> Void)?
    let ledger: FleetLedger
    /// The last number of the shared log that is in force here.
    var applied: Int64
    /// What `applied` was when a call's intent was written, until its outcome is, or it is known that none comes. As many as there are calls.
    private(set) var bases: [CallQueue.Number: Int64] = [:]
    /// Changes of a subject that are on their way to the ledger.
    private var writing: [Subject: Int] = [:]
    /// Those of them that leave a call open.
    private var losing: [Subject: Int] = [:]
    /// Blocks that were lifted elsewhere while this gateway was busy with their subject: looked at again when it is not.
    var waiting: [Subject: [BlockSource: Int64]] = [:]
    /// Users whom memory alone knows to be suspended elsewhere.
    var held = FleetHeld()
    /// A step that was not waited for is still on its way to the ledger.
    var isHanging = false
    /// Blocks of the write that has just come back that stand in spite of it.
    private(set) var kept: Set<BlockKey> = []

    /// By their numbers.
    let directories: [LedgerDirectory]

    init(_ ledger: FleetLedger, _ directories: [LedgerDirectory] = []) {
        self.ledger = ledger
        self.directories = directories
        applied = ledger.appliedAtStart
    }

    func isWriting(_ subject: Subject) -> Bool { writing[subject] != nil }
    func isLosing(_ subject: Subject) -> Bool { losing[subject] != nil }

    mutating func stands(at number: Int64) { applied = max(applied, number) }

    /// What a write is to say of where in the shared log it was made: noted for a call's intent, put into an outcome. Into what is owed if
    /// the write fails, too: when it is written at last, more will be known than when it was made.
    ///
    /// An outcome that has no intent was made now. That holds for reads and reconcile runs too: what was heard of the subject since they
    /// began has touched it, and then their answer is not taken.
    mutating func stamp(_ changes: [LedgerChange], _ write: CallMachine.Write) -> ([LedgerChange], CallMachine.Write) {
        let stamped = changes.map { change -> LedgerChange in
            switch change {
            case .intend(var intent):
                bases[intent.number] = applied
                intent.base = applied
                return .intend(intent)
            case .record(let outcome):
                writing[outcome.subject, default: 0] += 1
                if outcome.isUnknown { losing[outcome.subject, default: 0] += 1 }
                return .record(based(outcome))
            default: return change
            }
        }
        let stampedWrite = write.mapOutcomes(based)
        // The outcome has it now, also where it has to be written again.
        for case .record(let outcome) in stamped { if let intent = outcome.intent { bases[intent] = nil } }
        return (stamped, stampedWrite)
    }

    /// The call ends without an outcome, or its outcome has taken its base.
    mutating func forgetBase(of call: CallQueue.Number) { bases[call] = nil }

    private func based(_ outcome: Outcome) -> Outcome {
        var outcome = outcome
        if outcome.base == nil { outcome.base = outcome.intent.flatMap { bases[$0] } ?? applied }
        return outcome
    }

    mutating func written(_ changes: [LedgerChange], _ verdict: FleetVerdict) {
        kept = verdict.kept
        for case .record(let outcome) in changes {
            writing.takeOne(outcome.subject)
            if outcome.isUnknown { losing.takeOne(outcome.subject) }
        }
    }
}

extension [Subject: Int] {
    /// One less of a subject; none is not kept.
    fileprivate mutating func takeOne(_ subject: Subject) { self[subject] = self[subject].flatMap { $0 > 1 ? $0 - 1 : nil } }
}

extension CallMachine.Write {
    /// With each outcome that it is about replaced.
    fileprivate func mapOutcomes(_ change: (Outcome) -> Outcome) -> Self {
        let changed: Purpose =
            switch purpose {
            case .outcome(let number, let outcome): .outcome(number, change(outcome))
            case .sighting(let subject, let outcome): .sighting(subject, change(outcome))
            case .byHand(let number, let outcomes): .byHand(number, outcomes.map(change))
            case .learned(let outcome, let source): .learned(change(outcome), source)
            case .intent, .forgetting, .debts: purpose
            }
        return Self(purpose: changed, debts: debts)
    }
}
