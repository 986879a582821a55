/// Whether a `Content-Type` promises JSON in UTF-8: `application/json`, or any type with the suffix `+json` (RFC 6839 §3.1), in any
/// case, with any parameters but a `charset` other than utf-8 or us-ascii.
///
/// A missing field is taken for JSON: RFC 9110 §8.3 lets a recipient look at the content, and what follows is strict enough to do so.
/// An empty or malformed field, or two of them, is not.
func isJSONType(_ field: [UInt8]?) -> Bool {
    guard let field else { return true }
    // Quoted parameters may hold separators; none that matters here is ever written so but for charset.
    let parts = field.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(trimmed)
    guard let type = parts.first, isJSONName(lowercased(type)) else { return false }
    for parameter in parts.dropFirst() where !parameter.isEmpty {
        let sides = parameter.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2, isToken(sides[0]) else { return false }
        guard lowercased(sides[0]) == Array("charset".utf8) else { continue }
        let charset = lowercased(unquoted(sides[1]))
        guard charset == Array("utf-8".utf8) || charset == Array("us-ascii".utf8) else { return false }
    }
    return true
}

/// Whether a `Content-Encoding` leaves the content as it is: absent, or `identity`.
func isIdentityCoding(_ field: [UInt8]?) -> Bool {
    guard let field else { return true }
    return lowercased(trimmed(field[...])) == Array("identity".utf8)
}

private func isJSONName(_ type: [UInt8]) -> Bool {
    let sides = type.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard sides.count == 2, isToken(sides[0]), isToken(sides[1]) else { return false }
    let suffix = Array("+json".utf8)
    if sides[1].count > suffix.count, Array(sides[1].suffix(suffix.count)) == suffix { return true }
    return type == Array("application/json".utf8)
}

/// One or more `tchar` (RFC 9110 §5.6.2).
private func isToken(_ bytes: ArraySlice<UInt8>) -> Bool {
    let special = "!#$%&'*+-.^_`|~".utf8
    return !bytes.isEmpty
        && bytes.allSatisfy { 48...57 ~= $0 || 65...90 ~= $0 || 97...122 ~= $0 || special.contains($0) }
}

private func unquoted(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let quote = UInt8(ascii: "\"")
    guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else { return bytes }
    return bytes.dropFirst().dropLast()
}

private func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var rest = bytes
    while let first = rest.first, first == 0x20 || first == 0x09 { rest.removeFirst() }
    while let last = rest.last, last == 0x20 || last == 0x09 { rest.removeLast() }
    return rest
}

private func lowercased(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    bytes.map { 65...90 ~= $0 ? $0 | 0x20 : $0 }
}
