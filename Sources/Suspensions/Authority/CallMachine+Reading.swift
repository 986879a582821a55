import Policy

/// Settling calls whose outcome is unknown by reading the user (SPEC §4 step 6).
///
/// What makes it safe, whatever comes when:
/// - A read's answer counts only if, from the moment when it was asked for until it is there, no call for the user was on its way or ended
///   and nothing else was learned of it. Otherwise the user is read again. So an answer is never older than anything confirmed.
/// - What it shows is written while it holds the user's turn: calls wait behind it.
/// - A suspended user is blocked at once. That is the service's own word; an unconfirmed call alone still blocks nobody.
/// - A block is lifted only where the last call was a reactivation whose outcome is unknown, or where nothing but an unknown outcome made
///   it (`on_unknown: suspend`). A confirmed suspension is lifted by no read: if the service shows such a user as active, an older call has
///   come late, or somebody has reactivated the user there; the block stays for the reconcile run to see to.
/// - A lost call may be carried out late. The user is read at once and again at growing intervals until the directory's `late_commits`
///   is over, and only a read that was asked for after that settles the call with what it shows; an earlier one settles it where it shows
///   what the call wanted and no other lost call may still come. Reading goes on until then also after a confirmed call.
/// - A user whom the service doesn't know teaches nothing: the call stays unconfirmed, and is asked about again, ever more rarely.
///
/// Calls that may come late are remembered in memory. After a restart every unconfirmed call of the ledger is taken for the latest of
/// several that were lost at that moment; one that a confirmed call had settled before a crash is left to the reconcile run.
extension CallMachine {
    /// A call was lost: the user is read as soon as its turn is free.
    mutating func lose(_ call: IntentCall, blocks: Bool, _ now: Moment) {
        let subject = call.subject
        let isBlocking = lost[subject]?.isBlocking ?? false || (blocks && !holds(subject))
        lose(call.wanted, of: subject, isBlocking: isBlocking, now)
    }

    mutating func lose(_ wanted: UserState, of subject: Subject, isBlocking: Bool = false, _ now: Moment) {
        // An operator's change that is being written was made before this call was lost: it doesn't settle it.
        for number in hands.keys { hands[number]?.settles.remove(subject) }
        let hasOthers = lost[subject] != nil || book.isLate(subject, at: now.steady)
        lost[subject] = LostCall(wanted: wanted, isBlocking: isBlocking, hasOthers: hasOthers)
        guard let late else { return }
        book.enter(subject, lateUntil: now.steady + late[subject.directory], due: now.steady)
    }

    /// A call was confirmed: one that was lost before may undo it, so whoever is being read is read again.
    mutating func readOnAfterwards(_ subject: Subject, _ now: Moment) {
        if book[subject] != nil { book.enter(subject, due: now.steady) }
    }

    /// An answer showed the user as suspended at a moment when answers teach nothing.
    mutating func readAfterwards(_ subject: Subject, _ now: Moment) {
        guard late != nil else { return }
        book.enter(subject, due: now.steady + Int64(spread * 1_000_000_000))
    }

    /// Credentials are there, or others.
    mutating func readable(_ late: [Int64], _ now: Moment) {
        self.late = late.map { $0 * 1_000_000_000 }
        book.wake(at: now.steady)
        enterLost(now)
    }

    /// Has those read whose calls are unconfirmed, as far as there is room: at the start all of them, later those for whom there was none.
    mutating func enterLost(_ now: Moment) {
        guard let late, drainingUntil == nil, !lost.isEmpty, !book.isFull else { return }
        for subject in lost.keys where book[subject] == nil && subject.directory < late.count {
            book.enter(subject, lateUntil: now.steady + late[subject.directory], due: now.steady)
        }
    }

    mutating func beginReads(_ now: Moment, _ actions: inout [Action]) {
        guard late != nil, drainingUntil == nil else { return }
        if book.running == 0, touches.runs == 0 { touches.clear() }
        let queue = queue
        let begun = book.begin(at: now.steady, touches.mark) { queue.isBusy($0) }
        for (subject, read) in begun { actions.append(.read(subject, read.number)) }
    }

    var spread: Double {
        mutating get { Double.random(in: 0..<1, using: &random) }
    }
}

// MARK: answers

