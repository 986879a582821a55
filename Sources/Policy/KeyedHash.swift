/// A hash of 128 bits under a secret key: SipHash-2-4 with the 128-bit output (Aumasson and Bernstein, 2012).
///
/// Without the key nobody can find two ids with one hash, nor go through known ids to undo one. It costs tens of nanoseconds for an
/// id, which is why the access log and the suspension index use it on every request where HMAC would cost a microsecond.
package struct KeyedHash: Sendable {
    /// A value, equal only for equal input (but for a chance of 2^-128 per pair).
    package struct Value: Hashable, Sendable {
        package let high: UInt64
        package let low: UInt64

        /// 32 lower-case hex digits: the 16 bytes of the reference implementation in their order.
        package var hex: [UInt8] {
            [low, high].flatMap { word in
                (0..<16).map { nibble in
                    // Bytes are little-endian, the two digits of a byte are not.
                    let digit = UInt8(truncatingIfNeeded: word >> UInt64((nibble ^ 1) * 4)) & 15
                    return digit < 10 ? digit + 48 : digit + 87
                }
            }
        }
    }

    private let k0: UInt64
    private let k1: UInt64

    /// The key as two little-endian words.
    package init(_ k0: UInt64, _ k1: UInt64) {
        self.k0 = k0
        self.k1 = k1
    }

    /// A key that no other process has.
    package static func random() -> KeyedHash {
        KeyedHash(.random(in: .min ... .max), .random(in: .min ... .max))
    }

    /// The hash of `bytes`.
    package func callAsFunction(_ bytes: Span<UInt8>) -> Value {
        var state = SipState(k0, k1)
        let whole = bytes.count & ~7
        for start in stride(from: 0, to: whole, by: 8) {
            var word: UInt64 = 0
            for offset in 0..<8 { word |= UInt64(bytes[start + offset]) << UInt64(offset * 8) }
            state.absorb(word)
        }
        var last = UInt64(truncatingIfNeeded: bytes.count) << 56
        for index in whole..<bytes.count { last |= UInt64(bytes[index]) << UInt64((index - whole) * 8) }
        state.absorb(last)
        return state.finish()
    }
}

/// The four words of SipHash and its round.
private struct SipState {
    private var v0: UInt64
    private var v1: UInt64
    private var v2: UInt64
    private var v3: UInt64

    init(_ k0: UInt64, _ k1: UInt64) {
        v0 = k0 ^ 0x736f_6d65_7073_6575
        v1 = k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = k0 ^ 0x6c79_6765_6e65_7261
        v3 = k1 ^ 0x7465_6462_7974_6573
    }

    mutating func absorb(_ word: UInt64) {
        v3 ^= word
        round()
        round()
        v0 ^= word
    }

    mutating func finish() -> KeyedHash.Value {
        v2 ^= 0xee
        let low = squeeze()
        v1 ^= 0xdd
        return KeyedHash.Value(high: squeeze(), low: low)
    }

    private mutating func squeeze() -> UInt64 {
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    private mutating func round() {
        v0 &+= v1
        v1 = rotated(v1, 13) ^ v0
        v0 = rotated(v0, 32)
        v2 &+= v3
        v3 = rotated(v3, 16) ^ v2
        v0 &+= v3
        v3 = rotated(v3, 21) ^ v0
        v2 &+= v1
        v1 = rotated(v1, 17) ^ v2
        v2 = rotated(v2, 32)
    }

    private func rotated(_ word: UInt64, _ by: UInt64) -> UInt64 { word << by | word >> (64 - by) }
}
