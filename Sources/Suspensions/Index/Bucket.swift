import Synchronization

/// One cache line of the block table: three users, each 128 bits of identity and where they are blocked.
///
/// Readers never wait for the writer. The writer changes a slot's words only while the slot's bit in `control` is off, and every change
/// of `control` counts its version up; what a reader found counts only if `control` is the same before and after.
struct Bucket: ~Copyable {
    static let slots = 3

    /// Version, the spilled flag and one bit per slot in use: see `Control`.
    let control = Atomic<UInt32>(0)
    /// Where the slot's user is blocked: a `ScopeWord`.
    let scopes = InlineArray<3, Atomic<UInt32>> { _ in Atomic(0) }
    /// Two words of identity per slot.
    let identities = InlineArray<6, Atomic<UInt64>> { _ in Atomic(0) }
}

/// The value of a bucket's control word.
struct Control: Equatable {
    var word: UInt32

    private static let spilledBit: UInt32 = 1 << 3
    private static let versionStep: UInt32 = 1 << 4

    func uses(_ slot: Int) -> Bool { word & 1 << UInt32(slot) != 0 }

    /// A user whose first bucket this is may live in the second one. Once set it stays: it only costs a read.
    var isSpilled: Bool { word & Self.spilledBit != 0 }

    var freeSlot: Int? {
        for slot in 0..<Bucket.slots where !uses(slot) { return slot }
        return nil
    }

    func using(_ slot: Int) -> Control { Control(word: (word | 1 << UInt32(slot)) &+ Self.versionStep) }
    func freeing(_ slot: Int) -> Control { Control(word: (word & ~(1 << UInt32(slot))) &+ Self.versionStep) }
    func spilled() -> Control { Control(word: (word | Self.spilledBit) &+ Self.versionStep) }
    func touched() -> Control { Control(word: word &+ Self.versionStep) }
}

extension Bucket {
    /// The control word, ordered before everything that the reader looks at afterwards.
    borrowing func readControl() -> Control { Control(word: control.load(ordering: .acquiring)) }

    /// Whether nothing changed since `seen`: ordered after everything that the reader has looked at.
    borrowing func isUnchanged(since seen: Control) -> Bool {
        atomicMemoryFence(ordering: .acquiring)
        return control.load(ordering: .relaxed) == seen.word
    }

    borrowing func identity(_ slot: Int) -> UInt128Pair {
        UInt128Pair(first: identities[2 * slot].load(ordering: .relaxed), second: identities[2 * slot + 1].load(ordering: .relaxed))
    }

    borrowing func holds(_ identity: UInt128Pair, in slot: Int) -> Bool {
        identities[2 * slot].load(ordering: .relaxed) == identity.first
            && identities[2 * slot + 1].load(ordering: .relaxed) == identity.second
    }

    borrowing func scope(_ slot: Int) -> ScopeWord { ScopeWord(word: scopes[slot].load(ordering: .acquiring)) }
}

/// The writer's side.
extension Bucket {
    /// Makes a control word visible after all earlier stores and before all later ones.
    borrowing func publish(_ new: Control) {
        control.store(new.word, ordering: .releasing)
        atomicMemoryFence(ordering: .releasing)
    }

    /// Fills a slot that is not in use, and publishes it.
    borrowing func fill(_ slot: Int, _ identity: UInt128Pair, _ scope: ScopeWord) {
        identities[2 * slot].store(identity.first, ordering: .relaxed)
        identities[2 * slot + 1].store(identity.second, ordering: .relaxed)
        scopes[slot].store(scope.word, ordering: .relaxed)
        publish(readControl().using(slot))
    }

    /// Gives a slot in use another scope word. The old one's records may be used again when this returns.
    borrowing func change(_ slot: Int, to scope: ScopeWord) {
        scopes[slot].store(scope.word, ordering: .releasing)
        publish(readControl().touched())
    }
}
