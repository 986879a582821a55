/// The length of the well-formed UTF-8 sequence that starts at `index` (RFC 3629 §4: nothing overlong, no surrogate, at most
/// U+10FFFF); 0 where there is none.
func utf8SequenceLength(_ bytes: Span<UInt8>, at index: Int) -> Int {
    let lead = bytes[index]
    if lead < 0x80 { return 1 }
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return 0
    }
    guard bytes.count - index >= length, second.contains(bytes[index + 1]) else { return 0 }
    for follower in (index + 2)..<max(index + length, index + 2) where bytes[follower] & 0xC0 != 0x80 { return 0 }
    return length
}

/// Appends a scalar value as UTF-8. `scalar` must not be a surrogate.
func appendUTF8(_ scalar: UInt32, to out: inout [UInt8]) {
    var packed = packedUTF8(scalar)
    repeat {
        out.append(UInt8(truncatingIfNeeded: packed))
        packed >>= 8
    } while packed != 0
}

/// The UTF-8 bytes of a scalar value, first byte lowest. Zero bytes above it are padding.
func packedUTF8(_ scalar: UInt32) -> UInt32 {
    switch scalar {
    case 0..<0x80:
        return scalar
    case 0x80..<0x800:
        return (0xC0 | scalar >> 6) | (0x80 | scalar & 0x3F) << 8
    case 0x800..<0x1_0000:
        return (0xE0 | scalar >> 12) | (0x80 | scalar >> 6 & 0x3F) << 8 | (0x80 | scalar & 0x3F) << 16
    default:
        let low = (0x80 | scalar >> 6 & 0x3F) << 16 | (0x80 | scalar & 0x3F) << 24
        return (0xF0 | scalar >> 18) | (0x80 | scalar >> 12 & 0x3F) << 8 | low
    }
}
