import Policy
import Suspensions

/// Asks services whose an alias is, and reads users anew whose aliases have not been read for long.
extension ServiceReads: AliasSource {
    func search(_ alias: UserAlias, directory: DirectoryIndex, tenant: FormattedID?, then: @escaping @Sendable (AliasFinding) -> Void) {
        guard let desk = desk(directory), let search = desk.search(for: alias) else { return then(.impossible) }
        // A tenant's own, where it has one: its word on its users is the last.
        let credentials = desk.credentials(tenant: tenant).prefix(tenant == nil ? .max : 1)
        guard !credentials.isEmpty else { return then(.impossible) }
        ask(alias, desk, search, tenant, credentials, found: [], then: then)
    }

    /// By each of these credentials: where suspensions reach all tenants and every tenant has its own, by all of them,
    /// since one alone can't tell that there is nobody else.
    private func ask(
        _ alias: UserAlias, _ desk: ServiceDesk, _ search: AliasSearch, _ tenant: FormattedID?, _ credentials: ArraySlice<Int>,
        found: [AliasReading], then: @escaping @Sendable (AliasFinding) -> Void
    ) {
        guard let credential = credentials.first, let request = desk.request(search, alias.value, tenant: tenant, by: credential),
            let reader = desk.searchReader(alias.rule, search)
        else { return then(credentials.isEmpty ? .readings(found) : .impossible) }
        let asked = ContinuousClock.now
        ask(desk, request, timeout: Limits.aliasSearchMilliseconds) { [self] result in
            switch result {
            case .failure: return then(.failed)
            case .success(let answer):
                let isNobody = answer.status == 404 || answer.status == 410
                guard let word = isNobody ? AliasReader.Word() : reader.word(of: answer) else { return then(.failed) }
                let all = found + word.readings
                teach(word.suspended.map { Subject(directory: desk.directory, tenant: tenant, user: $0) }, since: asked) { [self] in
                    guard credentials.count > 1 else { return then(.readings(all)) }
                    ask(alias, desk, search, tenant, credentials.dropFirst(), found: all, then: then)
                }
            }
        }
    }

    /// Whoever is shown as suspended is blocked before those who wait for the answer are judged by it.
    private func teach(_ suspended: [Subject], since asked: ContinuousClock.Instant, then: @escaping @Sendable () -> Void) {
        authority.observe(suspended: suspended, caller: Self.reader, requestID: [], age: asked.duration(to: .now), then: then)
    }

    /// Who has asked, in the ledger's log.
    private static let reader = Caller("gateway")

    func readAnew(_ subject: Subject, then: @escaping @Sendable (AliasReread) -> Void) {
        let asked = ContinuousClock.now
        read(subject, timeout: Limits.aliasSearchMilliseconds) { [self] outcome in
            switch outcome {
            case .state(let state): teach(state == .suspended ? [subject] : [], since: asked) { then(.read) }
            case .absent: then(.absent)
            case .sick, .useless: then(.failed)
            case .impossible: then(.impossible)
            }
        }
    }
}

extension AliasBook {
    /// Takes what an answer to one of the gateway's own requests says of users' aliases.
    func learn(
        from answer: ServiceAnswer, by reader: AliasReader?, about user: UserID?, _ desk: ServiceDesk, _ tenant: FormattedID?,
        since asked: ContinuousClock.Instant
    ) {
        guard let reader, let readings = reader.readings(from: answer, about: user) else { return }
        learn(readings, directory: desk.directory, tenant: tenant, age: asked.duration(to: .now))
    }
}
