import Dispatch
package import Policy
import Synchronization

/// Decides about suspensions at this gateway: takes suspend and reactivate calls through the protocol of SPEC §4, keeps the ledger and
/// the index in step, and learns from other answers.
///
/// Callable from any thread; nothing here waits. Completions come on the authority's own thread, in order for each call: an event loop
/// hops back to itself. The rules are in `CallMachine`; this performs what it says.
package final class SuspensionAuthority: Sendable {
    /// Told before anything that follows from a block, on the authority's thread, when the index has it: to end these users' open work.
    package typealias BlockListener = @Sendable (_ blocked: [Subject]) -> Void

    /// Who is suspended: what every request asks.
    package let index: SuspensionIndex
    /// Whom tokens mean that name a user by an alias.
    package let aliases: AliasBook

    struct State {
        var machine: CallMachine
        /// Nil where the ledger is none that can be shared.
        var fleet: FleetSide?
        /// Of calls, operators' changes and findings alike.
        var lastNumber: Int64 = 0
        var beginnings: [CallQueue.Number: @Sendable (Beginning) -> Void] = [:]
        var conclusions: [CallQueue.Number: @Sendable (Conclusion) -> Void] = [:]
        var hands: [Int64: @Sendable (HandConclusion) -> Void] = [:]
        var drained: (@Sendable (Int) -> Void)?
        /// Nil as long as no user can be read.
        var source: (any UserSource)?
        var batches: [FindingBatch.Number: @Sendable (FindingBatch) -> Void] = [:]
        var fillings: [DirectoryIndex: Bool]
        /// What waits for the ledger; nil as long as it is ours.
        var held: HeldCalls?
        /// The gateway that has the ledger now, where it isn't this one any more.
        var successor: (any SuspensionSuccessor)?
        /// The gateway that had it before and still admits users.
        var follower: (any SuspensionFollower)?
    }

    let state: Mutex<State>
    let writer: LedgerWriter
    /// Users that were blocked in each directory at the start.
    let usersAtStart: [Int]
    /// Blocks that stood at the start in directories that the ledger knows and nobody is asked about, by the ledger's number.
    package let strangersAtStart: [DirectoryIndex: Int]
    let surroundings: AuthoritySurroundings
    let onBlock: BlockListener
    /// Whether requests are refused because too little is known of the others of the fleet: asked on every request.
    package let fleetGate = FleetGate()
    /// Steady nanoseconds until which users may be admitted; `.max` where the ledger is ours.
    let lease = Atomic<Int64>(.max)

    /// Reads the ledger into a new index: pending intents of a crash become unconfirmed calls first.
    ///
    /// - Parameters:
    ///   - reaches: the reach of each directory's dialect, by its number; blocks of directories beyond are kept but not asked.
    ///   - openPerCaller: suspend calls that one caller may have open.
    ///   - perMinute: suspend calls that one caller may make in a minute.
    ///   - aliasKinds: of each directory the rules of the aliases in use (`AliasRule.kind`).
    package init(
        store: any LedgerStore, reaches: [Reach], openPerCaller: Int = Limits.openIntents, perMinute: Int = Limits.intentsPerMinute,
        aliasKinds: [Set<[UInt8]>] = [], surroundings: AuthoritySurroundings = .live(), onBlock: @escaping BlockListener
    ) throws(LedgerError) {
        try store.recover(at: surroundings.wall())
        let index = SuspensionIndex(reaches: reaches, expecting: try store.blockCount())
        var strangers: [DirectoryIndex: Int] = [:]
        try index.load { body throws(LedgerError) in
            strangers = [:]
            try store.forEachBlock { subject, source in
                if subject.directory < reaches.count { body(subject, source) } else { strangers[subject.directory, default: 0] += 1 }
            }
        }
        strangersAtStart = strangers
        try store.forEachReactivation { subject, time in
            if subject.directory < reaches.count { index.noteReactivation(of: subject, at: time) }
        }
        self.index = index
        self.surroundings = surroundings
        self.onBlock = onBlock
        writer = LedgerWriter(store: store)
        aliases = try AliasBook(store: store, writer: writer, kinds: aliasKinds, steady: surroundings.steady)
        usersAtStart = index.usersByDirectory
        let machine = CallMachine(
            bounds: CallerAllowances.Bounds(open: openPerCaller, perMinute: perMinute), unconfirmed: try store.unconfirmedCalls(),
            quiet: try QuietUsers(of: store, at: Moment(steady: surroundings.steady(), wall: surroundings.wall())),
            standing: { index.stands(.upstream, for: $0) })
        let fleet = (store as? SQLiteLedger).map { FleetSide($0.fleet, $0.directories) }
        fleet?.ledger.tellTime(by: surroundings.wall)
        state = Mutex(State(machine: machine, fleet: fleet, fillings: try store.fillings()))
        aliases.tellNews { [weak self] in self?.tell($0) }
        surroundings.everyTick { [weak self] in
            guard let self else { return false }
            handle(.tick)
            if state.withLock({ $0.held == nil }) {
                liftWaiting()
                takeUpContests()
            }
            expireHeld()
            return true
        }
    }

    /// Asks for leave to forward a suspend or reactivate call. Answered once the intent is durable, or with the reason why not.
    package func begin(_ call: IntentCall, then answer: @escaping @Sendable (Beginning) -> Void) {
        handle(unless: { [self] in handOn(call, answer) }, keeping: { $0.beginnings[$1] = answer }) { .arrive($0, call) }
    }

    /// Says what a forwarded call came to. Answered when it is in force and durable, or known not to be; only then may the client read.
    package func finish(_ ticket: Ticket, _ outcome: UpstreamOutcome, then answer: @escaping @Sendable (Conclusion) -> Void) {
        surroundings.run { [self] in
            // Its own are concluded before another gateway has the ledger.
            if let successor = state.withLock({ $0.successor }) { return successor.finish(ticket, outcome, then: answer) }
            let isFirst = state.withLock { state in
                guard state.conclusions[ticket.number] == nil else { return false }
                state.conclusions[ticket.number] = answer
                return true
            }
            guard isFirst else { return answer(.notDurable) }
            handle(.finished(ticket.number, outcome))
        }
    }

    /// Learns from another 2xx that showed these users as suspended: they are blocked, unless a call for them says more. Costs a question
    /// to the index for each user where nothing is new.
    ///
    /// - Parameters:
    ///   - age: time since the request was sent whose answer this is; an answer may be older than a call that was made meanwhile.
    ///   - then: called when whoever is blocked by it is in the index.
    package func observe(
        suspended subjects: [Subject], caller: Caller, requestID: [UInt8], age: Duration, then: (@Sendable () -> Void)? = nil
    ) {
        let news = subjects.filter { !index.stands(.upstream, for: $0) }
        guard !news.isEmpty else {
            then?()
            return
        }
        let asked = surroundings.steady() - age.nanoseconds
        surroundings.run { [self] in
            defer { then?() }
            // Another gateway has the ledger, or is about to: it learns by itself.
            guard state.withLock({ $0.held == nil }) else { return }
            for subject in news where !index.stands(.upstream, for: subject) {
                handle(.sighted(subject, Sighting(caller: caller, requestID: requestID, asked: asked)))
            }
        }
    }

    /// Lets nobody new begin and waits until every open call is concluded and written, but no longer than `patience`. Answers how many
    /// were left open: their intents are in the ledger and will show as unconfirmed.
    package func drain(patience: Duration, then answer: @escaping @Sendable (_ leftOpen: Int) -> Void) {
        surroundings.run { [self] in
            state.withLock { $0.drained = answer }
            handle(.drain(until: surroundings.steady() + patience.nanoseconds, turnsAway: true))
        }
    }

    /// Closes the ledger, when everything that was submitted is written. Blocks; to be called once, last.
    package func close() { writer.close() }

    /// How things stand, for logs and metrics.
    package var status: AuthorityStatus {
        state.withLock {
            AuthorityStatus(
                openCalls: $0.machine.open, unconfirmedUsers: $0.machine.lost.count, usersToRead: $0.machine.book.entries.count,
                owedUsers: $0.machine.owed,
                ledgerTrouble: $0.machine.trouble, tally: $0.machine.tally)
        }
    }

    // MARK: performing

    /// On the authority's thread only, so that actions are performed in the order in which the machine named them.
    func handle(_ event: CallMachine.Event) {
        let now = Moment(steady: surroundings.steady(), wall: surroundings.wall())
        for action in state.withLock({ $0.machine.handle(event, at: now) }) { perform(action) }
    }

    /// Handles an event under a number of its own, under which `keep` keeps who is to be answered; unless another process sees to it.
    func handle(
        unless isElse: @escaping @Sendable () -> Bool = { false }, keeping keep: @escaping @Sendable (inout State, Int64) -> Void,
        _ event: @escaping @Sendable (Int64) -> CallMachine.Event
    ) {
        surroundings.run { [self] in
            guard !isElse() else { return }
            let number = state.withLock { state in
                state.lastNumber += 1
                keep(&state, state.lastNumber)
                return state.lastNumber
            }
            handle(event(number))
        }
    }

    private func perform(_ action: CallMachine.Action) {
        switch action {
        case .write(let changes, let write): submit(changes, write)
        case .block(let subjects): block(subjects, .upstream)
        case .lift(let subject, let time): liftUnlessKept(subject, .upstream, at: time)
        case .begin(let number, let beginning):
            let answer = state.withLock { state in
                if case .proceed = beginning {} else { state.fleet?.forgetBase(of: number) }
                return state.beginnings.removeValue(forKey: number)
            }
            answer?(beginning)
        case .read(let subject, let number):
            let source = state.withLock { $0.source }
            guard let source else { return }
            source.read(subject) { [weak self] outcome in
                guard let self else { return }
                surroundings.run { self.handle(.read(subject, number, outcome)) }
            }
        case .applied(let number, let batch):
            guard let answer = state.withLock({ $0.batches.removeValue(forKey: number) }) else { return }
            settle { answer(batch) }
        case .conclude(let number, let conclusion):
            let found = state.withLock { state in
                state.fleet?.forgetBase(of: number)
                return state.conclusions.removeValue(forKey: number)
            }
            guard let answer = found else { return }
            settle { answer(conclusion) }
        case .blockByHand(let subjects): block(subjects, .operator)
        case .liftByHand(let subject, let source, let time): liftUnlessKept(subject, source, at: time)
        case .concludeByHand(let number, let conclusion):
            guard let answer = state.withLock({ $0.hands.removeValue(forKey: number) }) else { return }
            settle { answer(conclusion) }
        case .drained(let open):
            let answer = state.withLock { state in
                defer { state.drained = nil }
                return state.drained
            }
            answer?(open)
        }
    }

    private func submit(_ changes: [LedgerChange], _ write: CallMachine.Write) {
        guard state.withLock({ $0.fleet != nil }) else {
            writer.submit(changes) { [self] error in
                surroundings.run { self.handle(.written(write, error)) }
            }
            return
        }
        submitToFleet(changes, write)
    }

    /// What the ledger has lifted. Not where a word of another gateway, of which that one did not know, keeps it.
    private func liftUnlessKept(_ subject: Subject, _ source: BlockSource, at time: Int64) {
        let isKept = state.withLock { $0.fleet?.kept.contains(BlockKey(subject, source)) } ?? false
        if isKept { return }
        // Another gateway's word of which the ledger doesn't know yet may keep it, too.
        let isHeld = state.withLock { state in
            guard state.fleet?.held.contains(subject) == true else { return false }
            state.fleet?.waiting[subject, default: [:]][source] = time
            return true
        }
        if !isHeld { lift(subject, source, at: time) }
    }
}

/// How the authority stands.
package struct AuthorityStatus: Sendable, Equatable {
    /// Calls between their arrival and their end.
    package let openCalls: Int
    /// Users with a call whose outcome is unknown.
    package let unconfirmedUsers: Int
    /// Users that are to be read with a service credential.
    package let usersToRead: Int
    /// Users of whom memory knows more than the ledger, because it could not be written.
    package let owedUsers: Int
    /// The last write's error, until one succeeds.
    package let ledgerTrouble: LedgerError?
    /// What has become of calls since the start.
    package let tally: CallTally
}
