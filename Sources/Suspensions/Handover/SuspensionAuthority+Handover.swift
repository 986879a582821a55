import Policy

/// Handing the ledger from one running gateway to the next, and following that one until the last connection ends.
///
/// The gateway before: `pause`, `yield`, then `follow`, or `takeBack` where the next one came to nothing. The next one: `lead`.
///
/// What holds at every moment: a process admits users only by a ledger that it holds, or under a lease. The lease is given by the process
/// that holds the ledger, for `Limits.leaseMilliseconds` from the moment when that one said so, and it arrives behind every change that was
/// made before it was given. So whoever still admits users under a lease has every change that is older than that, and a suspension is in
/// force everywhere once it was acknowledged there, or is older than any lease.
extension SuspensionAuthority {
    static let leaseNanoseconds = Limits.leaseMilliseconds * 1_000_000

    /// The latest moment (steady nanoseconds) to which all is known that was decided: now, where the ledger is ours.
    package var knownUntil: Int64 {
        let until = lease.load(ordering: .acquiring)
        return until == .max ? surroundings.steady() : until - Self.leaseNanoseconds
    }

    /// Whether users have not been admitted any more for so many nanoseconds.
    package func isLapsed(for nanoseconds: Int64) -> Bool {
        let until = lease.load(ordering: .acquiring)
        return until != .max && surroundings.steady() > until + nanoseconds
    }
}

// MARK: the gateway before

extension SuspensionAuthority {
    /// Holds new calls and waits until every open one is concluded and written, but no longer than `patience`. Answers whether the ledger
    /// can be given away: all is in it. Otherwise `goOn` must follow.
    package func pause(patience: Duration, then answer: @escaping @Sendable (Bool) -> Void) {
        surroundings.run { [self] in
            state.withLock { state in
                state.held = state.held ?? HeldCalls()
                state.drained = { [self] open in answer(open == 0 && self.state.withLock { $0.machine.owed == 0 }) }
            }
            handle(.drain(until: surroundings.steady() + patience.nanoseconds, turnsAway: false))
        }
    }

    /// Gives the ledger away. Blocks; after a `pause` that said yes.
    package func yield() {
        aliases.hold()
        writer.close()
    }

    /// Goes on as before `pause`.
    package func goOn() { surroundings.run { [self] in release(nil) } }

    /// Takes the ledger again, which another process may have written meanwhile. Blocks; throws where that one still has it.
    package func takeBack() throws(LedgerError) {
        let now = Moment(steady: surroundings.steady(), wall: surroundings.wall())
        let found = try writer.take { store throws(LedgerError) in
            try store.reopen()
            try store.recover(at: now.wall)
            try index.load { body throws(LedgerError) in
                try store.forEachBlock { [reaches = index.reaches] subject, source in
                    if subject.directory < reaches.count { body(subject, source) }
                }
            }
            try store.forEachReactivation { subject, time in
                if subject.directory < index.reaches.count { index.noteReactivation(of: subject, at: time) }
            }
            var rows: [AliasRow] = []
            try store.forEachAlias { rows.append($0) }
            let machine = CallMachine.Found(unconfirmed: try store.unconfirmedCalls(), quiet: try QuietUsers(of: store, at: now))
            return (machine: machine, aliases: rows, fillings: try store.fillings())
        }
        aliases.takeBack(found.aliases)
        surroundings.run { [self] in
            state.withLock { $0.fillings = found.fillings }
            release(found.machine)
        }
    }

    private func release(_ found: CallMachine.Found?) {
        lease.store(.max, ordering: .releasing)
        let held = state.withLock { state in
            defer { state.held = nil }
            state.successor = nil
            return state.held
        }
        handle(.goOn(found))
        for call in held?.calls ?? [] { begin(call.call, then: call.answer) }
        for hand in held?.hands ?? [] { byHand(hand.outcomes, then: hand.answer) }
    }

    /// From now on users are admitted under a lease, and calls go to `successor`, those that were held too. `then` is called when it is so.
    package func follow(_ successor: any SuspensionSuccessor, then: @escaping @Sendable () -> Void) {
        surroundings.run { [self] in
            lease.store(surroundings.steady() + Self.leaseNanoseconds, ordering: .releasing)
            let held = state.withLock { state in
                defer { state.held = HeldCalls() }
                state.successor = successor
                return state.held
            }
            then()
            for word in aliases.heldNews { successor.learned(word) }
            for call in held?.calls ?? [] { successor.begin(call.call, then: call.answer) }
            for hand in held?.hands ?? [] { hand.answer(.draining) }
        }
    }

