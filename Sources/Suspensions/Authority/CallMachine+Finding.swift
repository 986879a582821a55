import Policy

/// What a reconcile run has found is put in force under the same rule as a read's answer: where something has happened to a user since he
/// was looked at, he is to be looked at again.
extension CallMachine {
    mutating func found(_ number: FindingBatch.Number, _ findings: [Finding], _ now: Moment, _ actions: inout [Action]) {
        var batch = FindingBatch()
        var outcomes: [Outcome] = []
        for finding in findings where standing(finding.subject) != (finding.state == .suspended) {
            guard hasRoomForFindings else {
                batch.refused += 1
                continue
            }
            guard isFresh(finding) else {
                batch.overtaken.append(finding.subject)
                continue
            }
            guard finding.state == .suspended || mayLift(finding.subject, at: now.steady) else {
                batch.waiting += 1
                continue
            }
            // Held at once: whom a run finds twice is taken once, and looked at again.
            _ = queue.hold(finding.subject)
            outcomes.append(learned(finding.subject, .state(finding.state), .reconcile, now))
        }
        let suspended = outcomes.filter { $0.result == .state(.suspended) }.map(\.subject)
        if !suspended.isEmpty { actions.append(.block(suspended)) }
        batch.open = outcomes.count
        guard !outcomes.isEmpty else { return actions.append(.applied(number, batch)) }
        batches[number] = batch
        for outcome in outcomes { write(.record(outcome), of: outcome.subject, .learned(outcome, .batch(number)), &actions) }
    }

    /// Whether the ledger is ours, and has room for what is found.
    var hasRoomForFindings: Bool { drainingUntil == nil && !debts.isFull && writesOpen < Limits.ledgerBacklog }

    /// Nothing has happened to the user since.
    private func isFresh(_ finding: Finding) -> Bool {
        !queue.isBusy(finding.subject) && !touches.isTouched(finding.subject, since: finding.mark)
    }

    /// Users whose calls are being settled are lifted by that alone; those about whom a call was just made, by no copy that lags behind.
    private func mayLift(_ subject: Subject, at now: Int64) -> Bool {
        lost[subject] == nil && !book.isLate(subject, at: now) && !quiet.isQuiet(subject, at: now)
    }

    /// One of a batch's writes has ended.
    mutating func finish(_ number: FindingBatch.Number, _ outcome: Outcome, _ error: LedgerError?, _ actions: inout [Action]) {
        guard var batch = batches[number] else { return }
        batch.open -= 1
        if error != nil {
            batch.failed += 1
        } else if outcome.result == .state(.suspended) {
            batch.blocked += 1
        } else {
            batch.lifted += 1
        }
        batches[number] = batch.open > 0 ? batch : nil
        if batch.open == 0 { actions.append(.applied(number, batch)) }
    }
}
