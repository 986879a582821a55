/// The character classes of RFC 9110 §5.6 and RFC 3986, as questions to a byte.
extension UInt8 {
    static var tab: UInt8 { 0x09 }
    static var lf: UInt8 { 0x0A }
    static var cr: UInt8 { 0x0D }
    static var space: UInt8 { 0x20 }

    /// C0 controls and DEL.
    @inline(__always)
    var isControl: Bool { self < 0x20 || self == 0x7F }

    /// OWS and BWS: space or tab.
    @inline(__always)
    package var isBlank: Bool { self == .space || self == .tab }

    @inline(__always)
    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

    @inline(__always)
    var isLetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }

    /// tchar: what names, methods and connection options are made of.
    @inline(__always)
    var isTokenCharacter: Bool {
        // One bit for each of the 128 ASCII characters: letters, digits and !#$%&'*+-.^_`|~
        let bits: UInt64 = self < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return self < 128 && bits &>> UInt64(self) & 1 == 1
    }

    /// ASCII upper case folded to lower case; everything else as it is.
    @inline(__always)
    package var lowercased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }
}

extension Span where Element == UInt8 {
    /// Whether the bytes in `range` are a token: at least one character, all of them tchar.
    package func isToken(_ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound, self[index].isTokenCharacter { index += 1 }
        return index == range.upperBound && !range.isEmpty
    }

    /// `range` without the spaces and tabs at its ends.
    @inline(__always)
    package func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, self[start].isBlank { start += 1 }
        while end > start, self[end - 1].isBlank { end -= 1 }
        return start..<end
    }

    /// Whether the bytes in `range` are `lowercase` (which has no upper-case letter), in any ASCII case.
    package func equalsIgnoringCase(_ range: Range<Int>, _ lowercase: StaticString) -> Bool {
        guard range.count == lowercase.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count {
            // unsafe: the pointer to a literal's bytes is valid for ever and `offset` is below its count.
            guard unsafe self[range.lowerBound + offset].lowercased == lowercase.utf8Start[offset] else { return false }
        }
        return true
    }

    /// Whether two ranges hold the same bytes, ASCII case apart.
    func equalsIgnoringCase(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count else { return false }
        for offset in 0..<left.count
        where self[left.lowerBound + offset].lowercased != self[right.lowerBound + offset].lowercased { return false }
        return true
    }
}
