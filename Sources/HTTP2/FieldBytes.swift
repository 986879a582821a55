import Glibc
import HTTPWire

/// Questions to the bytes of a decoded field: what RFC 9113 §8.2 says of names and values.
extension Span where Element == UInt8 {
    /// CR, LF or NUL: what would make one field several lines, or end it early (§8.2.1).
    var breaksLines: Bool {
        guard !isEmpty else { return false }
        return unsafe withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            return unsafe memchr(start, 0x0D, bytes.count) != nil || memchr(start, 0x0A, bytes.count) != nil
                || memchr(start, 0, bytes.count) != nil
        }
    }

    /// A space or tab at either end (§8.2.1).
    var isPadded: Bool { !isEmpty && (self[0].isBlank || self[count - 1].isBlank) }

    /// A token without upper-case letters (§8.2).
    var isFieldName: Bool {
        for index in indices where !self[index].isLowercaseTokenCharacter { return false }
        return !isEmpty
    }

    /// Visible ASCII: what a request target is made of.
    var isTarget: Bool {
        for index in indices where self[index] < 0x21 || self[index] > 0x7E { return false }
        return !isEmpty
    }

    /// Whether a field of this name with `value` belongs to a connection of HTTP/1 (§8.2.2); `te` may say `trailers` and nothing else.
    func isConnectionSpecific(_ value: Span<UInt8>) -> Bool {
        switch count {
        case 2: equals("te") && !value.equals("trailers")
        case 7: equals("upgrade")
        case 10: equals("connection") || equals("keep-alive")
        case 16: equals("proxy-connection")
        case 17: equals("transfer-encoding")
        default: false
        }
    }

    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        // unsafe: the pointer to a literal's bytes is valid for ever and `index` is below its count.
        for index in indices where unsafe self[index] != text.utf8Start[index] { return false }
        return true
    }

    func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index].lowercased != other[index].lowercased { return false }
        return true
    }

    /// Decimal digits as a number; nil for anything else and beyond 2^53.
    var number: Int? {
        guard (1...16).contains(count) else { return nil }
        var number = 0
        for index in indices {
            let digit = self[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }
}

extension UInt8 {
    /// tchar (RFC 9110 §5.6.2) but for upper-case letters.
    fileprivate var isLowercaseTokenCharacter: Bool {
        // One bit for each of the 128 ASCII characters.
        let bits: UInt64 = self < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C000_0000
        return self < 128 && bits &>> UInt64(self & 63) & 1 == 1
    }
}
