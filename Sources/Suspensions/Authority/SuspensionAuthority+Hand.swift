import Policy

/// What operators ask and change while the gateway runs.
extension SuspensionAuthority {
    /// Makes an operator's changes, all in one transaction. Answered, on the authority's thread, when blocks are in the index and told to
    /// every loop, and all is durable, or known not to be.
    func byHand(_ outcomes: [Outcome], then answer: @escaping @Sendable (HandConclusion) -> Void) {
        handle(unless: { [self] in handOn(outcomes, answer) }, keeping: { $0.hands[$1] = answer }) { .byHand($0, outcomes) }
    }

    /// Runs `body` on the ledger's thread, between two transactions. False where too many wait.
    func reading(_ body: @escaping @Sendable () -> Void) -> Bool { writer.read { _ in body() } }

    /// Goes up with every transaction of the ledger. From any thread, costs nothing.
    package var ledgerCommits: Int { writer.commitCount }

    /// Whether the outcome of a call for this user is unknown.
    func isUnconfirmed(_ subject: Subject) -> Bool { state.withLock { $0.machine.lost[subject] != nil } }

    /// Milliseconds since 1970.
    var wall: Int64 { surroundings.wall() }
}