extension CallMachine {
    mutating func read(
        _ subject: Subject, _ number: ReadBook.Number, _ outcome: ReadOutcome, _ now: Moment, _ actions: inout [Action]
    ) {
        let read = book.ended(subject, number, isSick: outcome.isSick, at: now.steady, spread: spread)
        guard let read, drainingUntil == nil else { return }
        if case .impossible = outcome { return lost[subject] == nil ? book.remove(subject) : book.rest(subject) }
        guard case .state(let state) = outcome else {
            note(outcome)
            // One who is not known to the service has been looked at; an answer that says nothing was none.
            return readOnUntilLate(subject, lastAsked: outcome == .absent ? read.asked : .min, now)
        }
        guard !queue.isBusy(subject), !touches.isTouched(subject, since: read.mark) else {
            tally.reads[.overtaken, default: 0] += 1
            return book.soon(subject, at: now.steady)
        }
        note(outcome)
        guard writesOpen < Limits.ledgerBacklog, !debts.isFull else { return book.again(subject, at: now.steady, spread: spread) }
        let isLast = read.asked >= (book[subject]?.lateUntil ?? .min)
        let open = lost[subject]
        let settles = open.map { isLast || (state == $0.wanted && !$0.hasOthers) } ?? false
        guard let result = result(of: state, for: subject, settles: settles) else {
            return readOnUntilLate(subject, lastAsked: read.asked, now)
        }
        if result == .state(.suspended), !holds(subject) { actions.append(.block([subject])) }
        var outcome = learned(subject, result, .read, now)
        outcome.leavesOpen = !settles
        _ = queue.hold(subject)
        write(.record(outcome), of: subject, .learned(outcome, .read(asked: read.asked)), &actions)
    }

    /// What is to be written, if anything.
    private func result(of state: UserState, for subject: Subject, settles: Bool) -> Outcome.Result? {
        switch state {
        case .suspended: return settles || !holds(subject) ? .state(.suspended) : nil
        case .active:
            guard settles, let call = lost[subject] else { return nil }
            return standing(subject) && (call.wanted == .active || call.isBlocking) ? .state(.active) : .seen(.active)
        }
    }

    /// Whether the upstream's block of a subject stands and goes on standing: no operator's lift of it is being written.
    private func holds(_ subject: Subject) -> Bool {
        standing(subject) && lifting[HandLift(subject: subject, source: .upstream)] == nil
    }

    func learned(_ subject: Subject, _ result: Outcome.Result, _ learned: Learned, _ now: Moment) -> Outcome {
        let reason =
            switch result {
            case .seen(.active) where standing(subject): "the service says active; the block stays"
            default: ""
            }
        return Outcome(
            intent: nil, subject: subject, source: .upstream, result: result, learned: learned, actor: Array("tenantgate".utf8),
            requestID: [], reason: reason, at: now.wall)
    }

    /// What was learned is written, and the subject's turn ends.
    mutating func learnedWritten(
        _ outcome: Outcome, _ source: Write.Source, _ error: LedgerError?, _ now: Moment, _ actions: inout [Action]
    ) {
        let subject = outcome.subject
        if error == nil {
            if case .state = outcome.result { debts.supersede(subject, outcome.source) }
            if case .state(.active) = outcome.result {
                // What others were answered before must not block the user again.
                quiet.begin(subject, at: now.steady)
                actions.append(.lift(subject, at: outcome.at))
            }
            if outcome.settlesUnconfirmed {
                if lost.removeValue(forKey: subject) != nil { tally.settled[outcome.shown, default: 0] += 1 }
                debts.settle(by: outcome)
            }
        } else if case .state(.suspended) = outcome.result {
            // Blocked in memory. What it would have settled is left to the next read.
            var owed = outcome
            owed.leavesOpen = true
            debts.owe(.record(owed), of: subject)
        }
        switch source {
        case .read(let asked): readOnUntilLate(subject, lastAsked: asked, now)
        case .batch(let number): finish(number, outcome, error, &actions)
        }
        passTurn(of: subject, now, &actions)
    }

    /// The user is read again, unless this was the last read and nothing is open.
    private mutating func readOnUntilLate(_ subject: Subject, lastAsked: Int64, _ now: Moment) {
        let isLast = lastAsked > .min && lastAsked >= (book[subject]?.lateUntil ?? .min)
        isLast && lost[subject] == nil ? book.remove(subject) : book.again(subject, at: now.steady, spread: spread)
    }

    private mutating func note(_ outcome: ReadOutcome) {
        let ending: CallTally.ReadEnding? =
            switch outcome {
            case .state(.suspended): .suspended
            case .state(.active): .active
            case .absent: .absent
            case .useless: .useless
            case .sick: .sick
            case .impossible: nil
            }
        if let ending { tally.reads[ending, default: 0] += 1 }
    }
}

extension ReadOutcome {
    var isSick: Bool { if case .sick = self { true } else { false } }
}

extension Outcome {
    /// The state that it speaks of.
    fileprivate var shown: UserState {
        switch result {
        case .state(let state), .seen(let state), .unknown(let state, _): state
        }
    }
}
