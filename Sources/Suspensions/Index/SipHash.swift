/// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein: "SipHash: a fast short-input PRF"; the reference's `outlen 16`).
///
/// Without the key nobody can make two ids that collide, so 128 bits of it stand for an id as well as the id itself.
struct SipHash128: Sendable {
    private let key: UInt128Pair

    init(key: UInt128Pair) { self.key = key }

    /// A hasher with a key of this process' own.
    static func random() -> SipHash128 {
        var source = SystemRandomNumberGenerator()
        return SipHash128(key: UInt128Pair(first: source.next(), second: source.next()))
    }

    /// The two little-endian words of the digest.
    func hash(_ bytes: Span<UInt8>) -> UInt128Pair {
        var state = State(key: key)
        let whole = bytes.count / 8 * 8
        var index = 0
        while index < whole {
            state.absorb(word(bytes, at: index, count: 8))
            index += 8
        }
        state.absorb(UInt64(truncatingIfNeeded: bytes.count) << 56 | word(bytes, at: whole, count: bytes.count - whole))
        return state.finish()
    }

    private func word(_ bytes: Span<UInt8>, at start: Int, count: Int) -> UInt64 {
        var word: UInt64 = 0
        for offset in 0..<count { word |= UInt64(bytes[start + offset]) << UInt64(8 * offset) }
        return word
    }
}

/// Two words that belong together: a key, or 128 bits of hash.
struct UInt128Pair: Hashable, Sendable {
    let first: UInt64
    let second: UInt64
}

private struct State {
    var v0, v1, v2, v3: UInt64

    init(key: UInt128Pair) {
        v0 = key.first ^ 0x736f_6d65_7073_6575
        v1 = key.second ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = key.first ^ 0x6c79_6765_6e65_7261
        v3 = key.second ^ 0x7465_6462_7974_6573
    }

    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    mutating func finish() -> UInt128Pair {
        v2 ^= 0xee
        let first = squeeze()
        v1 ^= 0xdd
        return UInt128Pair(first: first, second: squeeze())
    }

    private mutating func squeeze() -> UInt64 {
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func round() {
        v0 &+= v1
        v2 &+= v3
        v1 = rotated(v1, 13) ^ v0
        v3 = rotated(v3, 16) ^ v2
        v0 = rotated(v0, 32)
        v2 &+= v1
        v0 &+= v3
        v1 = rotated(v1, 17) ^ v2
        v3 = rotated(v3, 21) ^ v0
        v2 = rotated(v2, 32)
    }

    private func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
}
