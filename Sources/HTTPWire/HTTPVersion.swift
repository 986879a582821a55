/// The versions that a head may name.
enum HTTPVersion: Sendable {
    case http10, http11
    /// Well-formed (`HTTP/` digit `.` digit), but none of the two.
    case other

    /// Nil for what isn't a version (RFC 9112 §2.3; the name is case-sensitive).
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard range.count == 8 else { return nil }
        let word = bytes.word(at: range.lowerBound)
        switch word {
        case Self.word(minor: UInt8(ascii: "1")): self = .http11
        case Self.word(minor: UInt8(ascii: "0")): self = .http10
        default:
            let major = UInt8(truncatingIfNeeded: word >> 40)
            let minor = UInt8(truncatingIfNeeded: word >> 56)
            let digits = UInt64(0xFF00_FF00_0000_0000)
            guard major.isDigit, minor.isDigit, word & ~digits == Self.word(minor: 0) & ~digits else { return nil }
            self = .other
        }
    }

    /// `HTTP/1.` and `minor` as `Span.word` gives them.
    @inline(__always)
    private static func word(minor: UInt8) -> UInt64 {
        0x002E_312F_5054_5448 | UInt64(minor) << 56
    }
}
