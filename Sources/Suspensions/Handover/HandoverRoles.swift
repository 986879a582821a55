/// One step of the index, or of whom aliases mean, for a gateway that has handed its ledger on.
package enum SuspensionChange: Sendable, Equatable {
    case block([Subject], BlockSource)
    /// Reactivated at this time (Unix milliseconds).
    case lift(Subject, BlockSource, at: Int64)
    case aliases(AliasWord)
}

/// The gateway before this one, which still answers on its last connections, seen from the one that has the ledger now.
package protocol SuspensionFollower: Sendable {
    /// Told when this gateway has it: of the index on the authority's thread, of aliases on any. Must not wait.
    func changed(_ change: SuspensionChange)
    /// Calls `next` when everything that was told before is in force there too, or when nobody is admitted there any more. Bounded.
    func whenFollowed(_ next: @escaping @Sendable () -> Void)
}

/// The gateway that has the ledger now, seen from the one before it: suspend calls on the last connections go by its word.
///
/// Every answer comes: where that gateway is gone, as `.draining` and `.notDurable`.
package protocol SuspensionSuccessor: Sendable {
    func begin(_ call: IntentCall, then answer: @escaping @Sendable (Beginning) -> Void)
    func finish(_ ticket: Ticket, _ outcome: UpstreamOutcome, then answer: @escaping @Sendable (Conclusion) -> Void)
    /// An answer on those connections has said this. Must not wait.
    func learned(_ word: AliasWord)
}
