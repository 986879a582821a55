import Policy
import Synchronization

// Whom nobody here knows by an alias is asked for at the service: each once at a time, few at once, and not again for a while. Where readings
// are believed for a while only, a holder whose time is over is read first.
extension AliasBook {
    /// Answers from the table, or once a search has ended.
    func look(_ question: AliasQuestion, _ answer: @escaping @Sendable (AliasAnswer) -> Void) {
        let now = steady()
        let (step, subjects) = state.withLock { $0.look(question, answer, generation, now: now) }
        for subject in subjects { readAnew(subject, question.key) }
        switch step {
        case .answer(let found): answer(found)
        case .wait: break
        case .begin: beginNext()
        }
    }

    /// Begins reads and searches while there is room.
    private func beginNext() {
        while let (work, source) = state.withLock({ state in state.next().map { ($0, state.source) } }) {
            switch work {
            case .search(let question): search(question, source)
            case .read(let question, let holders): confirm(question, holders[...], source)
            }
        }
    }

    private func search(_ question: AliasQuestion, _ source: (any AliasSource)?) {
        let asked = steady()
        guard let source else { return found(.impossible, question, asked: asked) }
        source.search(question.alias, directory: question.directory, tenant: question.tenant) { [weak self] finding in
            guard let self else { return }
            run { self.found(finding, question, asked: asked) }
        }
    }

    private func found(_ finding: AliasFinding, _ question: AliasQuestion, asked: Int64) {
        if case .readings(let readings) = finding {
            learn(AliasWord(readings, directory: question.directory, tenant: question.tenant, asked: asked))
        }
        let now = steady()
        let ending = state.withLock { state -> (answers: [@Sendable (AliasAnswer) -> Void], answer: AliasAnswer)? in
            state.open.give(question.group)
            if case .readings = finding, !finding.isGood(for: question), state.repeats(question.key, now: now) { return nil }
            let ending = state.end(question.key, finding.isGood(for: question) ? .nobody : .unavailable, generation, now: now)
            state.tally.note(ending.answer.verdict)
            return ending
        }
        if let ending { for each in ending.answers { each(ending.answer) } }
        beginNext()
    }

    /// Reads those who have the alias, one after the other.
    private func confirm(
        _ question: AliasQuestion, _ holders: ArraySlice<Subject>, _ source: (any AliasSource)?, isFailed: Bool = false
    ) {
        guard let holder = holders.first, let source else { return confirmed(question, isFailed: isFailed) }
        let asked = steady()
        source.readAnew(holder) { [weak self] reading in
            guard let self else { return }
            run {
                self.take(reading, of: holder, question.key, asked: asked)
                self.confirm(question, holders.dropFirst(), source, isFailed: isFailed || reading == .failed)
            }
        }
    }

    /// A holder who was shown is the answer. One who was not may have nothing to do with the alias any more: whose it is is to be found out.
    private func confirmed(_ question: AliasQuestion, isFailed: Bool) {
        let now = steady()
        let ending = state.withLock { state -> (answers: [@Sendable (AliasAnswer) -> Void], answer: AliasAnswer)? in
            state.endRead(question.group)
            let isShown = state.isBelieved(question.key, now: now)
            if !isShown, !isFailed, state.allowance.take(question.group, now: now) {
                state.line.append(question.key, of: question.group)
                return nil
            }
            return state.end(question.key, .unavailable, generation, now: now)
        }
        if let ending { for each in ending.answers { each(ending.answer) } }
        beginNext()
    }

    /// In the background: the holder is believed meanwhile.
    private func readAnew(_ subject: Subject, _ key: AliasKey) {
        let asked = steady()
        let source = state.withLock { state in
            if state.source != nil { state.beginRead(subject.aliasGroup) }
            return state.source
        }
        source?.readAnew(subject) { [weak self] reading in
            guard let self else { return }
            run {
                self.take(reading, of: subject, key, asked: asked)
                self.state.withLock { $0.endRead(subject.aliasGroup) }
                self.beginNext()
            }
        }
    }

