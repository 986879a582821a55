/// RFC 3986's character classes and percent-encoding, over single bytes.

/// The bytes of a segment with every escape decoded once; nil where an escape is broken.
///
/// A segment of a canonical path holds no escaped escape, so once is all.
package func percentDecodedSegment(_ segment: Span<UInt8>) -> [UInt8]? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(segment.count)
    var index = 0
    while index < segment.count {
        if segment[index] != UInt8(ascii: "%") {
            decoded.append(segment[index])
            index += 1
        } else {
            guard let byte = escapedByte(segment, at: index) else { return nil }
            decoded.append(byte)
            index += 3
        }
    }
    return decoded
}

/// The byte that the escape at `index` stands for; nil where there is no complete escape.
@inline(__always)
func escapedByte(_ text: Span<UInt8>, at index: Int) -> UInt8? {
    guard index + 2 < text.count, text[index] == UInt8(ascii: "%"),
        let high = hexDigit(text[index + 1]), let low = hexDigit(text[index + 2])
    else { return nil }
    return high << 4 | low
}

/// RFC 3986 §2.3: the characters whose escapes mean the same as themselves.
@inline(__always)
func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        true
    default: false
    }
}

/// RFC 3986 §3.3 pchar without `%` and without `;`, which some servers take for the start of parameters.
@inline(__always)
func isPathCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&")...UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "="),
        UInt8(ascii: "@"):
        true
    default: isUnreserved(byte)
    }
}

/// `A`–`Z` in lower case, every other byte as it is.
@inline(__always)
func lowercased(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}
