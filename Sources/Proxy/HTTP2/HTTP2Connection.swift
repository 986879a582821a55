import HTTP2
import HTTPWire
import NIOCore
import Policy

/// A client's HTTP/2 connection: an `Exchange` for each stream, in place of the one that HTTP/1.1 has at a time.
///
/// Everything that was made in one turn of the loop goes out together at its end, so that many small answers share TLS records and
/// writes. Loop-bound; lives as long as its connection, or an exchange of it.
final class HTTP2Connection {
    unowned let connection: ClientConnection
    let worker: Worker
    let session: HTTP2Session
    /// What has been made is sent at the end of this turn.
    private var isFlushing = false
    /// Loop clock at which the last stream ended.
    private var idleSince: Int64
    /// Loop clock at which the client last took bytes, or had none to take.
    private var takenAt: Int64
    /// Resets of the session that were counted for its source.
    private var chargedResets = 0
    /// Bytes of bodies and answers that streams have had their share of.
    private var shared = (come: 0, gone: 0)
    /// What streams wait for whose requests can't be judged yet.
    var waiting: [Int32: AliasCase] = [:]
    /// When no further streams are taken; nil while nobody has asked for that.
    private var drainsAt: Int64?

    /// Nil without memory.
    init?(_ connection: ClientConnection) {
        self.connection = connection
        worker = connection.worker
        idleSince = worker.clock.now
        takenAt = worker.clock.now
        guard let session = HTTP2Session(headLimit: worker.snapshot.limits.headers, scratch: worker.http2) else { return nil }
        self.session = session
        scheduleFlush()
    }

    // MARK: for the connection

    /// Takes what is in `worker.plaintext`.
    func take() {
        guard session.receive(worker.plaintext, now: worker.clock.now) else {
            handleEvents()
            return connection.abort()
        }
        chargeSource()
        handleEvents()
        if session.wantsToSend || session.isOver { scheduleFlush() }
    }

    /// Resets count for the client's address, too.
    private func chargeSource() {
        while chargedResets < session.countedResets {
            chargedResets += 1
            guard let source = connection.peer.countedSource else { continue }
            if !worker.gateway.resets.take(source, now: worker.clock.now) { session.calmDown() }
        }
    }

    /// Sends what was made in this turn.
    func flush() {
        isFlushing = false
        while connection.isOpen, connection.isWritable {
            guard session.send(now: worker.clock.now) else { return connection.abort() }
            guard worker.http2.output.readableBytes > 0 else { break }
            connection.write(worker.http2.output)
            connection.flushAnswer()
        }
        handleEvents()
        if session.isOver, connection.isOpen { leave() }
    }

    /// Everything has been said.
    private func leave() {
        gone()
        connection.linger()
    }

    func writabilityChanged() {
        if connection.isWritable { scheduleFlush() }
    }

    func rulesChanged() { session.headLimit = worker.snapshot.limits.headers }

    /// Asks for a `flush` at the end of this turn.
    func scheduleFlush() {
        guard !isFlushing else { return }
        isFlushing = true
        worker.loop.atTurnEnd(connection)
    }

    // MARK: for the worker

    /// The exchanges in progress.
    var exchanges: [Exchange] { session.streams.values.compactMap { exchange(of: $0) } }

    /// Tells the client to leave, and leaves it a moment for requests that are on their way.
    func drain(grace: Int64) {
        guard drainsAt == nil else { return }
        drainsAt = worker.clock.now + grace
        session.warn()
        scheduleFlush()
    }

    /// Ends at once: who waits for an answer is told.
    func stop() {
        for stream in session.streams.values where stream.isWaiting { giveUpWaiting(stream) }
        for exchange in exchanges { exchange.stop() }
        // What is behind the GOAWAY that terminates would not be sent.
        flush()
        session.terminate(.noError)
        flush()
    }

    /// The connection is gone.
    func gone() {
        loseWaiting()
        for stream in Array(session.streams.values) { end(stream)?.clientGone() }
    }

    func checkDeadline(now: Int64) {
        shareBodies()
        for stream in Array(session.streams.values) { checkDeadline(of: stream, now: now) }
        let limits = worker.snapshot.limits
        if connection.unsentBytes == 0 || connection.hasTakenBytes() { takenAt = now }
        if !session.streams.isEmpty { idleSince = now }
        let isLate = session.headersBegan.map { now - $0 > limits.head * 1_000_000 } ?? (!session.isBegun && now > connection.deadline)
        if isLate || now - takenAt > limits.idle * 1_000_000 { return connection.abort() }
        if let end = drainsAt, now > end {
            drainsAt = .max
            session.refuseStreams()
            scheduleFlush()
        } else if now - idleSince > limits.keepAlive * 1_000_000 {
            session.terminate(.noError)
            scheduleFlush()
        }
    }