    /// What a user shows was learned with his answer; that he isn't there is learned here.
    private func take(_ reading: AliasReread, of subject: Subject, _ key: AliasKey, asked: Int64) {
        if reading == .absent { forget(subject, key, asked: asked) }
        state.withLock { $0.tally.note(reading) }
    }

    private func forget(_ subject: Subject, _ key: AliasKey, asked: Int64) {
        guard let kind = state.withLock({ $0.table.scope(key)?.kind }) else { return }
        let row = AliasRow(directory: subject.directory, tenant: subject.tenant, kind: kind, user: subject.user, value: nil)
        apply(AliasWord(asked: asked, rows: [row])) { $0.forget(subject.user, key, asked: asked) }
    }
}

extension AliasBook.State {
    enum Step { case answer(AliasAnswer), wait, begin }

    /// What is to be done for somebody who asks, and who is to be read anew in the background.
    mutating func look(
        _ question: AliasQuestion, _ answer: @escaping @Sendable (AliasAnswer) -> Void, _ generation: Int, now: Int64
    ) -> (Step, [Subject]) {
        func refuse(_ verdict: AliasVerdict) -> (Step, [Subject]) { (.answer(AliasAnswer(verdict: verdict, generation: generation)), []) }
        if isBelieved(question.key, now: now) {
            return (.answer(self.answer(question.key, .nobody, generation, now: now)), stale(question, now: now))
        }
        if let known = unknown[question.key], known.until > now { return refuse(known.verdict) }
        guard source != nil else { return refuse(.nobody) }
        let group = question.group
        guard waiting.isFree(for: group) else { return refuse(.unavailable) }
        if let search = searches[question.key] {
            guard search.answers.count < Limits.aliasWaitersOfOne else { return refuse(.unavailable) }
            waiting.take(group)
            searches[question.key]?.answers.append(answer)
            return (.wait, [])
        }
        let isHeld = table.holder(question.key) != nil
        guard isHeld ? mayBeginRead(group, now: now) : allowance.take(group, now: now) else { return refuse(.unavailable) }
        waiting.take(group)
        searches[question.key] = AliasBook.Search(question: question, answers: [answer])
        if isHeld { doubts.append(question.key, of: group) } else { line.append(question.key, of: group) }
        return (.begin, [])
    }

    /// Has a search made once more whose answer names somebody whom the table has not taken. False where that has been done, or isn't needed.
    mutating func repeats(_ key: AliasKey, now: Int64) -> Bool {
        guard !isBelieved(key, now: now), let search = searches[key], !search.isRepeated else { return false }
        searches[key]?.isRepeated = true
        line.append(key, of: search.question.group)
        return true
    }

    enum Work { case search(AliasQuestion), read(AliasQuestion, [Subject]) }

    /// What may begin now.
    mutating func next() -> Work? {
        let readers = readers
        while !readers.isFull, let key = doubts.next(where: { readers.isFree(for: $0) }) {
            guard let question = searches[key]?.question else { continue }
            beginRead(question.group)
            return .read(question, holders(question))
        }
        let open = open
        while !open.isFull, let key = line.next(where: { open.isFree(for: $0) }) {
            guard let question = searches[key]?.question else { continue }
            self.open.take(question.group)
            return .search(question)
        }
        return nil
    }

    // A gateway by itself reads few users anew, in the places of its searches; where readings are believed for a while only, it reads all who
    // come.

    private var readers: AliasPlaces { belief == nil ? open : reading }

    mutating func beginRead(_ group: AliasGroup) { if belief == nil { open.take(group) } else { reading.take(group) } }

    mutating func endRead(_ group: AliasGroup) { if belief == nil { open.give(group) } else { reading.give(group) } }

    private mutating func mayBeginRead(_ group: AliasGroup, now: Int64) -> Bool {
        belief == nil ? allowance.take(group, now: now) : reads.take(group, now: now)
    }

