import NIOCore
import TLS

// Between the connection and its socket: TLS, or nothing.
extension ClientConnection {
    /// Adds to what the next `flushAnswer` sends.
    func write(_ bytes: ByteBuffer) { write(bytes, through: tls, worker.records) }

    /// Sends what was written.
    func flushAnswer() { flush(through: tls, worker.records) }

    /// Decrypts what has come, and takes it.
    func received(_ bytes: UnsafeRawBufferPointer) {
        var plaintext = ByteBuffer()
        swap(&plaintext, &worker.plaintext)
        plaintext.clear()
        guard let tls else {
            unsafe plaintext.writeBytes(bytes)
            worker.plaintext = plaintext
            return take()
        }
        let news = unsafe tls.receive(bytes, into: &plaintext, isWritable: isWritable)
        swap(&plaintext, &worker.plaintext)
        send(worker.records)
        if let completed = news.completed {
            worker.metrics.shookHands(completed)
            peer.client = ClientIdentity(completed, in: tls.context)
            if completed.applicationProtocol == "h2" { beginStreams() } else { awaitRequest() }
        }
        if worker.plaintext.readableBytes > 0 { take() }
        if let error = news.error {
            handshakeFailed(HandshakeFailure(error))
            return close()
        }
        if news.closed { inputClosed() }
    }

    /// The client has chosen HTTP/2. Its first bytes have as long to come as a request's head.
    private func beginStreams() {
        http2 = HTTP2Connection(self)
        guard http2 != nil else { return abort() }
        phase = .streams
        if isEnding { drain() }
        deadline = worker.clock.now + worker.snapshot.limits.head * 1_000_000
    }

    /// TCP's stream from the client has ended.
    func streamEnded() {
        switch tls?.streamEnded() {
        case nil: inputClosed()
        case .expected: break
        case .unused:
            phase = .closed
            close()
        case .failure(let error):
            handshakeFailed(HandshakeFailure(error))
            close()
        }
    }

    /// Counts a handshake that will not be finished any more; without effect after one that was.
    func handshakeFailed(_ failure: HandshakeFailure) {
        guard case .opening = phase else { return }
        phase = .closed
        worker.metrics.failedHandshake(failure)
    }
}
