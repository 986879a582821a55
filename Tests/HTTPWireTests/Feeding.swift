import NIOCore

@testable import HTTPWire

/// The bytes of a text whose characters are all below U+0100: `\u{80}` is the byte 0x80.
func latin1(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8($0.value) }
}

/// What a parser made of some bytes: all that must not depend on how they were cut.
enum Outcome: Equatable, Sendable {
    case head(Reading, rest: [UInt8])
    case refused(WireError)
    case unfinished

    var error: WireError? {
        if case .refused(let error) = self { error } else { nil }
    }

    var reading: Reading? {
        if case .head(let reading, _) = self { reading } else { nil }
    }
}

/// A head, copied out.
struct Reading: Equatable, Sendable {
    struct Line: Equatable, Sendable {
        var id: FieldID
        var name: String
        var value: [UInt8]
        var isVariant: Bool
        var isHopByHop: Bool
    }

    var start: [String]
    var lines: [Line]
    var framing: BodyFraming
    var keepAlive: Bool
    var flags: [Bool] = []
}

/// Every way to cut bytes in two, and all cuts at once. Long messages are short ones with repetitions: they are cut near their ends
/// and where limits bite.
func cuttings(of bytes: [UInt8]) -> [[Int]] {
    guard bytes.count > 2000 else { return (1..<max(bytes.count, 1)).map { [$0] } + [Array(1..<max(bytes.count, 1))] }
    let places = Array(1..<40) + Array(8190..<8250) + Array(bytes.count - 40..<bytes.count)
    return places.filter { $0 < bytes.count }.map { [$0] }
}

/// Feeds `bytes` in pieces that end at `cuts`, and parses after each.
func readRequest(_ bytes: [UInt8], cuts: [Int] = [], limits: WireLimits = WireLimits()) -> Outcome {
    var parser = RequestParser(limits: limits)
    var head = RequestHead()
    return feed(bytes, cuts) { input in
        switch parser.parse(&input, into: &head) {
        case .needMore: nil
        case .failed(let error): .refused(error)
        case .complete: .head(reading(of: head), rest: Array(input.readableBytesView))
        }
    }
}

func readAnswer(
    _ bytes: [UInt8], cuts: [Int] = [], to method: RequestMethod = .get, upgradeRequested: Bool = false, limits: WireLimits = WireLimits()
) -> Outcome {
    var parser = ResponseParser(limits: limits)
    var head = ResponseHead()
    return feed(bytes, cuts) { input in
        switch parser.parse(&input, into: &head, answering: method, upgradeRequested: upgradeRequested) {
        case .needMore: nil
        case .failed(let error): .refused(error)
        case .complete: .head(reading(of: head), rest: Array(input.readableBytesView))
        }
    }
}

/// A body's data joined, its trailers' lines, and what is left.
enum BodyOutcome: Equatable, Sendable {
    case body(String, trailers: [String], rest: String)
    case refused(WireError)
    case unfinished(String)

    var error: WireError? {
        if case .refused(let error) = self { error } else { nil }
    }
}

func readBody(_ bytes: [UInt8], _ framing: BodyFraming = .chunked, cuts: [Int] = [], limits: WireLimits = WireLimits()) -> BodyOutcome {
    var decoder = BodyDecoder(framing, limits: limits)
    var data = ""
    var end: MessageHead??
    let outcome: BodyOutcome? = feedBody(bytes, cuts) { input throws(WireError) in
        while end == nil {
            switch try decoder.next(&input) {
            case .needMore: return nil
            case .data(let piece): data += String(buffer: piece)
            case .end(let trailers): end = .some(trailers)
            }
        }
        return .body(data, trailers: lines(of: end ?? nil), rest: String(buffer: input))
    }
    return outcome ?? .unfinished(data)
}

/// Up to `end` and all the rest, one after the other, at the end of one growing buffer.
private func feed(_ bytes: [UInt8], _ cuts: [Int], _ parse: (inout ByteBuffer) -> Outcome?) -> Outcome {
    var input = ByteBuffer()
    var outcome: Outcome?
    var start = 0
    for end in cuts + [bytes.count] {
        input.writeBytes(bytes[start..<end])
        start = end
        if outcome == nil { outcome = parse(&input) }
    }
    // What came after the head was complete is part of the rest.
    if case .head(let reading, _) = outcome { return .head(reading, rest: Array(input.readableBytesView)) }
    return outcome ?? .unfinished
}

private func feedBody(_ bytes: [UInt8], _ cuts: [Int], _ next: (inout ByteBuffer) throws(WireError) -> BodyOutcome?) -> BodyOutcome? {
    var input = ByteBuffer()
    var start = 0
    var outcome: BodyOutcome?
    for end in cuts + [bytes.count] {
        input.writeBytes(bytes[start..<end])
        start = end
        if outcome != nil { continue }
        do throws(WireError) {
            outcome = try next(&input)
        } catch {
            return .refused(error)
        }
    }
    if case .body(let data, let trailers, _) = outcome { return .body(data, trailers: trailers, rest: String(buffer: input)) }
    return outcome
}

private func lines(of trailers: MessageHead?) -> [String] {
    guard let trailers else { return [] }
    return trailers.fields.map { "\(text(trailers, $0.name)): \(text(trailers, $0.value))" }
}

private func text(_ head: MessageHead, _ range: Range<Int>) -> String {
    String(decoding: bytes(head, range), as: UTF8.self)
}

private func bytes(_ head: MessageHead, _ range: Range<Int>) -> [UInt8] {
    Array(head.bytes.readableBytesView[head.bytes.readerIndex + range.lowerBound..<head.bytes.readerIndex + range.upperBound])
}

private func fieldLines(_ head: MessageHead) -> [Reading.Line] {
    head.fields.map {
        Reading.Line(
            id: $0.id, name: text(head, $0.name), value: bytes(head, $0.value), isVariant: $0.isVariantSpelling,
            isHopByHop: $0.isHopByHop)
    }
}

private func reading(of head: borrowing RequestHead) -> Reading {
    let message = head.message
    var start = [head.methodRange, head.targetRange, head.pathRange, head.authority.range, head.authority.host].map { text(message, $0) }
    start.append(head.queryRange.map { "?" + text(message, $0) } ?? "")
    start.append(head.authority.port.map { "\($0)" } ?? "")
    return Reading(
        start: start, lines: fieldLines(head.message), framing: head.framing, keepAlive: head.keepAlive,
        flags: [head.expectsContinue, head.requestsUpgrade])
}

private func reading(of head: borrowing ResponseHead) -> Reading {
    Reading(
        start: ["\(head.status)", text(head.message, head.reasonRange)], lines: fieldLines(head.message), framing: head.framing,
        keepAlive: head.keepAlive, flags: [head.isInterim])
}

extension [UInt8] {
    var buffer: ByteBuffer { ByteBuffer(bytes: self) }
}
