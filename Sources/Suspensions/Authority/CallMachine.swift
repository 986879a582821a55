import Policy

/// The call protocol of SPEC §4, steps 2 to 6, as a machine: it takes events and returns actions, and does nothing by itself.
///
/// What holds at every moment:
/// - one call at a time per subject is between its intent's write and the end of its outcome's write;
/// - a confirmed suspension is in the index before anything else follows from it, a confirmed reactivation leaves the index only when it
///   is durable;
/// - whatever a failed write was to say is owed, and is written before anything newer of the same subject.
struct CallMachine {
    enum Event {
        case arrive(CallQueue.Number, IntentCall)
        case written(Write, LedgerError?)
        case finished(CallQueue.Number, UpstreamOutcome)
        case sighted(Subject, Sighting)
        case tick
        case drain(until: Int64)
    }

    enum Action {
        case write([LedgerChange], Write)
        /// Into the index, and told to every loop.
        case block(Subject)
        /// Out of the index.
        case lift(Subject)
        case begin(CallQueue.Number, Beginning)
        case conclude(CallQueue.Number, Conclusion)
        /// Draining is over; so many calls were left open.
        case drained(open: Int)
    }

    /// What a write was for, and which debts it carried along, to be told how it went.
    struct Write: Sendable {
        enum Purpose: Sendable {
            case intent(CallQueue.Number)
            case outcome(CallQueue.Number, Outcome)
            case forgetting(Subject, intent: Int64)
            case sighting(Subject, Outcome)
            case debts
        }

        let purpose: Purpose
        var debts: [Subject: LedgerDebts.Stamp] = [:]
    }

    /// Where a call is.
    private enum Phase {
        case waiting
        case writingIntent(since: Int64)
        /// `hasRow`: the ledger has the intent, or may get it yet.
        case forwarded(hasRow: Bool)
        case writingOutcome(since: Int64, Conclusion)
        /// Answered, while a slow write still holds the subject's turn.
        case answered
    }

    private struct Call {
        let call: IntentCall
        var phase: Phase
    }

    private static let ledgerPatience = Int64(Limits.ledgerPatienceSeconds) * 1_000_000_000
    private static let sweepInterval: Int64 = 10_000_000_000
    private var calls: [CallQueue.Number: Call] = [:]
    private var queue = CallQueue()
    private var allowances: CallerAllowances
    private var quiet = QuietUsers()
    private var debts = LedgerDebts()
    private var nextTry = Int64.min
    private var isPaying = false
    private var writesOpen = 0
    private var nextSweep = Int64.min
    private var drainingUntil: Int64?
    private var isDrained = false
    /// Subjects with a call whose outcome is unknown.
    private(set) var unconfirmed: Set<Subject>
    /// The last write's error, until one succeeds.
    private(set) var trouble: LedgerError?

    init(bounds: CallerAllowances.Bounds, unconfirmed: Set<Subject>) {
        allowances = CallerAllowances(bounds)
        self.unconfirmed = unconfirmed
    }

    /// Users of whom only memory knows that they are suspended, or of whom an outcome has still to be written.
    var owed: Int { debts.count }
    /// Calls between their arrival and their end.
    var open: Int { calls.count }

    mutating func handle(_ event: Event, at now: Moment) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .arrive(let number, let call): arrive(number, call, now, &actions)
        case .written(let write, let error): written(write, error, now, &actions)
        case .finished(let number, let outcome): finished(number, outcome, now, &actions)
        case .sighted(let subject, let sighting): sighted(subject, sighting, now, &actions)
        case .tick: tick(now, &actions)
        case .drain(let until): drain(until, now, &actions)
        }
        checkDrained(now, &actions)
        return actions
    }
}

// MARK: - Step 2: the queue

extension CallMachine {
    private mutating func arrive(_ number: CallQueue.Number, _ call: IntentCall, _ now: Moment, _ actions: inout [Action]) {
        guard drainingUntil == nil else { return actions.append(.begin(number, .draining)) }
        guard calls.count < Limits.openIntentsInAll else { return actions.append(.begin(number, .busy)) }
        if let wait = allowances.open(call.caller, at: now.steady) {
            return actions.append(.begin(number, .tooMany(retryAfter: wait)))
        }
        switch queue.arrive(number, call, at: now.steady) {
        case .busy:
            allowances.close(call.caller)
            actions.append(.begin(number, .busy))
        case .waits: calls[number] = Call(call: call, phase: .waiting)
        case .goesAhead:
            calls[number] = Call(call: call, phase: .waiting)
            writeIntent(number, now, &actions)
        }
    }

