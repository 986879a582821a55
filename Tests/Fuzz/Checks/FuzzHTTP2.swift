import HTTP2
import HTTPWire
import NIOCore

/// A client's frames mean the same however they arrive, and what passes as a request's head is one head and nothing else.
func fuzzHTTP2(_ bytes: [UInt8]) throws(Broken) {
    // Behind a GOAWAY libnghttp2 reads to the end of what it was given, and no further.
    guard !saysGoodbye(bytes) else { return }
    let whole = try heard(bytes, by: .max / 2)
    let again = try heard(bytes, by: 1)
    try hold(whole == again, "cuts don't change what a client says")
    for request in whole.requests where request.fault == nil { try checkRequest(request.head) }
    for section in whole.requests.compactMap(\.trailers) {
        try hold(Array(section.prefix(3)) == [0x30, 0x0D, 0x0A] && section.suffix(2) == [0x0D, 0x0A], "trailers are the end of a body")
        try checkLines(section)
    }
}

private func saysGoodbye(_ bytes: [UInt8]) -> Bool {
    var start = 0
    while start + 9 <= bytes.count {
        if bytes[start + 3] == 7 { return true }
        start += 9 + (Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2]))
    }
    return false
}

private struct Heard: Equatable {
    struct Request: Equatable {
        let id: Int32
        var head: [UInt8]
        var fault: HTTP2Fault?
        var body: [UInt8] = []
        var trailers: [UInt8]?
        var isWhole = false
    }

    var requests: [Request] = []
    var isBroken = false
}

/// Gives the bytes to a session in pieces of `size`, takes what comes, and answers each request as soon as it is there.
private func heard(_ bytes: [UInt8], by size: Int) throws(Broken) -> Heard {
    let scratch = HTTP2Scratch()
    guard let session = HTTP2Session(headLimit: 32 * 1024, scratch: scratch) else { throw Broken("no session") }
    var heard = Heard()
    let all = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0] + bytes
    var sent = 0
    while sent < all.count, !heard.isBroken {
        let end = min(sent + size, all.count)
        heard.isBroken = !session.receive(ByteBuffer(bytes: all[sent..<end]), now: 0)
        sent = end
        note(scratch, session, &heard)
    }
    // Frames that say how windows stand may differ; that they can be made, not.
    while !heard.isBroken, session.send(now: 0), scratch.output.readableBytes > 0 {}
    heard.isBroken = false
    return heard
}

private func note(_ scratch: HTTP2Scratch, _ session: HTTP2Session, _ heard: inout Heard) {
    for event in scratch.events {
        switch event {
        case .request(let stream):
            heard.requests.append(Heard.Request(id: stream.id, head: Array(stream.head.readableBytesView), fault: stream.fault))
        case .body(let stream):
            let piece = session.take(stream).map { Array($0.readableBytesView) } ?? []
            guard let index = heard.requests.firstIndex(where: { $0.id == stream.id }) else { continue }
            heard.requests[index].body += piece
            heard.requests[index].fault = stream.fault
            // How much of it came before it went wrong depends on the cuts.
            if stream.fault != nil { heard.requests[index].body = [] }
            heard.requests[index].isWhole = stream.isBodyWhole
            heard.requests[index].trailers = stream.fault == nil ? stream.trailers.map { Array($0.readableBytesView) } : nil
        case .room, .sent, .closed: break
        }
    }
    scratch.events = []
}

/// The parser either refuses it or takes all of it.
private func checkRequest(_ bytes: [UInt8]) throws(Broken) {
    try checkLines(bytes)
    var input = ByteBuffer(bytes: bytes)
    var head = RequestHead()
    var parser = RequestParser(limits: WireLimits())
    switch parser.parse(&input, into: &head) {
    case .needMore: throw Broken("a head is whole")
    case .failed: break
    case .complete:
        try hold(input.readableBytes == 0, "nothing is behind a head")
        try hold(!head.keepAlive || head.message.first(.connection) == nil, "a stream says nothing of connections")
    }
}

/// One empty line, at the end, and no line end that isn't one.
private func checkLines(_ bytes: [UInt8]) throws(Broken) {
    try hold(bytes.filter { $0 == 0x0D }.count == bytes.filter { $0 == 0x0A }.count, "CR and LF come together")
    try hold(!bytes.contains(0), "no NUL")
    let ends = bytes.indices.filter { bytes[$0...].prefix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) }
    try hold(ends == [bytes.count - 4] || bytes == [0x30, 0x0D, 0x0A, 0x0D, 0x0A], "one empty line, at the end")
}