    /// Whoever waits for it is answered: by the table, or `otherwise`.
    mutating func end(
        _ key: AliasKey, _ otherwise: AliasVerdict, _ generation: Int, now: Int64
    ) -> (answers: [@Sendable (AliasAnswer) -> Void], answer: AliasAnswer) {
        let search = searches.removeValue(forKey: key)
        let answers = search?.answers ?? []
        if let search { waiting.give(search.question.group, answers.count) }
        let answer = answer(key, otherwise, generation, now: now)
        switch answer.verdict {
        case .nobody: note(key, .nobody, until: now + Limits.unknownAliasMilliseconds * 1_000_000, now: now)
        case .unavailable: note(key, .unavailable, until: now + 1_000_000_000, now: now)
        case .user, .contested: break
        }
        return (answers, answer)
    }

    /// Whether the table's word can be given.
    func isBelieved(_ key: AliasKey, now: Int64) -> Bool {
        guard let asked = table.asked(key) else { return false }
        return belief.map { asked > now - $0 } ?? true
    }

    /// What the table says of it; `otherwise` where it says nothing, or nothing that can be believed.
    func answer(_ key: AliasKey, _ otherwise: AliasVerdict, _ generation: Int, now: Int64) -> AliasAnswer {
        guard isBelieved(key, now: now), let holder = table.holder(key) else {
            return AliasAnswer(verdict: otherwise, generation: generation)
        }
        let verdict: AliasVerdict =
            switch holder {
            case .user(let user, _): .user(user)
            case .contested: .contested
            }
        guard let belief, let asked = table.asked(key) else { return AliasAnswer(verdict: verdict, generation: generation) }
        let left = (asked - (now - belief)) / 1_000_000_000
        return AliasAnswer(verdict: verdict, generation: generation, seconds: min(left, Limits.rememberedAliasSeconds))
    }

    /// Who is to be read anew before he is believed for ever: holders whose last reading is old, and those of an alias that two have.
    mutating func stale(_ question: AliasQuestion, now: Int64) -> [Subject] {
        guard source != nil, readers.isFree(for: question.group) else { return [] }
        var age = belief.map { $0 / 2 } ?? Limits.aliasFreshSeconds * 1_000_000_000
        switch table.holder(question.key) {
        case .user? where (table.asked(question.key) ?? .min) > now - age: return []
        case .contested?: age = min(age, Limits.contestedAliasSeconds * 1_000_000_000)
        default: break
        }
        if let last = reread[question.key], last > now - min(age, 60_000_000_000) { return [] }
        guard mayBeginRead(question.group, now: now) else { return [] }
        if reread.count >= Limits.unknownAliases { reread = [:] }
        reread[question.key] = now
        return holders(question)
    }

    private func holders(_ question: AliasQuestion) -> [Subject] {
        table.users(question.key).map { Subject(directory: question.directory, tenant: question.tenant, user: $0) }
    }

    mutating func note(_ key: AliasKey, _ verdict: AliasVerdict, until: Int64, now: Int64) {
        if unknown.count >= Limits.unknownAliases { unknown = unknown.filter { $0.value.until > now } }
        if unknown.count >= Limits.unknownAliases { unknown = [:] }
        unknown[key] = (until, verdict)
    }
}

extension AliasFinding {
    /// Whether it says that nobody is known by the alias. Where it names somebody whom the table has not taken, something else was learned
    /// meanwhile.
    fileprivate func isGood(for question: AliasQuestion) -> Bool {
        switch self {
        case .failed: false
        case .impossible: true
        case .readings(let readings): !Self.names(question.alias, readings)
        }
    }

    /// Whether anybody has the alias by all that the answer says of him.
    private static func names(_ alias: UserAlias, _ readings: [AliasReading]) -> Bool {
        let words = readings.filter { $0.rule == alias.rule }
        let without = Set(words.filter { $0.value != alias.value }.map(\.user))
        return words.contains { $0.value == alias.value && !without.contains($0.user) }
    }
}
