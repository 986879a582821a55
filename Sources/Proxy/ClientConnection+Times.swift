import HTTPWire
import Policy

// When the connection ends, by the clock or by the worker's word.
extension ClientConnection {
    /// The next answer is the last. An idle connection is left a moment: a request may be on its way already, and its client would have to
    /// guess whether it was carried out.
    func drain() {
        if let http2 { return http2.drain(grace: Self.drainGrace) }
        if let exchange { return exchange.drain() }
        let isSilent: Bool
        switch phase {
        case .idle: isSilent = true
        case .opening: isSilent = tls?.isFresh == true
        default: isSilent = false
        }
        if isSilent { deadline = min(deadline, worker.clock.now + Self.drainGrace) }
    }

    /// The next answer is the last.
    var isEnding: Bool { worker.isDraining || isRetired }

    /// Goes on by the worker's new snapshot.
    func rulesChanged() {
        peer.judge(by: worker.snapshot.trustedProxies)
        parser.limits = WireLimits(head: worker.snapshot.limits.headers)
        http2?.rulesChanged()
    }

    /// Its listener is gone.
    func retire() {
        isRetired = true
        exchange?.request.isLast = true
        drain()
    }

    /// Ends at once: who waits for an answer is told.
    func stop() {
        if case .streams = phase { http2?.stop() } else if let exchange { exchange.stop() } else if !giveUpWaiting() { abort() }
    }

    func checkDeadline(now: Int64) {
        if let exchange { return exchange.checkDeadline(now: now) }
        if case .streams = phase, let http2 { return http2.checkDeadline(now: now) }
        guard takesInTime(now: now) else { return abort() }
        if case .lingering = phase, !isOutputSent, hasTakenBytes() { awaitReader() }
        guard now > deadline else { return }
        switch phase {
        case .head: refuseUnread(.requestTimeout)
        case .waiting: _ = giveUpWaiting()
        case .opening:
            if tls?.isFresh == false { handshakeFailed(.timeout) }
            abort()
        case .lingering, .dropping, .closed: abort()
        case .idle: closeCleanly()
        case .exchange, .streams: break
        }
    }

    /// Whether the client takes what is left of answers as fast as it must: nobody else waits for it, but it fills memory.
    private func takesInTime(now: Int64) -> Bool {
        guard unsentBytes > 0 else {
            pace = nil
            return true
        }
        let taken = takenBytes
        var pace = pace ?? BodyPace(counted: taken)
        defer { self.pace = pace }
        return pace.isKept(moved: taken, owes: true, .none, now: now, worker.snapshot.limits.pace.ofAnswers)
    }
}
