import HTTPWire
import NIOCore
import TLS

/// One HTTP/1.1 connection to an upstream server: sends one exchange's request at a time and reads its answer.
///
/// It understands framing only. What an answer means is the exchange's business. Loop-bound.
final class UpstreamConnection: StreamSocket {
    let server: Int
    /// The loop's clock when it became idle, nanoseconds.
    private(set) var idleSince: Int64 = 0
    /// Whether it has carried a request or lain idle before: then a close before the answer may be a stale connection's.
    private(set) var isReused = false

    let pool: UpstreamPool
    let worker: Worker
    let tls: TLSConnection?
    /// Who waits for the end of the handshake.
    var opening: UpstreamOpening?
    /// Whether it counts among the pool's: it does once its handshake is done.
    var stands: Bool
    /// The server has said that it sends no more: no further request is sent.
    var isLast = false
    /// The loop's clock when its exchange's request began to be sent, nanoseconds.
    private(set) var began: Int64 = 0
    private var exchange: Exchange?
    private var parser: ResponseParser
    private var decoder: BodyDecoder?
    private var input = ByteBuffer()
    /// It may carry another request after this answer.
    private var keepAlive = false
    private var requestDone = false
    private var method = RequestMethod.get
    /// The request asks to speak another protocol: 101 is an answer to it.
    private var upgrades = false
    /// A head of which only a part has come.
    private var partialHead: ResponseHead?

    /// Takes over a connected descriptor. With TLS it stands when its handshake is done.
    init(_ descriptor: CInt, pool: UpstreamPool, server: Int, tls: TLSConnection?, worker: Worker) {
        self.pool = pool
        self.tls = tls
        stands = tls == nil
        self.server = server
        self.worker = worker
        parser = ResponseParser(limits: WireLimits(head: worker.snapshot.limits.headers))
        super.init(descriptor, on: worker.loop)
    }

    // MARK: for the exchange

    /// Binds the connection to `exchange`, whose answer it reads from now on.
    func begin(_ exchange: Exchange, method: RequestMethod, upgrades: Bool) {
        self.exchange = exchange
        pool.callers.add(exchange.caller)
        began = worker.clock.now
        self.method = method
        self.upgrades = upgrades
        decoder = nil
        keepAlive = false
        requestDone = false
    }

    /// The request's last byte has been written.
    func requestEnded() {
        requestDone = true
    }

    /// Nobody needs it for now.
    func rest(since now: Int64) {
        idleSince = now
        isReused = true
    }

    /// Whether nothing has come since the last answer: it would be taken for the answer to the next request, which may be somebody
    /// else's. What has come ends the connection, be it a part of a record, unless it is TLS's own (new tickets, new keys).
    func isQuiet() -> Bool {
        if isSilent, tls?.isInsideRecord != true { return true }
        if tls != nil { readable() }
        if isOpen, isSilent, tls?.isInsideRecord != true { return true }
        abandon()
        return false
    }

    /// Whether it carries a request.
    var isBusy: Bool { exchange != nil }

    /// Parts it from its exchange, whose caller has one connection less.
    private func part() -> Exchange? {
        guard let parting = exchange else { return nil }
        exchange = nil
        pool.callers.remove(parting.caller)
        return parting
    }

    /// Ends the connection; an exchange that still has it hears nothing more.
    func abandon() {
        _ = part()
        tls?.cut()
        close()
    }

    /// The same because no answer has begun in time.
    func abandonLate() {
        if exchange != nil, decoder == nil { pool.failed(server, .timedOut, since: began) }
        abandon()
    }

    // MARK: events

    override func readable() {
        // What earlier reads have left is copied already: the loop's buffer is free.
        worker.answer.clear()
        if let tls { return readRecords(tls) }
        var arrival = Arrival.none
        let most = readBound
        unsafe worker.answer.writeWithUnsafeMutableBytes(minimumWritableBytes: Worker.answerSize) { memory in
            unsafe arrival = receive(into: UnsafeMutableRawBufferPointer(rebasing: memory[..<min(memory.count, most)]))
            return if case .bytes(let count) = arrival { count } else { 0 }
        }
        switch arrival {
        case .none: return
        case .failure: _ = fail(.closed)
        case .end: inputClosed()
        case .bytes: took()
        }
    }

    /// Bytes that are read at a time.
    var readBound: Int { exchange?.readBound ?? Worker.answerSize }

