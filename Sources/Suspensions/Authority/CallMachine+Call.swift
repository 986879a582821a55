import Policy

/// One call from its arrival to its end (SPEC §4, steps 2 to 6).
extension CallMachine {
    mutating func arrive(_ number: CallQueue.Number, _ call: IntentCall, _ now: Moment, _ actions: inout [Action]) {
        guard drainingUntil == nil else { return refuse(number, call, .draining, &actions) }
        guard calls.count < Limits.openIntentsInAll, writesOpen < Limits.ledgerBacklog else { return refuse(number, call, .busy, &actions) }
        if let wait = allowances.open(call.caller, at: now.steady) {
            return refuse(number, call, .tooMany(retryAfter: wait.seconds, wait.limit), &actions)
        }
        switch queue.arrive(number, call, at: now.steady) {
        case .busy:
            allowances.close(call.caller)
            refuse(number, call, .busy, &actions)
        case .waits: calls[number] = Call(call: call, phase: .waiting)
        case .goesAhead:
            calls[number] = Call(call: call, phase: .waiting)
            writeIntent(number, now, &actions)
        }
    }

    /// Takes somebody who waited out of the gateway.
    mutating func turnAway(_ number: CallQueue.Number, _ beginning: Beginning, _ actions: inout [Action]) {
        guard let call = calls.removeValue(forKey: number) else { return }
        allowances.close(call.call.caller)
        refuse(number, call.call, beginning, &actions)
    }

    /// Tells a call that it will not be sent.
    mutating func refuse(_ number: CallQueue.Number, _ call: IntentCall, _ beginning: Beginning, _ actions: inout [Action]) {
        if let ending = CallTally.Ending(beginning) { tally.note(call.wanted, ending) }
        actions.append(.begin(number, beginning))
    }

    /// The subject's turn passes to the next call.
    mutating func leave(_ number: CallQueue.Number, _ now: Moment, _ actions: inout [Action]) {
        guard let call = calls.removeValue(forKey: number) else { return }
        allowances.close(call.call.caller)
        passTurn(of: call.call.subject, now, &actions)
    }

    /// Something has happened to the subject; whoever waits for it goes on.
    mutating func passTurn(of subject: Subject, _ now: Moment, _ actions: inout [Action]) {
        touches.note(subject)
        book.turnIsFree(of: subject)
        if let next = queue.leave(subject) { writeIntent(next, now, &actions) }
    }
}

// MARK: - Step 3: the intent

extension CallMachine {
    mutating func writeIntent(_ number: CallQueue.Number, _ now: Moment, _ actions: inout [Action]) {
        guard let call = calls[number]?.call else { return }
        calls[number]?.phase = .writingIntent(since: now.steady)
        let intent = Intent(
            number: number, subject: call.subject, wanted: call.wanted, caller: call.caller.name, requestID: call.requestID,
            suspendsOnUnknown: call.suspendsOnUnknown, at: now.wall)
        write(.intend(intent), of: call.subject, .intent(number), &actions)
    }

    mutating func intentWritten(_ number: CallQueue.Number, _ error: LedgerError?, _ now: Moment, _ actions: inout [Action]) {
        guard let call = calls[number] else { return }
        switch call.phase {
        case .writingIntent: proceed(number, call.call, isDurable: error == nil, hasRow: error == nil, now, &actions)
        case .answered:
            // Patience was over, and the reactivation was turned away: its row goes again.
            if error == nil { forget(number, call.call.subject, &actions) }
            leave(number, now, &actions)
        default:
            // Patience was over, and the suspension went on: what follows takes the row away.
            break
        }
    }

    /// A suspension goes on without a durable intent; a reactivation doesn't.
    mutating func proceed(
        _ number: CallQueue.Number, _ call: IntentCall, isDurable: Bool, hasRow: Bool, _ now: Moment, _ actions: inout [Action]
    ) {
        if isDurable || (call.wanted == .suspended && !debts.isFull) {
            calls[number]?.phase = .forwarded(hasRow: hasRow)
            actions.append(.begin(number, .proceed(Ticket(number: number))))
        } else {
            refuse(number, call, .notDurable, &actions)
            leave(number, now, &actions)
        }
    }
}