    /// Admits nobody, whatever is heard, until the ledger is here again. From any thread, at once.
    package func stopAdmitting() { lease.store(0, ordering: .sequentiallyConsistent) }

    /// Takes what an answer has said on the connections of whoever follows this gateway.
    package func learned(_ word: AliasWord) {
        aliases.hear(word)
        state.withLock { $0.successor }?.learned(word)
    }

    /// What an answer has said here: both neighbours are told.
    func tell(_ word: AliasWord) {
        let (successor, follower) = state.withLock { ($0.successor, $0.follower) }
        successor?.learned(word)
        follower?.changed(.aliases(word))
    }

    /// Puts a change in force that the successor has made. `then` is called when this gateway has it, and whoever follows it too.
    package func apply(_ change: SuspensionChange, then: @escaping @Sendable () -> Void) {
        surroundings.run { [self] in
            switch change {
            case .block(let subjects, let source): block(subjects, source)
            case .lift(let subject, let source, let time): lift(subject, source, at: time)
            case .aliases(let word):
                aliases.hear(word)
                state.withLock { $0.follower }?.changed(change)
            }
            settle(then)
        }
    }

    /// The successor was well at this moment (steady nanoseconds), and has said before what it had changed until then.
    package func heard(at moment: Int64) {
        surroundings.run { [self] in
            let until = lease.load(ordering: .relaxed)
            guard until != .max, until != 0 else { return }
            let next = max(until, moment + Self.leaseNanoseconds)
            _ = lease.compareExchange(expected: until, desired: next, ordering: .acquiringAndReleasing)
        }
    }

    /// Holds a call, or hands it on. False where it is this gateway's own affair.
    func handOn(_ call: IntentCall, _ answer: @escaping @Sendable (Beginning) -> Void) -> Bool {
        let now = surroundings.steady()
        let (isElse, isHeld, successor) = state.withLock { state in
            guard state.held != nil else { return (false, false, nil as (any SuspensionSuccessor)?) }
            if let successor = state.successor { return (true, true, successor) }
            return (true, state.held?.hold(HeldCalls.Call(call: call, answer: answer, since: now)) == true, nil)
        }
        if let successor { successor.begin(call, then: answer) } else if isElse, !isHeld { answer(.busy) }
        return isElse
    }

    /// Holds an operator's change while nobody has the ledger; where another gateway has it, it is to be made there.
    func handOn(_ outcomes: [Outcome], _ answer: @escaping @Sendable (HandConclusion) -> Void) -> Bool {
        let now = surroundings.steady()
        let (isElse, refusal) = state.withLock { state -> (Bool, HandConclusion?) in
            guard state.held != nil else { return (false, nil) }
            guard state.successor == nil else { return (true, .draining) }
            let isHeld = state.held?.hold(HeldCalls.Hand(outcomes: outcomes, answer: answer, since: now)) == true
            return (true, isHeld ? nil : .busy)
        }
        if let refusal { answer(refusal) }
        return isElse
    }

    /// Called at each tick.
    func expireHeld() {
        let now = surroundings.steady()
        state.withLock { $0.held?.expire(at: now) }?.turnAway()
    }
}

// MARK: the next gateway

extension SuspensionAuthority {
    /// Has `follower` told of every change from now on; what is concluded waits until it follows. Nil where there is nobody any more.
    package func lead(_ follower: (any SuspensionFollower)?) { state.withLock { $0.follower = follower } }

    /// Calls `next` when all changes so far are in force at the follower too; at once without one.
    func settle(_ next: @escaping @Sendable () -> Void) {
        if let follower = state.withLock({ $0.follower }) { follower.whenFollowed(next) } else { next() }
    }

    /// The one way into the index while the gateway runs: whatever a block follows from, a call, an operator, a read or another gateway's
    /// word, loops and follower are told. On the authority's thread.
    func block(_ subjects: [Subject], _ source: BlockSource) {
        for subject in subjects { index.insert(source, for: subject) }
        onBlock(subjects)
        state.withLock { $0.follower }?.changed(.block(subjects, source))
    }

    /// The one way out of the index. On the authority's thread.
    func lift(_ subject: Subject, _ source: BlockSource, at time: Int64) {
        index.lift(source, for: subject, at: time)
        state.withLock { $0.follower }?.changed(.lift(subject, source, at: time))
    }
}