    /// What has moved since the last time is, in equal parts, every stream's that waits for the client: one that sends or takes one body
    /// after the other is slow with none.
    private func shareBodies() {
        let (come, gone) = (session.bodyBytes - shared.come, session.answerBytes - shared.gone)
        shared = (session.bodyBytes, session.answerBytes)
        if come > 0 {
            let owing = session.streams.values.filter { exchange(of: $0)?.owesBody == true }
            for stream in owing { stream.shareOfBodies += come / owing.count }
        }
        if gone > 0 {
            let held = session.streams.values.filter { exchange(of: $0)?.isHeldByClient == true }
            for stream in held { stream.shareOfAnswers += gone / held.count }
        }
    }

    /// An answer that waits for the client and has no exchange any more: a refusal, as a rule.
    private func checkDeadline(of stream: HTTP2Stream, now: Int64) {
        stream.compact()
        if let exchange = exchange(of: stream) { return exchange.checkDeadline(now: now) }
        if stream.isWaiting {
            guard now - stream.began > Limits.aliasWaitMilliseconds * 1_000_000 else { return }
            return giveUpWaiting(stream)
        }
        if hasTakenBytes(stream) || stream.progressed == 0 { stream.progressed = now }
        guard now - stream.progressed > worker.snapshot.limits.idle * 1_000_000 else { return }
        session.reset(stream, .cancel)
        scheduleFlush()
    }
}

// MARK: streams

extension HTTP2Connection {
    /// Deals with what `receive` or `send` has brought about.
    private func handleEvents() {
        guard !worker.http2.events.isEmpty else { return }
        var events: [HTTP2Event] = []
        swap(&events, &worker.http2.events)
        for event in events {
            switch event {
            case .request(let stream): begin(stream)
            case .body(let stream): pumpBody(of: stream)
            case .room(let stream): exchange(of: stream)?.clientWritabilityChanged(true)
            case .sent(let stream): exchange(of: stream)?.answerSent()
            case .closed(let stream):
                if stream.isWaiting { giveUpWaiting(stream) }
                end(stream)?.clientGone()
            }
        }
        events.removeAll(keepingCapacity: true)
        if worker.http2.events.isEmpty { swap(&events, &worker.http2.events) }
    }

    /// The exchange that deals with the stream's request.
    func exchange(of stream: HTTP2Stream) -> Exchange? {
        // unsafe: nothing but exchanges is ever put there.
        stream.owner.map { unsafe unsafeDowncast($0, to: Exchange.self) }
    }

    /// Parts the stream from its exchange.
    func end(_ stream: HTTP2Stream) -> Exchange? {
        defer { stream.owner = nil }
        return exchange(of: stream)
    }

    /// Lets the exchange take what has arrived of its request's body.
    func pumpBody(of stream: HTTP2Stream) {
        guard !stream.isWaiting else { return }
        guard let exchange = exchange(of: stream) else { return session.dropInput(of: stream) }
        guard !exchange.request.isComplete else { return }
        if stream.fault != nil {
            stream.code = .protocolError
            return exchange.bodyFailed(.badRequest)
        }
        exchange.bodyArrived()
        var hasMoved = false
        while exchange.takesBody, let piece = session.take(stream) {
            exchange.take(.data(piece))
            hasMoved = true
        }
        if exchange.takesBody, stream.isBodyWhole {
            do throws(WireError) {
                exchange.take(.end(trailers: try trailers(of: stream)))
            } catch {
                return exchange.bodyFailed(Denial(error))
            }
            hasMoved = true
        }
        guard hasMoved else { return }
        exchange.sendPending()
        exchange.upstream?.flushRequest()
        if session.wantsToSend { scheduleFlush() }
    }

    private func trailers(of stream: HTTP2Stream) throws(WireError) -> MessageHead? {
        guard var section = stream.trailers else { return nil }
        var decoder = BodyDecoder(.chunked, limits: WireLimits())
        guard case .end(let trailers) = try decoder.next(&section), section.readableBytes == 0 else { throw .truncated }
        return trailers
    }
}
