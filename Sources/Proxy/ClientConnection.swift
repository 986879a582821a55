import HTTPWire
import NIOCore
import Policy
import TLS

/// One client's connection. It reads HTTP/1.1 requests one after another, hands each to an `Exchange`, and writes its answers; where the
/// handshake has chosen HTTP/2, `http2` does that instead.
///
/// Loop-bound. Requests that arrive while one is in progress wait in `input`.
final class ClientConnection: StreamSocket {
    let worker: Worker
    var peer: Peer
    /// The listener that accepted it.
    let listener: ListenerID
    /// Its listener is gone: the request in progress is the last.
    var isRetired = false
    let tls: TLSConnection?
    /// Its index in the worker's list.
    var place = 0
    private(set) var exchange: Exchange?
    /// What deals with the bytes in phase `streams`.
    var http2: HTTP2Connection?

    var phase = Phase.opening
    var input = ByteBuffer()
    var parser: RequestParser
    /// A head of which only a part has come.
    private var partialHead: RequestHead?
    /// A request that can't be judged yet.
    var waiting: WaitingRequest?
    /// Loop clock in nanoseconds by which the phase must end.
    var deadline: Int64
    /// When the head that is being read began.
    private(set) var headBegan: Int64 = 0
    private var takenBefore = 0
    /// How fast the client takes what waits for it after its last exchange.
    var pace: BodyPace?
    private var isAdvancing = false
    /// The client has said that it sends no more.
    var isInputClosed = false
    /// Everything that was written has gone to the kernel, and the end of our side too.
    var isOutputSent = false

    enum Phase {
        /// The TLS handshake is going on.
        case opening
        /// Between two requests.
        case idle
        /// A head is arriving.
        case head
        /// A request waits for somebody to say whom its token means.
        case waiting
        /// An exchange is in progress.
        case exchange
        /// HTTP/2: `http2` knows how it stands.
        case streams
        /// The request was refused; the rest of its body is dropped.
        case dropping(BodyDecoder, left: Int)
        /// The last answer is on its way out; what the client still sends is dropped until it closes, so that it can read the answer.
        case lingering
        case closed
    }

    /// Bytes of further requests that are held while one is in progress.
    static let pipelineBound = 64 * 1024
    /// Requests answered before others get their turn: refusals can be had by the thousand in one read.
    private static let requestsPerTurn = 32
    /// Nanoseconds that a draining gateway waits for a request that may be on its way: several round trips.
    static let drainGrace: Int64 = 1_000_000_000
    /// Nanoseconds for which a connection that has sent everything waits for its peer's end.
    static let lingerTime: Int64 = 2_000_000_000

    /// Takes over an accepted connection's descriptor.
    init(_ descriptor: CInt, worker: Worker, peer: Peer, door: Door) {
        let tls = door.tls
        listener = door.listener
        self.tls = tls.map { TLSConnection(context: $0, records: worker.records) }
        self.worker = worker
        self.peer = peer
        let limits = worker.snapshot.limits
        parser = RequestParser(limits: WireLimits(head: limits.headers))
        phase = tls != nil ? .opening : .idle
        deadline = worker.clock.now + (tls != nil ? limits.handshake : limits.head) * 1_000_000
        super.init(descriptor, on: worker.loop)
    }

    // MARK: for the exchange

    /// Whether the client has taken bytes since this was last asked: how a slow reader is told from one that has stopped.
    func hasTakenBytes() -> Bool {
        let taken = takenBytes
        defer { takenBefore = taken }
        return taken != takenBefore
    }

    /// Lets the exchange take what has arrived of its request's body.
    func pumpBody() {
        guard let exchange else { return }
        exchange.bodyArrived()
        var hasMoved = false
        do throws(WireError) {
            while let piece = try nextPiece(for: exchange) {
                exchange.take(piece)
                hasMoved = true
            }
        } catch {
            return exchange.bodyFailed(Denial(error))
        }
        if hasMoved {
            exchange.sendPending()
            exchange.upstream?.flushRequest()
        }
        regulate()
    }

    private func nextPiece(for exchange: Exchange) throws(WireError) -> BodyPiece? {
        var bytes = takeInput()
        defer { input = bytes }
        return try exchange.nextPiece(&bytes)
    }

    /// What has arrived, to be put back.
    func takeInput() -> ByteBuffer {
        var taken = ByteBuffer()
        swap(&taken, &input)
        return taken
    }

    /// Reads on where there is room for what comes: the one place that decides it. Whoever sends and doesn't read, or sends faster than
    /// is worked off, waits.
    func regulate() {
        switch phase {
        // Who doesn't read an HTTP/2 connection is held up by windows: its frames must go on being read, or both sides could wait.
        case .opening, .streams, .dropping, .lingering, .closed: setReading(true)
        case .idle, .head: setReading(input.readableBytes < Self.pipelineBound + worker.snapshot.limits.headers)
        case .waiting: setReading(input.readableBytes < Self.pipelineBound)
        case .exchange:
            switch exchange?.bodyDemand {
            case .more?: setReading(true)
            case .wait?: setReading(false)
            case .indifferent?, nil: setReading(input.readableBytes < Self.pipelineBound)
            }
        }
    }

