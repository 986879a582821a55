import HTTPWire
import NIOCore
import TLS

// Between the connection and its socket: TLS, or nothing.
extension UpstreamConnection {
    /// Adds to what the next `flushRequest` sends.
    func write(_ bytes: ByteBuffer) { write(bytes, through: tls, worker.records) }

    /// Sends what was written.
    func flushRequest() { flush(through: tls, worker.records) }

    /// Begins the handshake, of whose end `opening` is told.
    func shakeHands(for opening: UpstreamOpening) {
        guard let tls else { return }
        self.opening = opening
        let news = tls.begin()
        send(worker.records)
        if let error = news.error { fail(tls: error) }
    }

    /// Reads from the socket and takes what it decrypts to.
    func readRecords(_ tls: TLSConnection) {
        let memory = unsafe loop.received
        switch unsafe receive(into: UnsafeMutableRawBufferPointer(rebasing: memory[..<min(memory.count, readBound)])) {
        case .none: return
        case .failure: brokeOff()
        case .end: if case .failure(let error) = tls.streamEnded() { fail(tls: error) } else { inputClosed() }
        case .bytes(let count):
            let received = unsafe UnsafeRawBufferPointer(rebasing: loop.received[..<count])
            let news = unsafe tls.receive(received, into: &worker.answer, isWritable: isWritable)
            send(worker.records)
            isLast = isLast || news.closed || news.error != nil
            if let completed = news.completed {
                // Nobody has asked yet: it would be taken for the answer to whatever comes first.
                guard worker.answer.readableBytes == 0 else { return fail(tls: .protocolViolation("data before the first request")) }
                handshakeDone(completed)
            } else if worker.answer.readableBytes > 0 {
                took()
            }
            if let error = news.error { fail(tls: error) } else if news.closed { inputClosed() }
        }
    }

    /// A connection that nobody needs ends, and in TLS the server is told.
    func end() {
        tls?.close(all: true)
        send(worker.records)
        close()
    }

    private func handshakeDone(_ completed: TLSHandshakeCompleted) {
        guard let opening else { return }
        self.opening = nil
        opening.handshakeDone(self, completed)
    }

    /// TLS has failed: in the handshake, which whoever opens the connection is told, or later.
    private func fail(tls error: TLSError) {
        if let opening {
            self.opening = nil
            close()
            return opening.failed(.tls(error))
        }
        let isViolation =
            switch error {
            case .truncated, .peerAlert: false
            default: true
            }
        // Servers that just close an idle connection are no news.
        if isBusy || isViolation { pool.tlsBroke(server, error) }
        _ = fail(isViolation ? .malformed : .closed)
    }

    private func brokeOff() {
        if opening != nil { fail(tls: .handshakeInterrupted) } else { _ = fail(.closed) }
    }
}
