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
        /// An operator's change by this number: blocks and lifts that are confirmed by being made.
        case byHand(Int64, [Outcome])
        /// Users can be read, or by other credentials than before; seconds for which each directory's lost calls may come late.
        case readable(late: [Int64])
        case read(Subject, ReadBook.Number, ReadOutcome)
        /// What a reconcile run has found.
        case found(FindingBatch.Number, [Finding])
        /// Other gateways' words are in force.
        case heard([FleetEffect], isLosing: Set<Subject>)
        /// Other gateways' words differ from what was just written.
        case contested(Set<Subject>)
        case tick
        /// Nothing new begins. Who waits for a turn is turned away, or gets it yet.
        case drain(until: Int64, turnsAway: Bool = true)
        /// Draining is over, and all begins again; with what is in the ledger by now, where it was away.
        case goOn(Found?)
    }

    /// What a ledger holds that memory goes by.
    struct Found {
        let unconfirmed: [UnconfirmedCall]
        let quiet: QuietUsers
    }

    enum Action {
        case write([LedgerChange], Write)
        /// Into the index, and told to every loop.
        case block([Subject])
        /// Reactivated at this time (Unix milliseconds), then out of the index.
        case lift(Subject, at: Int64)
        case begin(CallQueue.Number, Beginning)
        case conclude(CallQueue.Number, Conclusion)
        /// Into the index under the operator's source, and told to every loop.
        case blockByHand([Subject])
        /// Out of the index.
        case liftByHand(Subject, BlockSource, at: Int64)
        case concludeByHand(Int64, HandConclusion)
        /// Ask the service about a user.
        case read(Subject, ReadBook.Number)
        /// What became of a batch of findings.
        case applied(FindingBatch.Number, FindingBatch)
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
            case byHand(Int64, [Outcome])
            /// What a read or a reconcile run has shown; the subject's turn is held.
            case learned(Outcome, Source)
            case debts
        }

        /// Who looked: a read that was asked for then (nanoseconds), or a reconcile run.
        enum Source: Sendable {
            case read(asked: Int64)
            case batch(FindingBatch.Number)
        }

        let purpose: Purpose
        var debts: [Subject: LedgerDebts.Stamp] = [:]
    }

    /// Where a call is.
    enum Phase {
        case waiting
        case writingIntent(since: Int64)
        /// `hasRow`: the ledger has the intent, or may get it yet.
        case forwarded(hasRow: Bool)
        case writingOutcome(since: Int64, Conclusion)
        /// Answered, while a slow write still holds the subject's turn.
        case answered
    }

    struct Call {
        let call: IntentCall
        var phase: Phase
    }

    static let ledgerPatience = Int64(Limits.ledgerPatienceSeconds) * 1_000_000_000
    static let sweepInterval: Int64 = 10_000_000_000
    var calls: [CallQueue.Number: Call] = [:]
    var queue = CallQueue()
    var allowances: CallerAllowances
    var quiet: QuietUsers
    var debts = LedgerDebts()
    var nextTry = Int64.min
    var isPaying = false
    var writesOpen = 0
    var nextSweep = Int64.min
    var drainingUntil: Int64?
    var isDrained = false
    /// Operators' changes that are being written.
    var hands: [Int64: HandChange] = [:]
    /// Lifts by hand that are being written and that nothing has undone since, by the changes' numbers.
    var lifting: [HandLift: Set<Int64>] = [:]
    /// Calls whose outcome is unknown, the last one of each subject.
    var lost: [Subject: LostCall]
    /// Who is to be read with the service credential.
    var book = ReadBook()
    var touches = Touches()
    /// Contested users that the ledger knows and memory had no room for.
    var hasContestsLeftOut = false
    var batches: [FindingBatch.Number: FindingBatch] = [:]
    /// Nanoseconds for which lost calls may come late, by directory; nil as long as nobody can be read.
    var late: [Int64]?
    /// Spreads reads in time.
    var random = SystemRandomNumberGenerator()
    /// Whether the upstream's block of a subject stands in the index.
    let standing: @Sendable (Subject) -> Bool
    /// The last write's error, until one succeeds.
    var trouble: LedgerError?
    var tally = CallTally()

    /// `unconfirmed` and `quiet` are the ledger's; nothing is known of calls that were lost before them.
    init(
        bounds: CallerAllowances.Bounds, unconfirmed: [UnconfirmedCall], quiet: QuietUsers = QuietUsers(),
        standing: @escaping @Sendable (Subject) -> Bool
    ) {
        self.quiet = quiet
        allowances = CallerAllowances(bounds)
        lost = Self.lost(unconfirmed)
        self.standing = standing
    }

    private static func lost(_ unconfirmed: [UnconfirmedCall]) -> [Subject: LostCall] {
        Dictionary(
            unconfirmed.map { ($0.subject, LostCall(wanted: $0.wanted, isBlocking: $0.isBlocking, hasOthers: true)) },
            uniquingKeysWith: { _, last in last })
    }

    /// Subjects with a call whose outcome is unknown.
    var unconfirmed: Set<Subject> { Set(lost.keys) }

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
        case .byHand(let number, let outcomes): byHand(number, outcomes, now, &actions)
        case .readable(let late): readable(late, now)
        case .read(let subject, let number, let outcome): read(subject, number, outcome, now, &actions)
        case .found(let number, let findings): found(number, findings, now, &actions)
        case .heard(let effects, let isLosing): heard(effects, isLosing: isLosing, now)
        case .contested(let subjects): for subject in subjects { contest(subject, now) }
        case .tick: tick(now, &actions)
        case .drain(let until, let turnsAway): drain(until, turnsAway: turnsAway, now, &actions)
        case .goOn(let found): goOn(found, now)
        }
        beginReads(now, &actions)
        if !lifting.isEmpty { keepBlocks(of: actions) }
        checkDrained(now, &actions)
        return actions
    }
}

