import HTTPWire
import NIOCore
import Policy
import TLS

/// One client's HTTP/1.1 connection: reads requests one after another, hands each to an `Exchange`, and writes its answers.
///
/// Loop-bound; stands behind the TLS handler. Requests that arrive while one is in progress wait in `input`.
final class ClientConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    unowned let worker: Worker
    let peer: Peer
    private let tls: TLSHandler?
    /// Its index in the worker's list.
    var place = 0
    private(set) var exchange: Exchange?

    private var context: ChannelHandlerContext?
    var phase = Phase.opening
    var input = ByteBuffer()
    private var parser: RequestParser
    /// A head of which only a part has come.
    private var partialHead: RequestHead?
    /// Loop clock in nanoseconds by which the phase must end.
    var deadline: Int64
    /// When the head that is being read began.
    private(set) var headBegan: Int64 = 0
    private var bufferedBytes = 0
    private var isAdvancing = false
    private var isReadPaused = false
    private var isReadHeld = false
    private var isInputClosed = false
    /// Everything that was written has gone to the kernel, and the end of our side too.
    private var isOutputSent = false

    enum Phase {
        /// The TLS handshake is going on.
        case opening
        /// Between two requests.
        case idle
        /// A head is arriving.
        case head
        /// An exchange is in progress.
        case exchange
        /// The request was refused; the rest of its body is dropped.
        case dropping(BodyDecoder, left: Int)
        /// The last answer is on its way out; what the client still sends is dropped until it closes, so that it can read the answer.
        case lingering
        case closed
    }

    /// Bytes of further requests that are held while one is in progress.
    private static let pipelineBound = 64 * 1024
    /// Nanoseconds for which a connection that has sent everything waits for its peer's end.
    private static let lingerTime: Int64 = 2_000_000_000

    init(worker: Worker, peer: Peer, tls: TLSHandler?) {
        self.tls = tls
        self.worker = worker
        self.peer = peer
        let limits = worker.snapshot.limits
        parser = RequestParser(limits: WireLimits(head: limits.headers))
        worker.clock.read()
        phase = tls != nil ? .opening : .idle
        deadline = worker.clock.now + (tls != nil ? limits.handshake : limits.head) * 1_000_000
    }

    // MARK: for the exchange

    /// Whether the socket takes more; kept by NIO's word, since asking the channel costs more than remembering.
    private(set) var isWritable = true

    func write(_ bytes: ByteBuffer) {
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    func flush() {
        context?.flush()
    }

    /// Whether the client has taken bytes since this was last asked: how a slow reader is told from one that has stopped.
    func hasTakenBytes() -> Bool {
        let unsent = unsentBytes
        defer { bufferedBytes = unsent }
        return unsent != bufferedBytes
    }

    /// Bytes written that the kernel has not taken.
    private var unsentBytes: Int { (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// Stops or resumes reading from the client: the upstream's back-pressure.
    func setReading(_ on: Bool) {
        isReadPaused = !on
        if on && isReadHeld {
            isReadHeld = false
            context?.read()
        }
    }

    /// Lets the exchange take what has arrived of its request's body.
    func pumpBody() {
        guard let exchange else { return }
        var hasMoved = false
        do throws(WireError) {
            while let piece = try exchange.nextPiece(&input) {
                exchange.take(piece)
                hasMoved = true
            }
        } catch {
            return exchange.bodyFailed(Denial(error))
        }
        if hasMoved {
            exchange.sendPending()
            exchange.upstream?.flush()
        }
        switch exchange.bodyDemand {
        case .more: setReading(true)
        case .wait: setReading(false)
        case .indifferent: setReading(input.readableBytes < Self.pipelineBound)
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
        guard let context else { return }
        tls?.cut()
        context.close(promise: nil)
    }

    // MARK: for the worker

    /// Closes at once when idle; otherwise the answer in progress is the last.
    func drain() {
        switch phase {
        case .idle, .opening: closeCleanly()
        default: break
        }
    }

    /// Ends at once: who waits for an answer is told.
    func stop() {
        if let exchange { exchange.stop() } else { abort() }
    }

    func checkDeadline(now: Int64) {
        if let exchange { return exchange.checkDeadline(now: now) }
        if case .lingering = phase, !isOutputSent, hasTakenBytes() { awaitReader() }
        guard now > deadline else { return }
        switch phase {
        case .head: refuseUnread(.requestTimeout)
        case .opening, .lingering, .dropping, .closed: abort()
        case .idle: closeCleanly()
        case .exchange: break
        }
    }

    // MARK: ChannelHandler

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        worker.add(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        worker.remove(self)
    }

    func read(context: ChannelHandlerContext) {
        if isReadPaused { isReadHeld = true } else { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        worker.clock.read()
        switch phase {
        case .lingering, .closed: return
        default: break
        }
        if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
        advance()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        worker.clock.read()
        isWritable = context.channel.isWritable
        if let exchange {
            exchange.clientWritabilityChanged(isWritable)
        } else {
            advance()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is TLSHandshakeCompleted:
            worker.clock.read()
            awaitRequest()
        case let event as ChannelEvent where event == .inputClosed:
            worker.clock.read()
            inputClosed()
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        worker.clock.read()
        phase = .closed
        if let exchange {
            self.exchange = nil
            exchange.clientGone()
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: requests

    func awaitRequest() {
        phase = .idle
        deadline = worker.clock.now + worker.snapshot.limits.keepAlive * 1_000_000
        if worker.isDraining { closeCleanly() }
    }

    /// Does what can be done with the bytes at hand.
    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        while step() {}
        isAdvancing = false
        if input.readableBytes == 0 { input = ByteBuffer() }
    }

    /// One step; true when another may follow.
    private func step() -> Bool {
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
        case .opening, .lingering, .closed: return false
        }
    }

    private func readHead() -> Bool {
        if let partial = partialHead {
            worker.requestHead = partial
            partialHead = nil
        }
        switch parser.parse(&input, into: &worker.requestHead) {
        case .needMore:
            if parser.isInsideHead {
                partialHead = worker.requestHead
                worker.requestHead = RequestHead()
            }
            return false
        case .failed(let error):
            refuseUnread(Denial(error))
            return false
        case .complete:
            begin()
            return true
        }
    }

    /// Judges the request whose head is in `worker.requestHead` and starts its exchange.
    private func begin() {
        var record = AccessRecord(id: worker.requestID(from: peer), started: headBegan)
        record.method = worker.requestHead.withBytes(worker.requestHead.methodRange) { MethodName($0) }
        var found = Findings()
        do {
            let admission = try worker.admit(peer: peer, found: &found)
            record.note(found)
            let exchange = Exchange(client: self, worker: worker, admission: admission, record: record)
            self.exchange = exchange
            phase = .exchange
            exchange.begin()
        } catch {
            record.note(found)
            refuse(error, found, record: record)
        }
    }

    // MARK: closing

    private func inputClosed() {
        isInputClosed = true
        switch phase {
        case .exchange:
            if exchange?.request.isComplete == false { context?.close(promise: nil) }
        case .lingering: if isOutputSent { closeCleanly() }
        case .closed: break
        default: closeCleanly()
        }
    }

    /// Sends what is left and the end of our side, then waits for the client's, so that nothing unread makes the kernel reset the
    /// connection. A client that reads slowly has time as long as it reads.
    func linger() {
        guard let context else { return }
        phase = .lingering
        input = ByteBuffer()
        setReading(true)
        awaitReader()
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in outputSent() }
        if tls == nil && isInputClosed {
            // A plain channel that has read its peer's end would take the end of ours for a close, and drop what is unsent.
            context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: sent)
        } else {
            context.close(mode: .output, promise: sent)
        }
    }

    private func awaitReader() {
        deadline = worker.clock.now + worker.snapshot.limits.idle * 1_000_000
    }

    private func outputSent() {
        isOutputSent = true
        guard case .lingering = phase else { return }
        if isInputClosed { return closeCleanly() }
        worker.clock.read()
        deadline = worker.clock.now + Self.lingerTime
    }

    /// Ends a connection on which nobody waits for anything, unless it be for the rest of the last answer.
    private func closeCleanly() {
        if unsentBytes > 0 && !isOutputSent { return linger() }
        phase = .closed
        deadline = worker.clock.now + Self.lingerTime
        context?.close(promise: nil)
    }
}
