/// Eight bytes of a text at once: strings are most of every document, and byte by byte they cost five times as much.
struct EightBytes {
    private let word: UInt64
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// Nil where fewer than eight bytes follow `index`.
    @inline(__always)
    init?(_ bytes: Span<UInt8>, at index: Int) {
        guard bytes.count - index >= 8 else { return nil }
        // The load checks its bounds, and every pattern of 64 bits is a UInt64.
        word = unsafe UInt64(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
    }

    /// The first `count` of them, zero-padded, first byte lowest.
    @inline(__always)
    func prefix(_ count: Int) -> UInt64 { count >= 8 ? word : word & ~(~0 << UInt64(count * 8)) }

    /// How many of them, from the first on, are plain text in a string: neither quote, backslash, control nor beyond ASCII.
    @inline(__always)
    var plainPrefix: Int {
        let controls = (word &- Self.ones &* 0x20) & ~word
        return ((controls | Self.zeros(word ^ Self.ones &* 0x22) | Self.zeros(word ^ Self.ones &* 0x5C) | word) & Self.tops)
            .trailingZeroBitCount / 8
    }

    /// How many of them, from the first on, are neither quote nor backslash.
    @inline(__always)
    var unquotedPrefix: Int {
        ((Self.zeros(word ^ Self.ones &* 0x22) | Self.zeros(word ^ Self.ones &* 0x5C)) & Self.tops).trailingZeroBitCount / 8
    }

    /// The top bit of the first byte that is 0 is set (a borrow may set later ones too, which nobody looks at).
    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word }
}
