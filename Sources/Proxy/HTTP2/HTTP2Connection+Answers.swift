import HTTP2
import HTTPWire
import NIOCore

// An answer's way to its stream.
extension HTTP2Connection {
    /// Begins the upstream's own answer, whose pieces follow.
    func begin(_ stream: HTTP2Stream, _ head: borrowing ResponseHead, id: RequestID, cors: CORSFields, isBodiless: Bool) {
        let hasBody = !isBodiless && head.framing.hasBody
        stream.isServiced = true
        guard cors.isAbsent else {
            let bytes = ResponseRewriter.answer(head, Exchange.Message(), id: id, cors: cors, room: 0)
            if let composed = composed(bytes) {
                session.answer(stream, composed.head, adding: nil, hasBody: hasBody) { !$0.isHopByHop }
            } else {
                session.reset(stream, .internalError)
            }
            return scheduleFlush()
        }
        let passes = ResponseRewriter.passes(head)
        var value = ByteBufferAllocator().buffer(capacity: id.count)
        value.compose(atMost: id.count) { $0.put(id) }
        session.answer(
            stream, head, adding: ("x-request-id", value), hasBody: hasBody, keeping: passes.picks)
        scheduleFlush()
    }

    func add(_ piece: ByteBuffer, to stream: HTTP2Stream) {
        session.add(piece, to: stream)
        scheduleFlush()
    }

    /// Ends the answer. True where it has been sent already.
    func end(_ stream: HTTP2Stream, trailers: MessageHead?) -> Bool {
        session.end(stream, trailers: trailers)
        scheduleFlush()
        return stream.isSent
    }

    func interim(_ stream: HTTP2Stream, _ head: borrowing ResponseHead) {
        session.interim(stream, head, keeping: ResponseRewriter.passes(head).picks)
        scheduleFlush()
    }

    /// Sends a whole answer that was made here as HTTP/1.1 has it.
    func answer(_ stream: HTTP2Stream, whole bytes: ByteBuffer) {
        guard let composed = composed(bytes) else { return session.reset(stream, .internalError) }
        if composed.head.isInterim {
            session.interim(stream, composed.head, keeping: { !$0.isHopByHop })
        } else {
            session.answer(stream, composed.head, adding: nil, hasBody: composed.rest.readableBytes > 0, keeping: { !$0.isHopByHop })
            session.add(composed.rest, to: stream)
            session.end(stream, trailers: nil)
        }
        scheduleFlush()
    }

    /// A head that was made here, and what follows it.
    private struct Composed: ~Copyable {
        var head = ResponseHead()
        var rest: ByteBuffer
    }

    private func composed(_ bytes: ByteBuffer) -> Composed? {
        var composed = Composed(rest: bytes)
        // A service's answer may have had as many fields as may be, before those of CORS.
        var parser = ResponseParser(limits: WireLimits(head: bytes.readableBytes + 1, fieldCount: .max))
        guard case .complete = parser.parse(&composed.rest, into: &composed.head, answering: .get) else { return nil }
        return composed
    }

    /// Whether the client has taken bytes of the stream's answer since this was last asked.
    func hasTakenBytes(_ stream: HTTP2Stream) -> Bool {
        defer { stream.sentBefore = stream.sentBytes }
        return stream.sentBytes != stream.sentBefore
    }

    /// The exchange has answered whole: what is still to be sent the stream does by itself.
    func exchangeEnded(_ stream: HTTP2Stream) {
        _ = end(stream)
        stream.progressed = worker.clock.now
        session.dropInput(of: stream)
        if session.wantsToSend { scheduleFlush() }
    }

    /// The answer can't be finished.
    func abort(_ stream: HTTP2Stream, _ cause: ExchangeClient.Cause) {
        _ = end(stream)
        let code: HTTP2Code =
            switch cause {
            case _ where stream.fault == .malformed: .protocolError
            case .withdrawn: .cancel
            case .broken: .internalError
            }
        session.reset(stream, code)
        scheduleFlush()
    }
}
