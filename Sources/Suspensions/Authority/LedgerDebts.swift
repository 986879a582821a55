import Policy

/// What the ledger has yet to be told because it could not be written: kept in memory, in order, until it can.
struct LedgerDebts {
    /// Which state of a subject's debt a write has carried along. What is owed later has another one.
    typealias Stamp = Int

    private struct Debt {
        /// Intents whose rows are to go.
        var forgets: [Int64] = []
        /// For each source at most one confirmed outcome and what followed it.
        var outcomes: [Outcome] = []
        var stamp: Stamp
        /// A write carries this already.
        var isCarried = false

        var changes: [LedgerChange] { forgets.map { .forget(intent: $0) } + outcomes.map { .record($0) } }
    }

    private var debts: [Subject: Debt] = [:]
    /// Taken in turn, so that none is forgotten behind the others. Has everybody of whom something is owed once, and who was paid meanwhile.
    private(set) var order: [Subject] = []
    private var inOrder: Set<Subject> = []
    private var lastStamp = 0

    var isEmpty: Bool { debts.isEmpty }
    var count: Int { debts.count }
    func owes(_ subject: Subject) -> Bool { debts[subject] != nil }
    /// Whether that a call of the subject's is unconfirmed is owed.
    func owesLoss(of subject: Subject) -> Bool { debts[subject]?.outcomes.contains(where: \.isUnknown) == true }
    var isFull: Bool { debts.count >= Limits.undurableUsers }

    /// A change that failed. A confirmed outcome supersedes what was known before it of the same source.
    mutating func owe(_ change: LedgerChange, of subject: Subject) {
        lastStamp += 1
        if inOrder.insert(subject).inserted { order.append(subject) }
        var debt = debts[subject] ?? Debt(stamp: lastStamp)
        switch change {
        case .intend, .probe, .filling, .fleet, .alias: break
        case .forget(let intent): debt.forgets.append(intent)
        case .record(let outcome):
            let superseded = debt.outcomes.filter { $0.source == outcome.source && (outcome.isState || !$0.isState) }
            debt.forgets += superseded.compactMap(\.intent)
            debt.outcomes.removeAll { superseded.contains($0) }
            debt.outcomes.append(outcome)
        }
        debt.stamp = lastStamp
        debt.isCarried = false
        debts[subject] = debt
    }

    /// What is owed of one subject, to be written before anything newer of it; nothing while a write carries it already.
    mutating func carry(_ subject: Subject) -> (changes: [LedgerChange], stamp: Stamp)? {
        guard let debt = debts[subject], !debt.isCarried else { return nil }
        debts[subject]?.isCarried = true
        return (debt.changes, debt.stamp)
    }

    /// A write that carried a debt has come back.
    mutating func carried(_ subject: Subject, _ stamp: Stamp, succeeded: Bool) {
        guard debts[subject]?.stamp == stamp else { return }
        if succeeded { debts[subject] = nil } else { debts[subject]?.isCarried = false }
    }

    /// A confirmed outcome is written: what was owed before it of that source is of no interest any more, but for intents' rows.
    mutating func supersede(_ subject: Subject, _ source: BlockSource) {
        guard let debt = debts[subject] else { return }
        let (gone, left) = (debt.outcomes.filter { $0.source == source }, debt.outcomes.filter { $0.source != source })
        guard !gone.isEmpty || left.isEmpty else { return }
        debts[subject] = nil
        for intent in debt.forgets + gone.compactMap(\.intent) { owe(.forget(intent: intent), of: subject) }
        for outcome in left { owe(.record(outcome), of: subject) }
    }

    /// What settles an unconfirmed call is written. That the call is unconfirmed may still be owed, where the write before failed: then what
    /// settles it is written once more, so that it comes last.
    mutating func settle(by outcome: Outcome) {
        guard owesLoss(of: outcome.subject) else { return }
        owe(.record(outcome), of: outcome.subject)
    }

    /// Carries as many subjects' debts as fit in one transaction. `isBusy`: a call is on its way, which will bring the debt along.
    mutating func carryNext(isBusy: (Subject) -> Bool) -> (changes: [LedgerChange], stamps: [Subject: Stamp]) {
        var (changes, stamps): ([LedgerChange], [Subject: Stamp]) = ([], [:])
        var left: [Subject] = []
        for subject in order where debts[subject] != nil {
            if changes.count < Limits.ledgerGroup, !isBusy(subject), let due = carry(subject) {
                changes += due.changes
                stamps[subject] = due.stamp
            } else {
                left.append(subject)
            }
        }
        order = left + stamps.keys
        if order.count < inOrder.count { inOrder = Set(order) }
        return (changes, stamps)
    }
}

extension Outcome {
    fileprivate var isState: Bool {
        if case .state = result { true } else { false }
    }

    var isUnknown: Bool {
        if case .unknown = result { true } else { false }
    }
}
