/// The bytes that a validated string means, one at a time: escapes are resolved, nothing is allocated.
struct UnescapedBytes {
    private var at: Int
    private let end: Int
    /// Bytes of a resolved escape that are still to be given out, first byte lowest. A string holds no NUL, so 0 is "none".
    private var pending: UInt32 = 0

    /// `content` is the range between the quotes.
    init(_ content: Range<Int>) {
        at = content.lowerBound
        end = content.upperBound
    }

    mutating func next(_ bytes: Span<UInt8>) -> UInt8? {
        if pending == 0 {
            guard at < end else { return nil }
            let byte = bytes[at]
            at += 1
            guard byte == UInt8(ascii: "\\") else { return byte }
            pending = packedUTF8(escaped(bytes))
        }
        defer { pending >>= 8 }
        return UInt8(truncatingIfNeeded: pending)
    }

    /// The scalar of the escape whose backslash has just been read.
    private mutating func escaped(_ bytes: Span<UInt8>) -> UInt32 {
        let kind = bytes[at]
        at += 1
        switch kind {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "u"): break
        default: return UInt32(kind)
        }
        let unit = hexUnit(bytes, at: at)!
        at += 4
        guard 0xD800...0xDBFF ~= unit else { return unit }
        let low = hexUnit(bytes, at: at + 2)!
        at += 6
        return 0x1_0000 + (unit - 0xD800) << 10 + (low - 0xDC00)
    }
}

/// The value of four hex digits, either case; nil where there are none.
func hexUnit(_ bytes: Span<UInt8>, at start: Int) -> UInt32? {
    guard bytes.count - start >= 4 else { return nil }
    var unit: UInt32 = 0
    for index in start..<(start + 4) {
        let digit: UInt8
        switch bytes[index] {
        case let byte where 48...57 ~= byte: digit = byte - 48
        case let byte where 65...70 ~= byte: digit = byte - 55
        case let byte where 97...102 ~= byte: digit = byte - 87
        default: return nil
        }
        unit = unit << 4 | UInt32(digit)
    }
    return unit
}
