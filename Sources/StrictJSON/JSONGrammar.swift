// The parts of the grammar (RFC 8259) that need no memory: where they end, or why they don't.

/// The first byte from `index` on that is not one of JSON's four kinds of whitespace.
func endOfWhitespace(_ bytes: Span<UInt8>, from index: Int) -> Int {
    var index = index
    while index < bytes.count {
        let byte = bytes[index]
        guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { break }
        index += 1
    }
    return index
}

/// The first byte from `index` on that is not plain text in a string: a quote, a backslash, a control or the end; from the last
/// eight bytes of the document on, and beyond ASCII, it may stop earlier.
@inline(__always)
func endOfPlainText(_ bytes: Span<UInt8>, from index: Int) -> Int {
    var index = index
    while let word = EightBytes(bytes, at: index) {
        let count = word.plainPrefix
        index += count
        if count < 8 { break }
    }
    return index
}

/// The byte behind a number: `-? (0|[1-9][0-9]*) (.[0-9]+)? ([eE][+-]?[0-9]+)?`
func endOfNumber(_ bytes: Span<UInt8>, from start: Int) throws(JSONError) -> Int {
    var index = start
    if bytes[index] == UInt8(ascii: "-") { index += 1 }
    if index < bytes.count, bytes[index] == UInt8(ascii: "0") {
        index += 1
        if index < bytes.count, isDigit(bytes[index]) { throw JSONError(.invalidNumber, at: index) }
    } else {
        index = try endOfDigits(bytes, from: index)
    }
    if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
        index = try endOfDigits(bytes, from: index + 1)
    }
    if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
        index += 1
        if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index += 1 }
        index = try endOfDigits(bytes, from: index)
    }
    return index
}

/// The byte behind one or more digits.
private func endOfDigits(_ bytes: Span<UInt8>, from start: Int) throws(JSONError) -> Int {
    var index = start
    while index < bytes.count, isDigit(bytes[index]) { index += 1 }
    guard index > start else { throw JSONError(index < bytes.count ? .invalidNumber : .unexpectedEnd, at: index) }
    return index
}

private func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

/// The byte behind the escape whose backslash is at `start`. Surrogates must come as a pair; NUL is refused.
func endOfEscape(_ bytes: Span<UInt8>, from start: Int) throws(JSONError) -> Int {
    guard start + 1 < bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
    switch bytes[start + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
        UInt8(ascii: "r"), UInt8(ascii: "t"):
        return start + 2
    case UInt8(ascii: "u"): break
    default: throw JSONError(.invalidEscape, at: start)
    }
    guard let unit = hexUnit(bytes, at: start + 2) else { throw JSONError(.invalidEscape, at: start) }
    switch unit {
    case 0: throw JSONError(.nul, at: start)
    case 0xDC00...0xDFFF: throw JSONError(.loneSurrogate, at: start)
    case 0xD800...0xDBFF: break
    default: return start + 6
    }
    guard bytes.count - start >= 12, bytes[start + 6] == UInt8(ascii: "\\"), bytes[start + 7] == UInt8(ascii: "u"),
        let low = hexUnit(bytes, at: start + 8), 0xDC00...0xDFFF ~= low
    else { throw JSONError(.loneSurrogate, at: start) }
    return start + 12
}
