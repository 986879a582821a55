import Synchronization

/// The keys of one origin that are in force. Immutable; a successful fetch that changes anything makes another.
package final class KeySet: Sendable {
    package let keys: [VerificationKey]
    /// False until the first good fetch, and when the last one is too long ago: tokens are then answered by `keysUnavailable`.
    package let isAvailable: Bool
    let demand: KeyDemand

    init(_ keys: [VerificationKey], isAvailable: Bool = true, demand: KeyDemand) {
        self.keys = keys
        self.isAvailable = isAvailable
        self.demand = demand
    }
}

/// How event loops say that they have seen a key that their set doesn't have: a flag, so that a flood of such tokens costs nothing.
final class KeyDemand: Sendable {
    private let isRaised = Atomic(false)

    /// From any loop. Reads first: the flag's cache line stays shared while it is up.
    func raise() {
        if !isRaised.load(ordering: .relaxed) { isRaised.store(true, ordering: .relaxed) }
    }

    /// Whether it was raised since this was last asked.
    func take() -> Bool {
        isRaised.load(ordering: .relaxed) && isRaised.exchange(false, ordering: .relaxed)
    }
}

/// All fetched keys that are in force at one moment, by origin. Immutable: event loops hold a reference each, and are given another.
package final class KeyTable: Sendable {
    private let sets: [KeyOrigin: KeySet]

    package init(_ sets: [KeyOrigin: KeySet] = [:]) { self.sets = sets }

    /// Nothing has been fetched.
    package static let empty = KeyTable()

    /// Nil for an origin that nobody fetches.
    package subscript(origin: KeyOrigin) -> KeySet? { sets[origin] }
}