extension CallMachine {
    mutating func tick(_ now: Moment, _ actions: inout [Action]) {
        for number in queue.expire(at: now.steady) { turnAway(number, .busy, &actions) }
        for (number, call) in calls { losePatience(number, call, now, &actions) }
        loseHandPatience(now, &actions)
        payDebts(now, &actions)
        guard now.steady >= nextSweep else { return }
        nextSweep = now.steady + Self.sweepInterval
        quiet.sweep(at: now.steady)
        allowances.sweep(at: now.steady)
        enterLost(now)
    }

    /// A disk that hangs is answered like one that fails; the write itself is still waited for before the subject's next call.
    mutating func losePatience(_ number: CallQueue.Number, _ call: Call, _ now: Moment, _ actions: inout [Action]) {
        switch call.phase {
        case .writingIntent(let since) where since <= now.steady - Self.ledgerPatience:
            if call.call.wanted == .suspended, !debts.isFull {
                proceed(number, call.call, isDurable: false, hasRow: true, now, &actions)
            } else {
                calls[number]?.phase = .answered
                refuse(number, call.call, .notDurable, &actions)
            }
        case .writingOutcome(let since, let conclusion) where since <= now.steady - Self.ledgerPatience:
            calls[number]?.phase = .answered
            actions.append(.conclude(number, Self.told(conclusion, isDurable: false)))
        default: break
        }
    }

    /// Nobody new is let in; who waited was not forwarded yet and may be turned away.
    mutating func drain(_ until: Int64, turnsAway: Bool, _ now: Moment, _ actions: inout [Action]) {
        drainingUntil = min(until, drainingUntil ?? until)
        isDrained = false
        guard turnsAway else { return }
        for number in queue.clear() { turnAway(number, .draining, &actions) }
    }

    /// The ledger is ours again, or still.
    mutating func goOn(_ found: Found?, _ now: Moment) {
        drainingUntil = nil
        isDrained = false
        if let found { (lost, quiet) = (Self.lost(found.unconfirmed), found.quiet) }
        enterLost(now)
    }

    mutating func checkDrained(_ now: Moment, _ actions: inout [Action]) {
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
