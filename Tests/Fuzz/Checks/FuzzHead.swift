import HTTPWire
import NIOCore

/// A request's head is understood the same however it arrives; what passes has one line per field, one framing, and no byte between.
func fuzzRequestHead(_ bytes: [UInt8]) throws(Broken) {
    var head = RequestHead()
    let whole = parsed(bytes, by: bytes.count, &head)
    var again = RequestHead()
    try hold(parsed(bytes, by: 1, &again) == whole, "cuts don't change what a request is")
    guard whole.step == .complete else { return }
    try checkHead(head.message, framing: head.framing)
    try hold(head.framing != .untilClose, "a request's body has an end")
    try hold(head.framing == again.framing && head.keepAlive == again.keepAlive && head.fields == again.fields, "cuts don't change a field")
    try hold(head.present.contains(.host) && !head.authority.range.isEmpty, "a request has a host")
}

/// An answer's head, alike.
func fuzzAnswerHead(_ bytes: [UInt8]) throws(Broken) {
    for method in [RequestMethod.get, .head] {
        var head = ResponseHead()
        let whole = parsed(bytes, by: bytes.count, &head, method)
        var again = ResponseHead()
        try hold(parsed(bytes, by: 1, &again, method) == whole, "cuts don't change what an answer is")
        guard whole.step == .complete else { continue }
        try checkHead(head.message, framing: nil)
        try hold(
            head.framing == again.framing && head.keepAlive == again.keepAlive && head.fields == again.fields, "cuts don't change a field")
        try hold(head.framing != .untilClose || !head.keepAlive, "what ends with the connection ends the connection")
        try hold(method != .head || !head.framing.hasBody, "an answer to HEAD has no body")
    }
}

private struct Parsed: Equatable {
    var step = ParseStep.needMore
    var rest = 0
}

private func parsed(_ bytes: [UInt8], by size: Int, _ head: inout RequestHead) -> Parsed {
    var parser = RequestParser(limits: WireLimits())
    return parsed(bytes, by: size) { parser.parse(&$0, into: &head) }
}

private func parsed(_ bytes: [UInt8], by size: Int, _ head: inout ResponseHead, _ method: RequestMethod) -> Parsed {
    var parser = ResponseParser(limits: WireLimits())
    return parsed(bytes, by: size) { parser.parse(&$0, into: &head, answering: method) }
}

/// Gives `bytes` in pieces of `size` until something comes of it.
private func parsed(_ bytes: [UInt8], by size: Int, _ parse: (inout ByteBuffer) -> ParseStep) -> Parsed {
    var input = ByteBuffer()
    var sent = 0
    while sent < bytes.count {
        let end = min(sent + size, bytes.count)
        input.writeBytes(bytes[sent..<end])
        sent = end
        let step = parse(&input)
        if step == .complete { return Parsed(step: step, rest: input.readableBytes + bytes.count - sent) }
        if step != .needMore { return Parsed(step: step) }
    }
    return Parsed()
}

/// What a passed head looks like to somebody who only knows CRLF and colons.
private func checkHead(_ head: MessageHead, framing: BodyFraming?) throws(Broken) {
    let bytes = Array(head.bytes.readableBytesView)
    try hold(bytes.suffix(4) == [0x0D, 0x0A, 0x0D, 0x0A], "a head ends with an empty line")
    try hold(!bytes.contains { $0 == 0 || $0 == 0x0B || $0 == 0x0C || $0 == 0x7F }, "a head has no control characters")
    try hold(bytes.filter { $0 == 0x0D }.count == bytes.filter { $0 == 0x0A }.count, "CR and LF come together")
    var lineStart = bytes.firstIndex(of: 0x0A).map { $0 + 1 } ?? 0
    var declared: [String] = []
    for field in head.fields {
        try hold(field.line.lowerBound == lineStart && field.name.lowerBound == lineStart, "fields follow each other")
        lineStart = field.line.upperBound
        let line = bytes[field.line]
        try hold(line.firstIndex(of: 0x0A) == line.endIndex - 1 && line.dropLast().last == 0x0D, "a field is one line")
        try hold(!field.name.isEmpty && bytes[field.name.upperBound] == 0x3A, "a name ends at its colon")
        try hold(field.value.lowerBound > field.name.upperBound && field.value.upperBound <= lineStart - 2, "a value is after the colon")
        declared += framingName(bytes[field.name])
    }
    try hold(lineStart == bytes.count - 2, "nothing is between the fields and the empty line")
    try hold(declared.count <= 1, "a head has one framing")
    guard let framing else { return }
    switch framing {
    case .none, .untilClose: try hold(declared.isEmpty, "a length that was sent counts")
    case .length: try hold(declared == ["content-length"], "a length was sent")
    case .chunked: try hold(declared == ["transfer-encoding"], "a coding was sent")
    }
}

/// The name, if it could be read as one that delimits the body.
private func framingName(_ name: ArraySlice<UInt8>) -> [String] {
    let folded = String(String(decoding: name, as: UTF8.self).lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" })
    return folded == "content-length" || folded == "transfer-encoding" ? [folded] : []
}
