/// Base64url without padding (RFC 4648 §5, RFC 7515 §2) in its one canonical spelling.
///
/// Two texts never decode to the same bytes: padding, white space, the standard alphabet's `+` and `/`, a length that no byte
/// count has, and trailing bits other than zero are all refused.
package enum Base64URL {
    /// The bytes that `text` spells, or nil where it is not canonical. Empty text is no bytes.
    package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        let tail = text.count & 3
        guard tail != 1 else { return nil }
        let whole = text.count - tail
        var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3 + max(0, tail - 1))
        var out = bytes.mutableSpan
        let values = decoding.span
        var seen: UInt8 = 0
        var at = 0
        for index in stride(from: 0, to: whole, by: 4) {
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
