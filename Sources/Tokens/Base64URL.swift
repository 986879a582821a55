/// Base64url without padding (RFC 4648 §5, RFC 7515 §2) in its one canonical spelling.
///
/// Two texts never decode to the same bytes: padding, white space, the standard alphabet's `+` and `/`, a length that no byte
/// count has, and trailing bits other than zero are all refused.
package enum Base64URL {
    /// The bytes that `text` spells, or nil where it is not canonical. Empty text is no bytes.
    package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        let tail = text.count & 3
        guard tail != 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3 + max(0, tail - 1))
        let start = decodeEights(text, into: &bytes)
        let whole = text.count - tail
        var out = bytes.mutableSpan
        let values = decoding.span
        var seen: UInt8 = 0
        var at = start / 4 * 3
        for index in stride(from: start, to: whole, by: 4) {
            let (a, b) = (values[Int(text[index])], values[Int(text[index + 1])])
            let (c, d) = (values[Int(text[index + 2])], values[Int(text[index + 3])])
            seen |= a | b | c | d
            out[at] = a << 2 | b >> 4
            out[at + 1] = b << 4 | c >> 2
            out[at + 2] = c << 6 | d
            at += 3
        }
        if tail > 0 {
            let (a, b) = (values[Int(text[whole])], values[Int(text[whole + 1])])
            let c = tail == 3 ? values[Int(text[whole + 2])] : 0
            seen |= a | b | c
            out[at] = a << 2 | b >> 4
            if tail == 3 { out[at + 1] = b << 4 | c >> 2 }
            guard tail == 3 ? c & 0x03 == 0 : b & 0x0F == 0 else { return nil }
        }
        return seen & invalid == 0 ? bytes : nil
    }

    /// Decodes eight characters at a time, as far as there are eight of the alphabet, and returns how many it took: most of a token
    /// goes this way, a third of the work of one character after the other.
    private static func decodeEights(_ text: Span<UInt8>, into bytes: inout [UInt8]) -> Int {
        let input = unsafe text.bytes
        var span = bytes.mutableSpan
        var out = unsafe span.mutableBytes
        var index = 0
        var at = 0
        while index + 8 <= text.count {
            // The load checks its bounds, and every pattern of 64 bits is a UInt64.
            let word = unsafe UInt64(littleEndian: input.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
            guard let sextets = EightCharacters(word)?.sextets else { break }
            let decoded = packed(sextets)
            out.storeBytes(of: UInt32(truncatingIfNeeded: decoded).littleEndian, toByteOffset: at, as: UInt32.self)
            out.storeBytes(of: UInt16(truncatingIfNeeded: decoded >> 32).littleEndian, toByteOffset: at + 4, as: UInt16.self)
            index += 8
            at += 6
        }
        return index
    }

    /// Eight values of six bits, the first lowest, as the six bytes that they make up, the first lowest.
    @inline(__always)
    private static func packed(_ sextets: UInt64) -> UInt64 {
        let eights = sextets.byteSwapped
        let fours = eights >> 2 & 0x0FC0_0FC0_0FC0_0FC0 | eights & 0x003F_003F_003F_003F
        let twos = fours >> 4 & 0x00FF_F000_00FF_F000 | fours & 0x0000_0FFF_0000_0FFF
        return ((twos >> 8 & 0x0000_FFFF_FF00_0000 | twos & 0x00FF_FFFF) << 16).byteSwapped
    }

    /// The canonical spelling of `bytes`.
    package static func encode(_ bytes: Span<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var word: UInt32 = 0
        var bits = 0
        for index in bytes.indices {
            word = word << 8 | UInt32(bytes[index])
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[Int(word >> UInt32(bits) & 63)])
            }
        }
        if bits > 0 { text.append(alphabet[Int(word << UInt32(6 - bits) & 63)]) }
        return text
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Set in the table for bytes outside the alphabet; values use the lower six bits.
    private static let invalid: UInt8 = 0x80

    private static let decoding: [UInt8] = {
        var table = [UInt8](repeating: invalid, count: 256)
        for (value, byte) in alphabet.enumerated() { table[Int(byte)] = UInt8(value) }
        return table
    }()
}

/// Eight characters of the base64url alphabet side by side in a word, looked at all at once.
private struct EightCharacters {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// Their values, six bits in each byte.
    let sextets: UInt64

    /// Nil where a byte is none of the alphabet's.
    @inline(__always)
    init?(_ word: UInt64) {
        guard word & Self.tops == 0 else { return nil }
        // In each byte the lowest bit says whether the character belongs there: no sum below leaves its byte.
        let upper = Self.isBetween(word, "A", "Z")
        let lower = Self.isBetween(word, "a", "z")
        let digit = Self.isBetween(word, "0", "9")
        let dash = Self.isBetween(word, "-", "-")
        let underscore = Self.isBetween(word, "_", "_")
        guard upper | lower | digit | dash | underscore == Self.ones else { return nil }
        // A is 0, a is 26, 0 is 52, - is 62, _ is 63.
        sextets = word &+ digit &* 4 &+ dash &* 17 &- upper &* 65 &- lower &* 71 &- underscore &* 32
    }

    /// 1 in each byte of `word`, all of them ASCII, that is one of these characters or between them.
    @inline(__always)
    private static func isBetween(_ word: UInt64, _ first: Unicode.Scalar, _ last: Unicode.Scalar) -> UInt64 {
        let fromFirst = word &+ ones &* UInt64(0x80 - first.value)
        let beyondLast = word &+ ones &* UInt64(0x7F - last.value)
        return (fromFirst & ~beyondLast & tops) >> 7
    }
}