    /// Takes what is in `worker.answer`.
    func took() {
        guard exchange != nil else { return close() }
        let isShared = input.readableBytes == 0
        if isShared {
            input = worker.answer
        } else {
            var all = takeInput()
            all.writeImmutableBuffer(worker.answer)
            input = all
        }
        advance()
        // What stays is copied: the loop's buffer is for the next read.
        if isShared && input.readableBytes > 0 { input = ByteBuffer(input.readableBytesView) }
        exchange?.answerPaused()
    }

    override func writabilityChanged() {
        exchange?.upstreamWritabilityChanged(isWritable)
    }

    /// It was given back while requests wait.
    override func turnEnded() { pool.serveWaiting() }

    override func closed() {
        if let opening {
            self.opening = nil
            return opening.failed(.tls(.handshakeInterrupted))
        }
        _ = fail(.closed)
        if stands { pool.closed(self) }
    }

    // MARK: reading the answer

    private func advance() {
        while let exchange {
            if decoder == nil {
                guard readHead(exchange) else { break }
            } else {
                guard readBody(exchange) else { break }
            }
        }
        if input.readableBytes == 0 { input = ByteBuffer() }
    }

    /// True when there may be more to do with the bytes at hand.
    private func readHead(_ exchange: Exchange) -> Bool {
        if let partial = partialHead.take() { worker.responseHead = partial }
        var bytes = takeInput()
        let step = parser.parse(&bytes, into: &worker.responseHead, answering: method, upgradeRequested: upgrades)
        input = bytes
        switch step {
        case .needMore:
            // The worker's own is needed for others.
            if parser.isInsideHead { partialHead = Swift.exchange(&worker.responseHead, with: ResponseHead()) }
            return false
        case .failed: return fail(.malformed)
        case .complete: break
        }
        if worker.responseHead.isInterim {
            exchange.interim(worker.responseHead)
            return true
        }
        // Services that send the body to HEAD often do so a moment after the head.
        keepAlive = worker.responseHead.keepAlive && !worker.responseHead.withholdsBody
        pool.answered(server, since: began)
        let isUpgraded = worker.responseHead.status == 101
        decoder = BodyDecoder(isUpgraded ? .untilClose : worker.responseHead.framing, limits: WireLimits())
        exchange.answerBegan(worker.responseHead)
        return true
    }

    private func readBody(_ exchange: Exchange) -> Bool {
        do {
            switch try nextPiece() {
            case .needMore: return false
            case .data(let piece): exchange.answerData(piece)
            case .end(let trailers): ended(exchange, trailers: trailers)
            }
            return true
        } catch {
            return fail(.malformed)
        }
    }

    /// Calls nobody back.
    private func nextPiece() throws(WireError) -> BodyPiece {
        guard var reading = decoder else { return .needMore }
        decoder = nil
        var bytes = takeInput()
        defer {
            decoder = reading
            input = bytes
        }
        return try reading.next(&bytes)
    }

    /// What has arrived, to be put back.
    private func takeInput() -> ByteBuffer {
        var taken = ByteBuffer()
        swap(&taken, &input)
        return taken
    }

    private func ended(_ exchange: Exchange, trailers: MessageHead?) {
        _ = part()
        decoder = nil
        isReused = true
        setReading(true)
        let reusable = keepAlive && !isLast && requestDone && input.readableBytes == 0 && unsentBytes == 0 && isOpen && !isBroken
        if reusable { pool.release(self) } else { close() }
        exchange.answerEnded(trailers: trailers)
    }

    /// Ends the connection; its exchange is told. False, for whoever reads on only while all is well.
    func fail(_ failure: UpstreamFailure) -> Bool {
        let failing = part()
        // What a kept connection meets is mostly its own age, not the server's state.
        if failing != nil, decoder == nil, failure == .malformed || !isReused { pool.failed(server, ServerFailure(failure), since: began) }
        close()
        failing?.answerFailed(failure, wasReused: isReused)
        return false
    }

    /// The upstream sends no more: the end of a close-delimited answer, a broken one, or an idle connection's end.
    func inputClosed() {
        var reading = decoder
        if let exchange, reading != nil, (try? reading!.inputClosed()) != nil {
            keepAlive = false
            ended(exchange, trailers: nil)
        } else {
            _ = fail(.closed)
        }
        close()
    }
}

/// How an answer failed to arrive.
enum UpstreamFailure {
    /// Bytes that are no HTTP/1.1 answer.
    case malformed
    /// The connection ended before the answer did.
    case closed
    /// Nothing came within the time allowed.
    case timedOut
}
