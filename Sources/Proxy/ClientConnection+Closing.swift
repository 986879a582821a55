import NIOCore
import TLS

// How the connection ends: after its last answer, or because the client has gone.
extension ClientConnection {
    func inputClosed() {
        isInputClosed = true
        switch phase {
        case .exchange:
            // Who says close_notify has gone: no HTTP client half-closes TLS, and what it gave up would hold a service's connection to its
            // end. Plain TCP's FIN may be a script's that still reads.
            if tls != nil || exchange?.request.isComplete == false { close() }
        case .waiting: if tls != nil { close() }
        case .lingering: if isOutputSent { closeCleanly() }
        case .closed: break
        default: closeCleanly()
        }
    }

    /// Sends what is left and the end of our side, then waits for the client's, so that nothing unread makes the kernel reset the
    /// connection. A client that reads slowly has time as long as it reads.
    func linger() {
        guard isOpen else { return }
        phase = .lingering
        input = ByteBuffer()
        setReading(true)
        awaitReader()
        tls?.close(all: false)
        send(worker.records)
        endOutput()
    }

    func awaitReader() {
        deadline = worker.clock.now + worker.snapshot.limits.idle * 1_000_000
    }

    /// Ends a connection on which nobody waits for anything, unless it be for the rest of the last answer.
    func closeCleanly() {
        if unsentBytes > 0 && !isOutputSent { return linger() }
        phase = .closed
        deadline = worker.clock.now + Self.lingerTime
        tls?.close(all: true)
        send(worker.records)
        closeWhenSent()
    }
}
