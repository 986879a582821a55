import HTTP2
import HTTPWire
import NIOCore
import Policy

// The answer's way to the client.
extension Exchange {
    /// How far the answer has come.
    struct AnswerState {
        var isBegun = false
        /// No body goes to the client: HEAD, 204, 304.
        var isBodiless = false
        /// The upstream has given it whole; the client is still to take it.
        var isWhole = false
        /// How fast the client takes it, while that holds up the service.
        var pace: BodyPace?
    }

    /// A 1xx answer (RFC 9110 §15.2). 100 goes on only where it was asked for.
    func interim(_ head: borrowing ResponseHead) {
        progressed = worker.clock.now
        guard suspendCall == nil, !answer.isBegun, head.status != 100 || request.expectsContinue else { return }
        if head.status == 100 { request.isInvited = true }
        client?.interim(head)
    }

    func answerBegan(_ head: borrowing ResponseHead) {
        worker.clock.read()
        progressed = worker.clock.now
        record.answered = progressed
        record.status = head.status
        if let suspendCall { return suspendCall.answerBegan(head) }
        if let tunnel, head.status == 101 { return tunnelAnswered(head, tunnel) }
        observer?.answerBegan(head)
        answer.isBegun = true
        answer.isBodiless = request.method == .head || head.status == 204 || head.status == 304
        switch client {
        case .connection: beginMessage(head)
        case .stream(let connection, let stream):
            connection.begin(stream, head, id: record.id, cors: admission.cors, isBodiless: answer.isBodiless)
        case nil: break
        }
        self.head = ByteBuffer()
    }

    func answerData(_ piece: ByteBuffer) {
        progressed = worker.clock.now
        if let suspendCall { return suspendCall.answerData(piece) }
        if let tunnel, tunnel.isOpen { tunnel.followServer(piece) }
        observer?.answerData(piece)
        record.bytesOut += piece.readableBytes
        switch client {
        case .connection(let connection): addToMessage(piece, connection)
        case .stream(let connection, let stream): connection.add(piece, to: stream)
        case nil: break
        }
    }

    /// Bytes of the answer that are read at a time: few where others of the client's connection wait for it to take them.
    var readBound: Int {
        if case .stream(let connection, _) = client, connection.session.isCrowded { HTTP2Limits.crowdedPiece } else { Worker.answerSize }
    }

    /// No more bytes for now: what there is goes out.
    func answerPaused() {
        guard !isEnded, answer.isBegun else { return }
        switch client {
        case .connection(let connection): flushMessage(connection)
        case .stream, nil: break
        }
        if client?.isWritable == false { upstream?.setReading(false) }
    }

    func answerEnded(trailers: MessageHead?) {
        upstream = nil
        guard !isEnded else { return }
        if let suspendCall { return suspendCall.answerEnded() }
        if let tunnel, tunnel.isOpen, !tunnel.isClosing { record.ending = .upstreamAborted }
        let isSent: Bool
        switch client {
        case .connection(let connection):
            endMessage(trailers: trailers, connection)
            isSent = true
        case .stream(let connection, let stream): isSent = connection.end(stream, trailers: trailers)
        case nil: isSent = true
        }
        observer?.answerEnded(
            suspensions: snapshot.suspensions, requestID: record.id, age: .nanoseconds(worker.clock.now - record.forwarded))
        answer.isWhole = true
        if isSent { answerSent() }
    }

    /// The client's connection has taken the whole answer. A stream's window can hold it up for long: until then it is open work.
    func answerSent() {
        guard !isEnded, answer.isWhole else { return }
        complete(keepAlive: !message.isLast && request.isComplete)
    }

    func answerFailed(_ failure: UpstreamFailure, wasReused: Bool) {
        upstream = nil
        guard !isEnded else { return }
        worker.clock.read()
        if let suspendCall { return suspendCall.answerFailed(failure) }
        if answer.isBegun { return upstreamBrokeOff() }
        if mayRepeat(after: failure, wasReused: wasReused) { return repeatOnce() }
        refuse(failure == .malformed ? .upstreamProtocolError : .upstreamUnavailable)
    }

    /// The client's connection takes more, or no more for now.
    func clientWritabilityChanged(_ writable: Bool) {
        guard !isEnded, suspendCall == nil else { return }
        if writable { progressed = worker.clock.now }
        upstream?.setReading(writable)
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
        client?.answer(whole: held.answer(reach: reach, closing: isLast))
        complete(keepAlive: !isLast)
    }
}
