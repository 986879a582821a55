@testable import HTTPWire

/// A reader as they are found behind gateways: sloppy in some of the ways that request smuggling lives from.
///
/// Whatever our parser lets pass, all of these must delimit like it does.
struct LenientReader: Sendable, CustomStringConvertible {
    /// Bytes that end a line, CRLF apart.
    var lineEnds: Set<UInt8> = []
    /// Spaces, controls and bytes beyond ASCII around names and values don't count.
    var trimsWidely = false
    /// Whatever is neither letter nor digit in a name is `-`.
    var foldsSeparators = false
    /// A line that starts with a blank continues the one before.
    var unfolds = false
    /// The first of several lengths counts, not the last.
    var takesFirst = false
    /// Any coding that has the word in it is `chunked`.
    var findsWord = false

    static let all: [Self] = (0..<64).map { bits in
        Self(
            lineEnds: bits & 1 != 0 ? [0x0A, 0x0D, 0x0B, 0x0C, 0x00] : [0x0A], trimsWidely: bits & 2 != 0,
            foldsSeparators: bits & 4 != 0, unfolds: bits & 8 != 0, takesFirst: bits & 16 != 0, findsWord: bits & 32 != 0)
    }

    var description: String {
        "lineEnds \(lineEnds) wide \(trimsWidely) folds \(foldsSeparators) unfolds \(unfolds) first \(takesFirst) word \(findsWord)"
    }

    func framing(of head: [UInt8]) -> BodyFraming {
        var lengths: [Int] = []
        var isChunked = false
        for line in lines(of: head).dropFirst() {
            guard let colon = line.firstIndex(of: 0x3A) else { continue }
            switch name(line[..<colon]) {
            case "content-length": lengths.append(leadingNumber(trimmed(line[(colon + 1)...])))
            case "transfer-encoding": isChunked = isChunked || says(chunked: line[(colon + 1)...])
            default: continue
            }
        }
        if isChunked { return .chunked }
        return (takesFirst ? lengths.first : lengths.last).map(BodyFraming.length) ?? .none
    }

    private func lines(of head: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = [[]]
        for (index, byte) in head.enumerated() {
            if byte == 0x0D, index + 1 < head.count, head[index + 1] == 0x0A { continue }
            if lineEnds.contains(byte) { lines.append([]) } else { lines[lines.count - 1].append(byte) }
        }
        guard unfolds else { return lines }
        return lines.reduce(into: []) { joined, line in
            if let first = line.first, first == 0x20 || first == 0x09, !joined.isEmpty {
                joined[joined.count - 1] += line
            } else {
                joined.append(line)
            }
        }
    }

    private func name(_ bytes: ArraySlice<UInt8>) -> String {
        let folded = trimmed(bytes).map { foldsSeparators && !$0.isLetter && !$0.isDigit ? 0x2D : $0.lowercased }
        return String(decoding: folded, as: UTF8.self)
    }

    private func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { trimsWidely ? byte <= 0x20 || byte >= 0x7F : byte == 0x20 || byte == 0x09 }
        var rest = bytes
        while let first = rest.first, isSpace(first) { rest.removeFirst() }
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return rest
    }

    private func says(chunked value: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: trimmed(value).map(\.lowercased), as: UTF8.self)
        return findsWord ? text.contains("chunk") : text == "chunked"
    }

    /// As C's `atoi` does it.
    private func leadingNumber(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.prefix(while: \.isDigit).prefix(18).reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