    /// The exchange has answered whole.
    func exchangeEnded(keepAlive: Bool) {
        exchange = nil
        guard keepAlive, !isInputClosed || input.readableBytes > 0 else { return linger() }
        awaitRequest()
        advance()
    }

    /// The answer can't be finished: the client must not take what it has for whole.
    func abort() {
        exchange = nil
        phase = .closed
        tls?.cut()
        close()
    }

    // MARK: events

    override func readable() {
        worker.clock.read()
        switch unsafe receive(into: loop.received) {
        case .none: return
        case .failure: return close()
        case .end: streamEnded()
        case .bytes(let count): unsafe received(UnsafeRawBufferPointer(rebasing: loop.received[..<count]))
        }
    }

    /// Takes what is in `worker.plaintext`.
    func take() {
        switch phase {
        case .lingering, .closed: return
        case .streams: return http2?.take() ?? ()
        default: break
        }
        let isShared = input.readableBytes == 0
        if isShared {
            input = worker.plaintext
        } else {
            var all = takeInput()
            all.writeImmutableBuffer(worker.plaintext)
            input = all
        }
        advance()
        // What stays is copied: the loop's buffer is for the next read.
        if isShared && input.readableBytes > 0 { input = ByteBuffer(input.readableBytesView) }
    }

    override func writabilityChanged() {
        worker.clock.read()
        if let http2 {
            http2.writabilityChanged()
        } else if let exchange {
            exchange.clientWritabilityChanged(isWritable)
        } else if isWritable {
            advance()
        }
    }

    /// Nobody is there any more.
    override func hungUp() { close() }

    override func closed() {
        worker.clock.read()
        if tls?.isFresh == false { handshakeFailed(.interrupted) }
        phase = .closed
        worker.remove(self)
        noteWaitingGone()
        if let exchange {
            self.exchange = nil
            exchange.clientGone()
        }
        http2?.gone()
    }

    override func turnEnded() {
        if case .streams = phase { http2?.flush() }
    }

    // MARK: requests

    func awaitRequest() {
        phase = .idle
        deadline = worker.clock.now + (isEnding ? Self.drainGrace : worker.snapshot.limits.keepAlive * 1_000_000)
    }

    /// Does what can be done with the bytes at hand.
    func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        var requests = 0
        while step() {
            if case .idle = phase { requests += 1 }
            if requests == Self.requestsPerTurn {
                LoopBound(self, loop).execute { $0.advance() }
                break
            }
        }
        isAdvancing = false
        regulate()
        if input.readableBytes == 0 { input = ByteBuffer() }
    }

    /// One step; true when another may follow.
    private func step() -> Bool {
        guard isOpen, !isBroken else { return false }
        switch phase {
        case .idle:
            guard input.readableBytes > 0 else { return false }
            phase = .head
            headBegan = worker.clock.now
            deadline = headBegan + worker.snapshot.limits.head * 1_000_000
            return true
        case .head: return isWritable && readHead()
        case .exchange:
            pumpBody()
            if case .exchange = phase { return false }
            return true
        case .dropping(var decoder, let left): return drop(&decoder, left: left)
        case .opening, .waiting, .streams, .lingering, .closed: return false
        }
    }

    private func readHead() -> Bool {
        if let partial = partialHead.take() { worker.requestHead = partial }
        var bytes = takeInput()
        let step = parser.parse(&bytes, into: &worker.requestHead)
        input = bytes
        switch step {
        case .needMore:
            // The worker's own is needed for others.
            if parser.isInsideHead { partialHead = Swift.exchange(&worker.requestHead, with: RequestHead()) }
            return false
        case .failed(let error):
            refuseUnread(Denial(error), isHead: parser.hasRequestLine && worker.requestHead.method == .head)
            return false
        case .complete:
            begin()
            return true
        }
    }

    /// Judges the request whose head is in `worker.requestHead` and starts its exchange.
    func begin(_ alias: AliasCase? = nil) {
        var record = worker.record(from: peer, started: headBegan)
        var found = Findings()
        found.alias = alias
        if let preflight = worker.preflight(peer: peer, found: &found) { return answer(preflight, found, record: record) }
        do {
            let admission = try worker.admit(peer: peer, found: &found)
            record.note(found)
            let tunnel = admission.intent == nil ? try WebSocketTunnel(worker.requestHead) : nil
            let exchange = Exchange(client: .connection(self), worker: worker, admission: admission, record: record, tunnel: tunnel)
            if isRetired { exchange.request.isLast = true }
            self.exchange = exchange
            phase = .exchange
            exchange.begin()
        } catch {
            if let alias = found.waitsFor { return wait(for: alias) }
            record.note(found)
            refuse(error, found, record: record)
        }
    }

    override func outputEnded() {
        isOutputSent = true
        guard case .lingering = phase else { return }
        if isInputClosed { return closeCleanly() }
        worker.clock.read()
        deadline = worker.clock.now + Self.lingerTime
    }
}
