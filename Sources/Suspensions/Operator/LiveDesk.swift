import Policy

/// What an operator does by hand while the gateway runs: the same as at `OperatorDesk`, in force at once and asked of the ledger's own
/// thread in small pieces.
///
/// Callable from any thread; nothing here waits. Answers come on the authority's or the ledger's thread, which must not be kept.
package final class LiveDesk: Sendable {
    let authority: SuspensionAuthority
    let ledger: SQLiteLedger
    /// The configuration's directories are the ledger's first ones.
    private let configured: Int

    /// - Parameters:
    ///   - ledger: the one that the authority writes.
    ///   - configured: how many of its directories are the configuration's: about users of others nobody is asked.
    package init(_ authority: SuspensionAuthority, ledger: SQLiteLedger, configured: Int) {
        self.authority = authority
        self.ledger = ledger
        self.configured = configured
    }

    /// The names of the directories, in their order.
    package var directories: [String] { ledger.directories.prefix(configured).map(\.name) }

    /// A line for each directory that has blocks and that the configuration doesn't name: renamed perhaps, and its users pass.
    package var unaskedBlocks: [String] {
        authority.strangersAtStart.sorted { $0.key < $1.key }.map { index, count in
            "the ledger has \(count) \(count == 1 ? "block" : "blocks") of the directory `\(ledger.directories[index].name)`, which the file "
                + "doesn't name: nobody is refused by them. If it was renamed: export and import them, or give it its name back."
        }
    }

    /// Who wants something, for the log.
    package struct Actor: Sendable {
        let name: [UInt8]
        let requestID: [UInt8]

        package init(name: String, requestID: [UInt8]) {
            self.name = Array(name.utf8)
            self.requestID = requestID
        }
    }

    /// The subject that a person means; throws what is wrong with the name.
    package func subject(_ user: NamedUser) throws(OperatorError) -> Subject {
        let subject = try ledger.subject(user)
        guard subject.directory < configured else { throw .unknownDirectory(user.directory, known: directories) }
        return subject
    }

    /// Blocks a user by hand. The answer says too whether the operator's block stood already.
    package func add(
        _ user: NamedUser, reason: String, by actor: Actor, then answer: @escaping @Sendable (HandConclusion, _ stood: Bool) -> Void
    ) throws(OperatorError) {
        let subject = try subject(user)
        let outcome = outcome(subject, .suspended, .operator, .hand, try checked(reason), actor)
        let stood = authority.index.stands(.operator, for: subject)
        authority.byHand([outcome]) { answer($0, stood) }
    }

    /// What a lift came to.
    package struct Lifting: Sendable {
        /// The blocks that stood before, of those that were to be lifted; none where an unconfirmed call was all there was to settle.
        package let asked: BlockSources
        /// What stands when it is done, exactly here and in the whole directory.
        package var here: BlockSources = []
        package var inAllTenants: BlockSources = []
        /// Of these what another gateway of the fleet and this one have said different things about, neither knowing of the other.
        package var contestedHere: BlockSources = []
        package var contestedInAllTenants: BlockSources = []

        /// Blocks that another gateway's word keeps, of which this lift did not know.
        package var kept: BlockSources { asked.intersection(here).intersection(contestedHere) }
        package var lifted: BlockSources { asked.subtracting(kept) }
    }

    /// Lifts a user's block of one source, or of every source that stands; settles what an unconfirmed call left open. The answer says
    /// what was lifted.
    package func lift(
        _ user: NamedUser, source: BlockSource?, reason: String, by actor: Actor,
        then answer: @escaping @Sendable (HandConclusion, Lifting) -> Void
    ) throws(OperatorError) {
        let subject = try subject(user)
        let reason = try checked(reason)
        let standing = authority.index.sources(of: subject)
        let lifted = source.map { standing.intersection(BlockSources($0)) } ?? standing
        var sources = BlockSource.allCases.filter { lifted.contains(BlockSources($0)) }
        if sources.isEmpty, source != .operator, authority.isUnconfirmed(subject) { sources = [.upstream] }
        guard !sources.isEmpty else { throw .notBlocked(user) }
        authority.byHand(sources.map { outcome(subject, .active, $0, .hand, reason, actor) }) { [self] conclusion in
            guard conclusion == .done else { return answer(conclusion, Lifting(asked: lifted)) }
            look(subject, Lifting(asked: lifted)) { answer(conclusion, $0) }
        }
    }

    /// What stands for the subject now. The ledger is asked only where something does.
    private func look(_ subject: Subject, _ lifting: Lifting, then answer: @escaping @Sendable (Lifting) -> Void) {
        let whole = subject.tenant.map { _ in Subject(directory: subject.directory, tenant: nil, user: subject.user) }
        var lifting = lifting
        lifting.here = authority.index.sources(of: subject)
        lifting.inAllTenants = whole.map { authority.index.sources(of: $0) } ?? []
        guard !lifting.here.isEmpty || !lifting.inAllTenants.isEmpty else { return answer(lifting) }
        let (ledger, seen) = (ledger, lifting)
        let isTaken = authority.reading {
            var lifting = seen
            lifting.contestedHere = (try? ledger.contested(subject)) ?? []
            lifting.contestedInAllTenants = whole.flatMap { try? ledger.contested($0) } ?? []
            answer(lifting)
        }
        if !isTaken { answer(lifting) }
    }

    func outcome(
        _ subject: Subject, _ state: UserState, _ source: BlockSource, _ learned: Learned, _ reason: String, _ actor: Actor
    ) -> Outcome {
        Outcome(
            intent: nil, subject: subject, source: source, result: .state(state), learned: learned, actor: actor.name,
            requestID: actor.requestID, reason: reason, at: authority.wall)
    }

    private func checked(_ reason: String) throws(OperatorError) -> String { try OperatorError.checked(reason: reason) }
}
