import Foundation
import TestSupport

/// An isolation test's request as an HTTP/2 client would send it: names in lower case, framing by DATA; everything else as it stands.
struct IsolationStream {
    private var fields: [HTTP2Field]
    private var body: [UInt8] = []
    private var trailers: [HTTP2Field] = []

    init(_ sent: IsolationCase) {
        let end = sent.text.range(of: "\r\n\r\n")
        var lines: [String] = []
        for line in sent.text[..<(end?.lowerBound ?? sent.text.endIndex)].components(separatedBy: "\r\n") {
            // A folded line is one value with a line end in it.
            if line.hasPrefix(" "), let last = lines.popLast() { lines.append(last + "\r\n" + line) } else { lines.append(line) }
        }
        let words = lines[0].split(separator: " ", maxSplits: 1)
        let target = words[1].dropLast(" HTTP/1.1".count)
        fields = GoodStream.pseudo(String(words[0]), String(target))
        var isChunked = false
        for line in lines.dropFirst(2) {
            let field = Self.field(line)
            if field.name == Array("transfer-encoding".utf8) { isChunked = true } else { fields.append(field) }
        }
        let rest = end.map { String(sent.text[$0.upperBound...]) } ?? ""
        if isChunked { readChunks(rest) } else { body = Array(rest.utf8) }
    }

    /// A field line without the blanks around its value, unless it is there for them.
    private static func field(_ line: String) -> HTTP2Field {
        let colon = line.firstIndex(of: ":") ?? line.endIndex
        return HTTP2Field(line[..<colon].lowercased(), line[colon...].dropFirst().trimmingCharacters(in: .whitespaces))
    }

    private mutating func readChunks(_ text: String) {
        let lines = text.components(separatedBy: "\r\n")
        guard lines.count > 2 else { return }
        body = Array(lines[1].utf8)
        trailers = lines.dropFirst(3).filter { !$0.isEmpty }.map(Self.field)
    }

    func begin(on client: HTTP2Client) throws -> UInt32 {
        let id = try client.begin(fields, end: body.isEmpty)
        if !body.isEmpty { try client.send(.data(id, body, end: trailers.isEmpty)) }
        if !trailers.isEmpty { try client.send(.headers(id, trailers)) }
        return id
    }
}
