package import Policy

/// Where suspensions are kept: what the authority needs of a store, fulfilled by SQLite and, in tests, by a store that fails on purpose.
///
/// Used by one thread at a time. `commit` may block for as long as a disk takes.
package protocol LedgerStore: AnyObject, Sendable {
    /// Applies all changes, in order, or none. Durable when it returns.
    func commit(_ changes: [LedgerChange]) throws(LedgerError)
    /// Turns intents that a crash left pending into unconfirmed calls, at start.
    func recover(at time: Int64) throws(LedgerError)
    /// Blocks that stand; one per subject and source.
    func blockCount() throws(LedgerError) -> Int
    /// Every block that stands, in no order.
    func forEachBlock(_ body: (Subject, BlockSource) -> Void) throws(LedgerError)
    /// Everybody who was reactivated, by a confirmed call or by hand, with the last time (Unix milliseconds), in no order.
    func forEachReactivation(_ body: (Subject, Int64) -> Void) throws(LedgerError)
    /// One page of the blocks that stand, in an order of its own; looks at `Limits.ledgerScan` rows and tenants at most.
    func blocks(_ query: BlockQuery) throws(LedgerError) -> BlockPage
    /// About whom calls, operators' changes and reads were logged at this time (Unix milliseconds) or later, in no order; among the last
    /// `Limits.quietUsers` entries of the log.
    func forEachRecentChange(since time: Int64, _ body: (Subject, Int64) -> Void) throws(LedgerError)
    /// Calls whose outcome is unknown.
    func unconfirmedCalls() throws(LedgerError) -> [UnconfirmedCall]
    /// The directories whose filling from the service's list was begun, and whether it was finished.
    func fillings() throws(LedgerError) -> [DirectoryIndex: Bool]
    /// Every alias that is kept, in the order in which they were written.
    func forEachAlias(_ body: (AliasRow) -> Void) throws(LedgerError)
    /// Lets go of the store; nothing else may be asked afterwards, unless it is opened again.
    func close()
    /// Opens it again after `close`: another process may have written it meanwhile.
    func reopen() throws(LedgerError)
}

extension LedgerStore {
    package func reopen() throws(LedgerError) { throw .readFailed("this ledger can't be opened again") }

    /// A store that keeps no aliases.
    package func forEachAlias(_ body: (AliasRow) -> Void) throws(LedgerError) {}
}

/// One step of a transaction.
package enum LedgerChange: Sendable, Equatable {
    /// A call is about to be forwarded. Blocks nobody, enters no log.
    case intend(Intent)
    /// A call was refused or not sent: its row goes, and nothing is left of it.
    case forget(intent: Int64)
    /// Something is known now, even if only that an outcome is not: it enters the log.
    case record(Outcome)
    /// A directory is being filled from its service's list for the first time, or that is done.
    case filling(DirectoryIndex, isDone: Bool)
    /// A user has an alias, or has none any more. Enters no log: it says who somebody is, not what he may.
    case alias(AliasRow)
    /// Nothing is known or changes, but it is written all the same: whether the ledger takes writes again.
    case probe
    /// A step of the fleet's: entries of the shared log are taken, or its own are looked up.
    case fleet(FleetStep)
}

/// What is about to be tried: who, whom, what, when.
package struct Intent: Sendable, Equatable {
    /// Unique among the pending ones.
    package let number: Int64
    package let subject: Subject
    package let wanted: UserState
    package let caller: [UInt8]
    package let requestID: [UInt8]
    package let suspendsOnUnknown: Bool
    /// Milliseconds since 1970.
    package let at: Int64
    /// The last number of the fleet's log that was in force here when the call began; nil without a fleet.
    package var base: Int64?
}

/// How the gateway came to know.
package enum Learned: UInt8, Sendable, CaseIterable {
    /// The answer to a suspend or reactivate call.
    case call = 1
    /// Another answer that showed the user.
    case passive = 2
    /// An outcome that was lost.
    case unconfirmed = 3
    /// A crash while the call was on its way.
    case crash = 4
    /// By hand.
    case hand = 5
    /// From a file.
    case imported = 6
    /// The user was read with the service credential, because a call's outcome was unknown.
    case read = 7
    /// From the service's list, or by reading the user, in a reconcile run.
    case reconcile = 8
    /// By another gateway of the fleet.
    case fleet = 16

    /// The name in listings.
    package var name: String {
        switch self {
        case .call: "call"
        case .passive: "passive"
        case .unconfirmed: "unconfirmed"
        case .crash: "crash"
        case .hand: "hand"
        case .imported: "import"
        case .read: "read"
        case .reconcile: "reconcile"
        case .fleet: "fleet"
        }
    }
}

/// What the ledger is to hold about a subject from now on.
package struct Outcome: Sendable, Equatable {
    package enum Result: Sendable, Equatable {
        /// The source's block stands, or doesn't.
        case state(UserState)
        /// Nobody knows; the last state stays, unless `blocks`.
        case unknown(wanted: UserState, blocks: Bool)
        /// A read showed this state, which settles what an unconfirmed call left open; the block stays as it was.
        case seen(UserState)
    }

    /// The intent that this concludes.
    package var intent: Int64?
    package let subject: Subject
    package let source: BlockSource
    package let result: Result
    package let learned: Learned
    /// Who did it: a caller, or an operator's name.
    package let actor: [UInt8]
    package let requestID: [UInt8]
    /// Why; for an unknown outcome its cause.
    package let reason: String
    /// Milliseconds since 1970.
    package let at: Int64
    /// Since when the block stands, if not since `at`: an import may say so.
    package var since: Int64?
    /// A read's word that isn't the last: what an unconfirmed call left open stays so.
    package var leavesOpen = false
    /// The last number of the fleet's log that was in force here when the call began; nil means all that the ledger has.
    package var base: Int64?

    /// Whether this answers what an unconfirmed call left open: a confirmed call does, the operator does, and a read may.
    var settlesUnconfirmed: Bool {
        switch result {
        case .unknown: false
        case .state, .seen: learned == .call || learned == .hand || (learned == .read && !leavesOpen)
        }
    }

    /// Whether the block, or how it was learned, may be another one afterwards.
    var changesBlock: Bool { if case .seen = result { false } else { true } }

    /// Whether this says when a user was reactivated. A user who wasn't blocked is not reactivated by being looked at.
    func isReactivation(of was: UserState) -> Bool {
        guard case .state(.active) = result else { return false }
        return was == .suspended || (learned != .read && learned != .reconcile)
    }
}

/// A call whose outcome is unknown.
package struct UnconfirmedCall: Sendable, Equatable {
    package let subject: Subject
    package let wanted: UserState
    package let caller: [UInt8]
    package let requestID: [UInt8]
    package let cause: String
    /// Milliseconds since 1970.
    package let at: Int64
    /// The user is blocked, and by nothing but this call's unknown outcome (`on_unknown: suspend`).
    package var isBlocking = false
}