    /// Takes somebody who waited out of the gateway.
    private mutating func turnAway(_ number: CallQueue.Number, _ beginning: Beginning, _ actions: inout [Action]) {
        guard let call = calls.removeValue(forKey: number) else { return }
        allowances.close(call.call.caller)
        actions.append(.begin(number, beginning))
    }

    /// The subject's turn passes to the next call.
    private mutating func leave(_ number: CallQueue.Number, _ now: Moment, _ actions: inout [Action]) {
        guard let call = calls.removeValue(forKey: number) else { return }
        allowances.close(call.call.caller)
        if let next = queue.leave(call.call.subject) { writeIntent(next, now, &actions) }
    }
}

// MARK: - Step 3: the intent

extension CallMachine {
    private mutating func writeIntent(_ number: CallQueue.Number, _ now: Moment, _ actions: inout [Action]) {
        guard let call = calls[number]?.call else { return }
        calls[number]?.phase = .writingIntent(since: now.steady)
        let intent = Intent(
            number: number, subject: call.subject, wanted: call.wanted, caller: call.caller.name, requestID: call.requestID,
            suspendsOnUnknown: call.suspendsOnUnknown, at: now.wall)
        write(.intend(intent), of: call.subject, .intent(number), &actions)
    }

    private mutating func intentWritten(_ number: CallQueue.Number, _ error: LedgerError?, _ now: Moment, _ actions: inout [Action]) {
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
    private mutating func proceed(
        _ number: CallQueue.Number, _ call: IntentCall, isDurable: Bool, hasRow: Bool, _ now: Moment, _ actions: inout [Action]
    ) {
        if isDurable || (call.wanted == .suspended && !debts.isFull) {
            calls[number]?.phase = .forwarded(hasRow: hasRow)
            actions.append(.begin(number, .proceed(Ticket(number: number), durable: isDurable)))
        } else {
            actions.append(.begin(number, .notDurable))
            leave(number, now, &actions)
        }
    }
}

// MARK: - Steps 5 and 6: the outcome

extension CallMachine {
    private mutating func finished(_ number: CallQueue.Number, _ result: UpstreamOutcome, _ now: Moment, _ actions: inout [Action]) {
        guard let open = calls[number], case .forwarded(let hasRow) = open.phase else {
            // Not a call that is out: nothing may be concluded from it.
            return actions.append(.conclude(number, .notDurable))
        }
        let call = open.call
        switch result {
        case .refused, .notSent:
            if hasRow { forget(number, call.subject, &actions) }
            actions.append(.conclude(number, .unchanged))
            leave(number, now, &actions)
        case .confirmed:
            quiet.begin(call.subject, at: now.steady)
            if call.wanted == .suspended {
                unconfirmed.remove(call.subject)
                actions.append(.block(call.subject))
            }
            let outcome = outcome(of: number, call, .state(call.wanted), .call, reason: "", now)
            writeOutcome(number, outcome, .settled, now, &actions)
        case .unconfirmed(let cause):
            quiet.begin(call.subject, at: now.steady)
            let blocks = call.wanted == .suspended && call.suspendsOnUnknown
            if blocks { actions.append(.block(call.subject)) }
            unconfirmed.insert(call.subject)
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

    private mutating func writeOutcome(
        _ number: CallQueue.Number, _ outcome: Outcome, _ conclusion: Conclusion, _ now: Moment, _ actions: inout [Action]
    ) {
        calls[number]?.phase = .writingOutcome(since: now.steady, conclusion)
        write(.record(outcome), of: outcome.subject, .outcome(number, outcome), &actions)
    }

    private mutating func outcomeWritten(
        _ number: CallQueue.Number, _ outcome: Outcome, _ error: LedgerError?, _ now: Moment, _ actions: inout [Action]
    ) {
        if error == nil {
            if case .state(let state) = outcome.result {
                debts.supersede(outcome.subject)
                unconfirmed.remove(outcome.subject)
                if state == .active { actions.append(.lift(outcome.subject)) }
            }
        } else {
            if case .state(.active) = outcome.result { unconfirmed.insert(outcome.subject) }
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
    private static func told(_ conclusion: Conclusion, isDurable: Bool) -> Conclusion {
        if !isDurable, conclusion == .settled { .notDurable } else { conclusion }
    }

    private mutating func forget(_ number: CallQueue.Number, _ subject: Subject, _ actions: inout [Action]) {
        submit([.forget(intent: number)], Write(purpose: .forgetting(subject, intent: number)), &actions)
    }
}

// MARK: - Other answers

extension CallMachine {
    /// A suspended user was seen: blocked, unless a call for it says more. Never lifts.
    private mutating func sighted(_ subject: Subject, _ sighting: Sighting, _ now: Moment, _ actions: inout [Action]) {
        guard !queue.isBusy(subject), quiet.mayTeach(subject, asked: sighting.asked, at: now.steady), !debts.isFull else { return }
        actions.append(.block(subject))
        let outcome = Outcome(
            intent: nil, subject: subject, source: .upstream, result: .state(.suspended), learned: .passive, actor: sighting.caller.name,
            requestID: sighting.requestID, reason: "", at: now.wall)
        write(.record(outcome), of: subject, .sighting(subject, outcome), &actions)
    }
}

// MARK: - The ledger

extension CallMachine {
    /// Writes something new of a subject, after what is owed of it.
    private mutating func write(_ change: LedgerChange, of subject: Subject, _ purpose: Write.Purpose, _ actions: inout [Action]) {
        let due = debts.carry(subject)
        submit((due?.changes ?? []) + [change], Write(purpose: purpose, debts: due.map { [subject: $0.stamp] } ?? [:]), &actions)
    }

    private mutating func submit(_ changes: [LedgerChange], _ write: Write, _ actions: inout [Action]) {
        writesOpen += 1
        actions.append(.write(changes, write))
    }

    private mutating func written(_ write: Write, _ error: LedgerError?, _ now: Moment, _ actions: inout [Action]) {
        writesOpen -= 1
        trouble = error
        nextTry = error == nil ? now.steady : now.steady + Limits.ledgerRetryMilliseconds * 1_000_000
        for (subject, stamp) in write.debts { debts.carried(subject, stamp, succeeded: error == nil) }
        switch write.purpose {
        case .intent(let number): intentWritten(number, error, now, &actions)
        case .outcome(let number, let outcome): outcomeWritten(number, outcome, error, now, &actions)
        case .forgetting(let subject, let intent): if error != nil { debts.owe(.forget(intent: intent), of: subject) }
        case .sighting(let subject, let outcome): if error != nil { debts.owe(.record(outcome), of: subject) }
        case .debts: isPaying = false
        }
        payDebts(now, &actions)
    }

    /// Tells the ledger what it missed, as soon as it takes writes again.
    private mutating func payDebts(_ now: Moment, _ actions: inout [Action]) {
        guard !debts.isEmpty, !isPaying, now.steady >= nextTry else { return }
        let queue = queue
        let due = debts.carryNext { queue.isBusy($0) }
        guard !due.changes.isEmpty else { return }
        isPaying = true
        submit(due.changes, Write(purpose: .debts, debts: due.stamps), &actions)
    }
}

// MARK: - Time

extension CallMachine {
    private mutating func tick(_ now: Moment, _ actions: inout [Action]) {
        for number in queue.expire(at: now.steady) { turnAway(number, .busy, &actions) }
        for (number, call) in calls { losePatience(number, call, now, &actions) }
        payDebts(now, &actions)
        guard now.steady >= nextSweep else { return }
        nextSweep = now.steady + Self.sweepInterval
        quiet.sweep(at: now.steady)
        allowances.sweep(at: now.steady)
    }

    /// A disk that hangs is answered like one that fails; the write itself is still waited for before the subject's next call.
    private mutating func losePatience(_ number: CallQueue.Number, _ call: Call, _ now: Moment, _ actions: inout [Action]) {
        switch call.phase {
        case .writingIntent(let since) where since <= now.steady - Self.ledgerPatience:
            if call.call.wanted == .suspended, !debts.isFull {
                proceed(number, call.call, isDurable: false, hasRow: true, now, &actions)
            } else {
                calls[number]?.phase = .answered
                actions.append(.begin(number, .notDurable))
            }
        case .writingOutcome(let since, let conclusion) where since <= now.steady - Self.ledgerPatience:
            calls[number]?.phase = .answered
            actions.append(.conclude(number, Self.told(conclusion, isDurable: false)))
        default: break
        }
    }

    /// Nobody new is let in; who waited was not forwarded yet and is turned away.
    private mutating func drain(_ until: Int64, _ now: Moment, _ actions: inout [Action]) {
        guard drainingUntil == nil else { return }
        drainingUntil = until
        for number in queue.clear() { turnAway(number, .draining, &actions) }
    }

    private mutating func checkDrained(_ now: Moment, _ actions: inout [Action]) {
        guard let drainingUntil, !isDrained else { return }
        guard (calls.isEmpty && writesOpen == 0) || now.steady >= drainingUntil else { return }
        isDrained = true
        actions.append(.drained(open: calls.count))
    }
}

/// An instant: steady for measuring, wall for the record.
struct Moment {
    /// Nanoseconds that only go forward.
    let steady: Int64
    /// Milliseconds since 1970.
    let wall: Int64
}

/// Where a suspended user was seen.
struct Sighting {
    let caller: Caller
    let requestID: [UInt8]
    /// When the request was sent, in steady nanoseconds.
    let asked: Int64
}
