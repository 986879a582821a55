import Policy
import Synchronization

extension SuspensionAuthority {
    /// Nil where the ledger is none that can be shared.
    var fleetLedger: FleetLedger? { state.withLock { $0.fleet?.ledger } }

    /// Who this run of the gateway is in the shared log.
    var fleetWriter: String { fleetLedger?.writer ?? "" }

    /// Blocks with words of several gateways that overlapped and aren't settled.
    var contestedUsers: Int { state.withLock { $0.fleet?.ledger.contestedCount ?? 0 } }

    /// From now on `wake` is called when something was written that others may have to hear, on the authority's thread.
    func tellFleet(_ wake: @escaping @Sendable () -> Void) {
        surroundings.run { [self] in state.withLock { $0.fleet?.wake = wake } }
    }

    /// Writes what the machine says, with its place in the shared log, and what the others say to it.
    func submitToFleet(_ changes: [LedgerChange], _ write: CallMachine.Write) {
        let stamped = state.withLock { $0.fleet?.stamp(changes, write) } ?? (changes, write)
        writer.submit(stamped.0) { [self] error in
            let verdict = state.withLock { $0.fleet?.ledger }?.verdict(on: stamped.0) ?? FleetVerdict()
            surroundings.run {
                self.state.withLock { $0.fleet?.written(stamped.0, verdict) }
                self.handle(.written(stamped.1, error))
                if error == nil, !verdict.contested.isEmpty { self.handle(.contested(verdict.contested)) }
                self.state.withLock { $0.fleet?.wake }?()
            }
        }
    }

    /// Everything that the ledger has of the shared log is in force up to `number`. Blocks until calls are made with it.
    func fleetStands(at number: Int64) {
        awaited { done in
            surroundings.run { [self] in
                state.withLock { $0.fleet?.applied = number }
                done(())
            }
        }
    }

    /// One step in the ledger. Blocks until it is durable: for the fleet's own threads.
    ///
    /// `follow` is done on the authority's thread, in the order of all that the ledger answers: nothing that was written after the step
    /// comes before it. It is waited for, too.
    ///
    /// `patience`: seconds; a disk that hangs longer is told as one that fails, and does the step when it hangs no more. Until then no other
    /// one with patience is begun.
    func step<Result: Sendable>(
        patience: Int? = nil, _ body: @escaping @Sendable (inout LedgerTransaction, inout LedgerScopes) throws -> Result,
        then follow: (@Sendable (Result) -> Void)? = nil
    ) throws(LedgerError) -> Result {
        let result = Mutex<Result?>(nil)
        let step = FleetStep { transaction, scopes in
            let value = try body(&transaction, &scopes)
            result.withLock { $0 = value }
        }
        let mayBegin = state.withLock { state in
            guard patience != nil, let fleet = state.fleet else { return true }
            defer { state.fleet?.isHanging = true }
            return !fleet.isHanging
        }
        guard mayBegin else { throw .writeFailed("it still hangs") }
        let answer: LedgerError?? = awaited(atMost: patience) { [self] done in
            writer.submit([.fleet(step)]) { [self] error in
                if patience != nil { state.withLock { $0.fleet?.isHanging = false } }
                guard error == nil, let follow, let value = result.withLock({ $0 }) else { return done(error) }
                surroundings.run {
                    follow(value)
                    done(nil)
                }
            }
        }
        guard let error = answer else { throw .writeFailed("it has not answered for \(patience ?? 0) s") }
        if let error { throw error }
        guard let value = result.withLock({ $0 }) else { throw .writeFailed("a step of the fleet was not taken") }
        return value
    }

