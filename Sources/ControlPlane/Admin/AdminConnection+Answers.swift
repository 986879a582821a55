import HTTPWire
import NIOCore
import Policy

/// What goes to the client: whole answers, and long ones piece by piece.
extension AdminConnection {
    /// Fields of every answer: nothing is kept, framed, sniffed or run but the page's own files.
    private static let always: [(StaticString, StaticString)] = [
        ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ]
    /// Milliseconds after which a stream that had nothing is asked again: how late the log's followers may be.
    private static let pause: Int64 = 100
    /// Seconds after which a stream that has nothing shows that it is there, and finds out whether its client is.
    private static let heartbeat: Int64 = 15

    func send(_ answer: AdminAnswer, isLast mustEnd: Bool = false) {
        guard let context else { return }
        hasAnswered = true
        let isHead = current?.isHead ?? false
        let isLast = mustEnd || !(current?.keepAlive ?? false)
        room.counts.note(endpoint?.path ?? "-", answer.status)
        var out = ByteBuffer()
        out.writeStatusLine(answer.status)
        out.writeString("Content-Type: \(answer.contentType)\r\nX-Request-ID: \(String(decoding: requestID, as: UTF8.self))\r\n")
        for (name, value) in Self.always { out.writeField(name, value) }
        for (name, value) in answer.fields { out.writeString("\(name): \(value)\r\n") }
        if isLast { out.writeField("Connection", "close") }
        switch answer.body {
        case .whole(let bytes):
            out.writeField("Content-Length", bytes.count)
            out.writeStaticString("\r\n")
            if !isHead { out.writeBytes(bytes) }
            setDeadline(in: Limits.adminIdleSeconds)
            write(out, context) { $0.answered(isLast: isLast) }
        case .stream(let stream):
            if stream.follows, !isHead {
                connections.followers += 1
                isFollowing = true
            }
            out.writeStaticString("Transfer-Encoding: chunked\r\n\r\n")
            setDeadline(in: Limits.adminIdleSeconds)
            write(out, context) { connection in
                if isHead { connection.answered(isLast: isLast) } else { connection.pump(stream, isLast: isLast, quietSince: .now()) }
            }
        }
    }

    /// Calls `then` when the kernel has taken the bytes.
    private func write(_ bytes: ByteBuffer, _ context: ChannelHandlerContext, then: @escaping (AdminConnection) -> Void) {
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenSuccess { [self] in then(self) }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: written)
    }

    /// Asks for the next piece once the client has taken the one before.
    private func pump(_ stream: AdminStream, isLast: Bool, quietSince: NIODeadline) {
        guard let loop = context?.eventLoop else { return }
        setDeadline(in: Limits.adminIdleSeconds)
        turn += 1
        let bound = NIOLoopBound((self, turn), eventLoop: loop)
        stream.next { piece in
            loop.execute {
                let (connection, turn) = bound.value
                if connection.turn == turn { connection.took(piece, stream, isLast, quietSince) }
            }
        }
    }

    private func took(_ piece: AdminStream.Piece, _ stream: AdminStream, _ isLast: Bool, _ quietSince: NIODeadline) {
        guard let context else { return }
        guard let token, room.gate.knows(token) else { return close() }
        switch piece {
        case .bytes(let bytes): sendChunk(bytes, context) { $0.pump(stream, isLast: isLast, quietSince: .now()) }
        case .nothingYet:
            if NIODeadline.now() - quietSince >= .seconds(Self.heartbeat) {
                return sendChunk([UInt8(ascii: "\n")], context) { $0.pump(stream, isLast: isLast, quietSince: .now()) }
            }
            let turn = turn
            context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Self.pause)) { [weak self] in
                guard let self, self.turn == turn else { return }
                pump(stream, isLast: isLast, quietSince: quietSince)
            }
        case .end:
            write(ByteBuffer(string: "0\r\n\r\n"), context) { $0.answered(isLast: isLast) }
        case .broken: close()
        }
    }

    private func sendChunk(_ bytes: [UInt8], _ context: ChannelHandlerContext, then: @escaping (AdminConnection) -> Void) {
        guard !bytes.isEmpty else { return then(self) }
        var out = ByteBuffer()
        out.writeHex(bytes.count)
        out.writeStaticString("\r\n")
        out.writeBytes(bytes)
        out.writeStaticString("\r\n")
        write(out, context, then: then)
    }
}