// MARK: - Steps 5 and 6: the outcome

extension CallMachine {
    mutating func finished(_ number: CallQueue.Number, _ result: UpstreamOutcome, _ now: Moment, _ actions: inout [Action]) {
        guard let open = calls[number], case .forwarded(let hasRow) = open.phase else {
            // Not a call that is out: nothing may be concluded from it.
            return actions.append(.conclude(number, .notDurable))
        }
        let call = open.call
        tally.note(call.wanted, CallTally.Ending(result))
        switch result {
        case .refused, .notSent:
            if hasRow { forget(number, call.subject, &actions) }
            actions.append(.conclude(number, .unchanged))
            leave(number, now, &actions)
        case .confirmed:
            quiet.begin(call.subject, at: now.steady)
            if call.wanted == .suspended {
                lost[call.subject] = nil
                actions.append(.block([call.subject]))
            }
            readOnAfterwards(call.subject, now)
            let outcome = outcome(of: number, call, .state(call.wanted), .call, reason: "", now)
            writeOutcome(number, outcome, .settled, now, &actions)
        case .unconfirmed(let cause):
            quiet.begin(call.subject, at: now.steady)
            let blocks = call.wanted == .suspended && call.suspendsOnUnknown
            lose(call, blocks: blocks, now)
            if blocks { actions.append(.block([call.subject])) }
            let outcome = outcome(of: number, call, .unknown(wanted: call.wanted, blocks: blocks), .unconfirmed, reason: cause, now)
            writeOutcome(number, outcome, .unconfirmed(blocked: blocks), now, &actions)
        }
    }

    private func outcome(
        of number: CallQueue.Number, _ call: IntentCall, _ result: Outcome.Result, _ learned: Learned, reason: String, _ now: Moment
    ) -> Outcome {
        Outcome(
            intent: number, subject: call.subject, source: .upstream, result: result, learned: learned, actor: call.caller.name,
            requestID: call.requestID, reason: reason, at: now.wall)
    }

    mutating func writeOutcome(
        _ number: CallQueue.Number, _ outcome: Outcome, _ conclusion: Conclusion, _ now: Moment, _ actions: inout [Action]
    ) {
        calls[number]?.phase = .writingOutcome(since: now.steady, conclusion)
        write(.record(outcome), of: outcome.subject, .outcome(number, outcome), &actions)
    }

    mutating func outcomeWritten(
        _ number: CallQueue.Number, _ outcome: Outcome, _ error: LedgerError?, _ now: Moment, _ actions: inout [Action]
    ) {
        if error == nil {
            if case .state(let state) = outcome.result {
                debts.supersede(outcome.subject, outcome.source)
                lost[outcome.subject] = nil
                if state == .active { actions.append(.lift(outcome.subject, at: outcome.at)) }
            }
        } else {
            if case .state(.active) = outcome.result { lose(.active, of: outcome.subject, now) }
            debts.owe(.record(Self.owed(outcome)), of: outcome.subject)
        }
        if case .writingOutcome(_, let conclusion) = calls[number]?.phase {
            actions.append(.conclude(number, Self.told(conclusion, isDurable: error == nil)))
        }
        leave(number, now, &actions)
    }

    /// A suspension is owed as it is. A reactivation that couldn't be written leaves the block where it is, and its call open: it is to be
    /// repeated, and until then shows as unconfirmed.
    private static func owed(_ outcome: Outcome) -> Outcome {
        guard case .state(.active) = outcome.result else { return outcome }
        return Outcome(
            intent: outcome.intent, subject: outcome.subject, source: outcome.source, result: .unknown(wanted: .active, blocks: false),
            learned: .unconfirmed, actor: outcome.actor, requestID: outcome.requestID, reason: "confirmed, but not durable here",
            at: outcome.at)
    }

    /// An unknown outcome is no better known for being durable.
    static func told(_ conclusion: Conclusion, isDurable: Bool) -> Conclusion {
        if !isDurable, conclusion == .settled { .notDurable } else { conclusion }
    }

    mutating func forget(_ number: CallQueue.Number, _ subject: Subject, _ actions: inout [Action]) {
        submit([.forget(intent: number)], Write(purpose: .forgetting(subject, intent: number)), &actions)
    }
}
