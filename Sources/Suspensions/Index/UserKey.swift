import Policy

/// A user of a directory as the index knows it: 128 bits of identity and the place that a secret mix gives them.
///
/// A uuid is kept whole; another id is its keyed hash. Two formats never meet in one directory, so the two never mix.
/// Only good for the index that made it.
package struct UserKey: Hashable, Sendable {
    let identity: UInt128Pair
    let directory: UInt32
    /// Segment and bucket come from these bits.
    let place: UInt64
}

/// Makes the keys of one index. Its secrets are drawn at start and never leave the process.
struct KeyMaker: Sendable {
    private let hash = KeyedHash.random()
    let mix = PlaceMix()

    func user(_ id: FormattedID, in directory: DirectoryIndex) -> UserKey {
        let identity = identity(id)
        let directory = UInt32(truncatingIfNeeded: directory)
        return UserKey(identity: identity, directory: directory, place: place(identity, directory))
    }

    /// Where an identity lives.
    func place(_ identity: UInt128Pair, _ directory: UInt32) -> UInt64 { mix.place(identity, salt: UInt64(directory)) }

    /// The 128 bits that stand for a user's or tenant's id.
    func identity(_ id: FormattedID) -> UInt128Pair {
        switch id {
        case .uuid(let bits): return UInt128Pair(first: bits.high, second: bits.low)
        case .string(let bytes):
            let hash = hash(bytes.span)
            return UInt128Pair(first: hash.high, second: hash.low)
        }
    }
}

/// Two words of identity: a uuid's, or a keyed hash's.
struct UInt128Pair: Hashable, Sendable {
    let first: UInt64
    let second: UInt64
}

/// Spreads identities over the table so that nobody who picks ids can pick buckets: two multiply-folds under secret words.
struct PlaceMix: Sendable {
    private let a, b, c, d: UInt64

    init() {
        var source = SystemRandomNumberGenerator()
        (a, b, c, d) = (source.next(), source.next(), source.next(), source.next() | 1)
    }

    func place(_ identity: UInt128Pair, salt: UInt64) -> UInt64 {
        let folded = fold(identity.first ^ a, identity.second ^ b)
        return fold(folded ^ c ^ salt, d &+ identity.second)
    }

    private func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
