/// One chunk-size line (RFC 9112 §7.1): `1*HEXDIG [ chunk-ext ]`.
extension Span where Element == UInt8 {
    /// The size that `line` (without its CRLF) says, at most 2^53.
    func chunkSize(_ line: Range<Int>) throws(WireError) -> Int {
        var size: UInt64 = 0
        var index = line.lowerBound
        while index < line.upperBound, let digit = self[index].hexValue {
            guard index - line.lowerBound < WireLimits.chunkSizeDigits else { throw .malformedChunkSize }
            size = size << 4 | UInt64(digit)
            index += 1
        }
        guard index > line.lowerBound, size <= UInt64(WireLimits.length) else { throw .malformedChunkSize }
        if index < line.upperBound { try checkChunkExtensions(index..<line.upperBound) }
        return Int(size)
    }

    /// `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`, whole (RFC 9112 §7.1.1).
    private func checkChunkExtensions(_ range: Range<Int>) throws(WireError) {
        var rest = range
        while !rest.isEmpty {
            rest = afterBlanks(rest)
            guard let first = rest.first, self[first] == UInt8(ascii: ";") else { throw .malformedChunkExtension }
            rest = afterBlanks(rest.dropFirst())
            rest = try afterToken(rest)
            let afterName = afterBlanks(rest)
            guard let equals = afterName.first, self[equals] == UInt8(ascii: "=") else { continue }
            rest = afterBlanks(afterName.dropFirst())
            let isQuoted = rest.first.map { self[$0] == UInt8(ascii: "\"") } ?? false
            rest = isQuoted ? try afterQuotedString(rest) : try afterToken(rest)
        }
    }

    private func afterBlanks(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        while start < range.upperBound, self[start].isBlank { start += 1 }
        return start..<range.upperBound
    }

    private func afterToken(_ range: Range<Int>) throws(WireError) -> Range<Int> {
        var start = range.lowerBound
        while start < range.upperBound, self[start].isTokenCharacter { start += 1 }
        guard start > range.lowerBound else { throw .malformedChunkExtension }
        return start..<range.upperBound
    }

    /// `range` starts with a quote; control characters other than HTAB were refused with the line.
    private func afterQuotedString(_ range: Range<Int>) throws(WireError) -> Range<Int> {
        var index = range.lowerBound + 1
        while index < range.upperBound {
            switch self[index] {
            case UInt8(ascii: "\""): return index + 1..<range.upperBound
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        throw .malformedChunkExtension
    }
}

extension UInt8 {
    /// The value of one hex digit, either case.
    fileprivate var hexValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