    /// Puts entries of the shared log in force, up to `number`: blocks first in memory, then durably; what is lifted the other way round.
    /// Blocks the caller until all of it is so. Returns how many have changed anything.
    func hear(_ entries: [FleetEntry], upTo number: Int64) throws(LedgerError) -> Int {
        let hear: @Sendable (inout LedgerTransaction, inout LedgerScopes) throws -> [FleetEffect] = { [self] transaction, scopes in
            let effects = try transaction.hear(entries, upTo: number, &scopes)
            let blocks = effects.filter { $0.state == .suspended }
            if !blocks.isEmpty { surroundings.run { self.block(heard: blocks) } }
            return effects
        }
        let effects = try step(patience: Limits.ledgerPatienceSeconds, hear) { [self] effects in
            let effects = effects.filter { $0.subject.directory < index.reaches.count }
            for effect in effects.lasting where effect.state == .active { liftUnlessBusy(effect.subject, effect.source, at: effect.at) }
            let isLosing = state.withLock { state in
                state.fleet?.stands(at: number)
                return Set(effects.map(\.subject).filter { state.fleet?.isLosing($0) == true })
            }
            handle(.heard(effects, isLosing: isLosing))
        }
        return effects.count
    }

    /// On the authority's thread. Lifts that are being written are left to count: the ledger says which of them give way.
    func block(heard effects: [FleetEffect]) {
        let effects = effects.filter { $0.subject.directory < index.reaches.count }
        for (source, effects) in Dictionary(grouping: effects, by: \.source) { block(effects.map(\.subject), source) }
    }

    /// Lifts a block that the ledger has no more; not while something here may set it again, of which the ledger doesn't know yet.
    func liftUnlessBusy(_ subject: Subject, _ source: BlockSource, at time: Int64) {
        let isBusy = state.withLock { state in
            let isHeld = state.fleet?.held.contains(subject) == true
            let isBusy = isHeld || state.machine.isBusy(subject) || state.fleet?.isWriting(subject) == true
            if isBusy { state.fleet?.waiting[subject, default: [:]][source] = time }
            return isBusy
        }
        if !isBusy { lift(subject, source, at: time) }
    }

    /// What was to be lifted while it was busy: the ledger says whether it still is. On the authority's thread, at every tick.
    func liftWaiting() {
        let ready = state.withLock { state -> [(Subject, [BlockSource: Int64])] in
            guard let fleet = state.fleet, !fleet.waiting.isEmpty else { return [] }
            let machine = state.machine
            let free = fleet.waiting.filter { subject, _ in
                !fleet.held.contains(subject) && !machine.isBusy(subject) && !fleet.isWriting(subject)
            }
            let ready = free.map { ($0.key, $0.value) }
            for (subject, _) in ready { state.fleet?.waiting[subject] = nil }
            return ready
        }
        for (subject, sources) in ready { for (source, time) in sources { liftIfLifted(subject, source, at: time) } }
    }

    /// Contested users that memory had no room for, when it has some again. On the authority's thread, at every tick.
    func takeUpContests() {
        let isDue = state.withLock { state in
            defer { if state.machine.hasRoomForContests { state.machine.hasContestsLeftOut = false } }
            return state.machine.hasRoomForContests
        }
        guard isDue else { return }
        let found = Mutex<Set<Subject>>([])
        let step = FleetStep { transaction, scopes in
            let subjects = try transaction.contested(scopes, limit: Limits.fleetContestedUsers)
            found.withLock { $0 = subjects }
        }
        writer.submit([.fleet(step)]) { [self] error in
            surroundings.run { [self] in
                guard error == nil else { return state.withLock { $0.machine.hasContestsLeftOut = true } }
                handle(.contested(found.withLock { $0 }.filter { $0.directory < index.reaches.count }))
            }
        }
    }

    private func liftIfLifted(_ subject: Subject, _ source: BlockSource, at time: Int64) {
        let stands = Mutex(true)
        let step = FleetStep { transaction, scopes in
            let value = try transaction.stands(source, for: subject, &scopes)
            stands.withLock { $0 = value }
        }
        writer.submit([.fleet(step)]) { [self] error in
            surroundings.run { [self] in
                if error == nil, stands.withLock({ $0 }) { return }
                if error == nil { return liftUnlessBusy(subject, source, at: time) }
                state.withLock { $0.fleet?.waiting[subject, default: [:]][source] = time }
            }
        }
    }
}

extension SuspensionIndex {
    /// Marks the user as reactivated, then lets the block go.
    func lift(_ source: BlockSource, for subject: Subject, at time: Int64) {
        noteReactivation(of: subject, at: time)
        remove(source, for: subject)
    }
}
