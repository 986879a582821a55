import Policy
import Synchronization

// Whom nobody here knows by an alias is asked for at the service: each once at a time, few at once, and not again for a while.
extension AliasBook {
    /// Answers from the table, or once a search has ended.
    func look(_ question: AliasQuestion, _ answer: @escaping @Sendable (AliasAnswer) -> Void) {
        let now = steady()
        enum Step { case answer(AliasAnswer), wait, begin }
        let (step, subjects) = state.withLock { state -> (Step, [Subject]) in
            if state.table.holder(question.key) != nil {
                return (.answer(state.answer(question.key, .nobody, generation)), state.stale(question, now: now))
            }
            if let known = state.unknown[question.key], known.until > now {
                return (.answer(AliasAnswer(verdict: known.verdict, generation: generation)), [])
            }
            guard state.source != nil else { return (.answer(AliasAnswer(verdict: .nobody, generation: generation)), []) }
            guard state.waiting < Limits.aliasWaiters else {
                return (.answer(AliasAnswer(verdict: .unavailable, generation: generation)), [])
            }
            if state.searches[question.key] != nil {
                state.waiting += 1
                state.searches[question.key]?.answers.append(answer)
                return (.wait, [])
            }
            guard state.allowance.take(now: now) else {
                return (.answer(AliasAnswer(verdict: .unavailable, generation: generation)), [])
            }
            state.waiting += 1
            state.searches[question.key] = Search(question: question, answers: [answer])
            state.line.append(question.key)
            return (.begin, [])
        }
        for subject in subjects { readAnew(subject, question.key) }
        switch step {
        case .answer(let found): answer(found)
        case .wait: break
        case .begin: beginNext()
        }
    }

    /// Begins searches while there is room.
    private func beginNext() {
        while true {
            let (question, source) = state.withLock { state -> (AliasQuestion?, (any AliasSource)?) in
                guard state.open < Limits.aliasSearchesAtOnce, state.lineStart < state.line.count else { return (nil, nil) }
                let key = state.line[state.lineStart]
                state.lineStart += 1
                if state.lineStart == state.line.count { (state.line, state.lineStart) = ([], 0) }
                guard let search = state.searches[key] else { return (nil, nil) }
                state.open += 1
                return (search.question, state.source)
            }
            guard let question else { return }
            let asked = steady()
            guard let source else {
                found(.impossible, question, asked: asked)
                continue
            }
            source.search(question.alias, directory: question.directory, tenant: question.tenant) { [weak self] finding in
                guard let self else { return }
                run { self.found(finding, question, asked: asked) }
            }
        }
    }

    private func found(_ finding: AliasFinding, _ question: AliasQuestion, asked: Int64) {
        if case .readings(let readings) = finding {
            apply { $0.learn(readings, directory: question.directory, tenant: question.tenant, asked: asked) }
        }
        let now = steady()
        let (answers, answer) = state.withLock { state in
            state.open -= 1
            let answers = state.searches.removeValue(forKey: question.key)?.answers ?? []
            state.waiting -= answers.count
            let answer = state.answer(question.key, finding.isGood(for: question) ? .nobody : .unavailable, generation)
            state.tally.note(answer.verdict)
            switch answer.verdict {
            case .nobody: state.note(question.key, .nobody, until: now + Limits.unknownAliasMilliseconds * 1_000_000, now: now)
            case .unavailable: state.note(question.key, .unavailable, until: now + 1_000_000_000, now: now)
            case .user, .contested: break
            }
            return (answers, answer)
        }
        for each in answers { each(answer) }
        beginNext()
    }

    private func readAnew(_ subject: Subject, _ key: AliasKey) {
        let asked = steady()
        let source = state.withLock { state in
            state.open += state.source == nil ? 0 : 1
            return state.source
        }
        source?.readAnew(subject) { [weak self] isAbsent in
            guard let self else { return }
            run {
                if isAbsent { self.apply { $0.forget(subject.user, key, asked: asked) } }
                self.state.withLock { $0.open -= 1 }
                self.beginNext()
            }
        }
    }
}

extension AliasBook.State {
    /// What the table says of it; `otherwise` where it says nothing.
    func answer(_ key: AliasKey, _ otherwise: AliasVerdict, _ generation: Int) -> AliasAnswer {
        let verdict: AliasVerdict =
            switch table.holder(key) {
            case .user(let user, _)?: .user(user)
            case .contested?: .contested
            case nil: otherwise
            }
        return AliasAnswer(verdict: verdict, generation: generation)
    }

    /// Who is to be read anew before he is believed for ever: holders whose last reading is old, and those of an alias that two have.
    mutating func stale(_ question: AliasQuestion, now: Int64) -> [Subject] {
        guard source != nil, open < Limits.aliasSearchesAtOnce else { return [] }
        var age = Limits.aliasFreshSeconds
        switch table.holder(question.key) {
        case .user(_, let asked)? where asked > now - age * 1_000_000_000: return []
        case .contested?: age = Limits.contestedAliasSeconds
        default: break
        }
        if let last = reread[question.key], last > now - min(age, 60) * 1_000_000_000 { return [] }
        guard allowance.take(now: now) else { return [] }
        if reread.count >= Limits.unknownAliases { reread = [:] }
        reread[question.key] = now
        return table.users(question.key).map { Subject(directory: question.directory, tenant: question.tenant, user: $0) }
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
        case .readings(let readings): !readings.contains { $0.rule == question.alias.rule && $0.value == question.alias.value }
        }
    }
}
