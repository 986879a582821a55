import HTTPWire
import NIOCore
import Policy

// The answer's way to the client.
extension Exchange {
    /// How far the answer has come.
    struct AnswerState {
        var isBegun = false
        var isChunked = false
        /// No body goes to the client: HEAD, 204, 304.
        var isBodiless = false
        /// The client's connection closes after it.
        var isLast = false
        /// What waits to be encrypted together: the head and the first bytes of the body.
        var pending = ByteBuffer()
    }

    /// Bytes up to which pieces are joined, so that a small answer is one TLS record and small chunks are one write.
    static let joinBound = 8 * 1024

    /// Bytes of a body that will be joined to its head.
    private static func joinBound(_ framing: BodyFraming) -> Int {
        if case .length(let length) = framing, length <= joinBound { length } else { 0 }
    }

    /// A 1xx answer (RFC 9110 §15.2). 100 goes on only where it was asked for.
    func interim(_ head: borrowing ResponseHead) {
        progressed = worker.clock.now
        guard suspendCall == nil, !answer.isBegun, head.status != 100 || request.expectsContinue else { return }
        client?.write(ResponseRewriter.interim(head))
        client?.flushAnswer()
    }

    func answerBegan(_ head: borrowing ResponseHead) {
        worker.clock.read()
        progressed = worker.clock.now
        record.answered = progressed
        record.status = head.status
        if let suspendCall { return suspendCall.answerBegan(head) }
        observer?.answerBegan(head)
        answer.isBegun = true
        answer.isBodiless = request.method == .head || head.status == 204 || head.status == 304
        answer.isLast = request.isLast || !request.isComplete || worker.isDraining
        if case .length = head.framing {} else { answer.isChunked = !answer.isBodiless }
        answer.pending = ResponseRewriter.answer(head, answer, id: record.id, room: Self.joinBound(head.framing))
        self.head = ByteBuffer()
    }

    func answerData(_ piece: ByteBuffer) {
        progressed = worker.clock.now
        if let suspendCall { return suspendCall.answerData(piece) }
        observer?.answerData(piece)
        record.bytesOut += piece.readableBytes
        if answer.isChunked { ChunkEncoder.writeSize(piece.readableBytes, into: &answer.pending) }
        if answer.pending.readableBytes + piece.readableBytes <= Self.joinBound {
            answer.pending.writeImmutableBuffer(piece)
        } else {
            writePending()
            client?.write(piece)
        }
        if answer.isChunked { ChunkEncoder.writeEnd(into: &answer.pending) }
    }

    /// No more bytes for now: what there is goes out.
    func answerPaused() {
        guard !isEnded, answer.isBegun else { return }
        writePending()
        client?.flushAnswer()
        if client?.isWritable == false { upstream?.setReading(false) }
    }

    func answerEnded(trailers: MessageHead?) {
        upstream = nil
        guard !isEnded else { return }
        if let suspendCall { return suspendCall.answerEnded() }
        if answer.isChunked { writeLast(trailers, into: &answer.pending) }
        writePending()
        client?.flushAnswer()
        observer?.answerEnded(
            suspensions: snapshot.suspensions, requestID: record.id, age: .nanoseconds(worker.clock.now - record.forwarded))
        complete(keepAlive: !answer.isLast && request.isComplete)
    }

    func answerFailed(_ failure: UpstreamFailure, wasReused: Bool) {
        upstream = nil
        guard !isEnded else { return }
        worker.clock.read()
        if let suspendCall { return suspendCall.answerFailed(failure) }
        if answer.isBegun { return upstreamBrokeOff() }
        if failure == .closed && wasReused && request.isRepeatable {
            request.isRetried = true
            return lease()
        }
        refuse(failure == .malformed ? .upstreamProtocolError : .upstreamUnavailable)
    }

    /// The client's connection takes more, or no more for now.
    func clientWritabilityChanged(_ writable: Bool) {
        guard !isEnded, suspendCall == nil else { return }
        if writable { progressed = worker.clock.now }
        upstream?.setReading(writable)
    }

    private func writePending() {
        guard answer.pending.readableBytes > 0 else { return }
        client?.write(answer.pending)
        answer.pending = ByteBuffer()
    }
}

// A suspend call's answer.
extension Exchange {
    /// Sends a held answer whole.
    func answerWhole(_ held: HeldAnswer, reach: StaticString?) {
        guard !isEnded else { return }
        let isLast = request.isLast || worker.isDraining
        record.status = held.status
        record.bytesOut = held.body.readableBytes
        client?.write(held.answer(reach: reach, closing: isLast))
        client?.flushAnswer()
        complete(keepAlive: !isLast)
    }
}
