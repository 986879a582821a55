import Policy

/// What a reconcile run has seen of a user.
struct Finding: Sendable, Equatable {
    let subject: Subject
    let state: UserState
    /// When the answer that says so was asked for, in the order of what happens.
    let mark: Touches.Mark
}

/// What becomes of findings that are applied together.
struct FindingBatch: Sendable, Equatable {
    typealias Number = Int64

    /// Writes on their way.
    var open = 0
    var blocked = 0
    var lifted = 0
    /// Something happened to these users since they were looked at, or they are being settled: they are to be looked at again.
    var overtaken: [Subject] = []
    /// Users who are not lifted now, though the service calls them active: a call or an operator has changed them just now, or their
    /// call's outcome is being settled.
    var waiting = 0
    /// Users of whom nothing may be written now: the ledger is full of what waits for it, fails, or goes to another process.
    var refused = 0
    /// Users whom the ledger could not be told of.
    var failed = 0
}
