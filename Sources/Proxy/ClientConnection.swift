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
    private var phase = Phase.opening
    private var input = ByteBuffer()
    private var parser: RequestParser
    /// A head of which only a part has come.
    private var partialHead: RequestHead?
    /// Loop clock in nanoseconds by which the phase must end.
    private var deadline: Int64
    /// When the head that is being read began.
    private var headBegan: Int64 = 0
    private var bufferedBytes = 0
    private var isAdvancing = false
    private var isReadPaused = false
    private var isReadHeld = false
    private var isInputClosed = false

    private enum Phase {
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
        /// The last answer is written; what the client still sends is dropped until it closes, so that it can read the answer.
        case lingering
        case closed
    }

    /// Bytes of a refused request's body that are read and dropped so that the connection can go on.
    private static let dropBound = 64 * 1024
    /// Bytes of further requests that are held while one is in progress.
    private static let pipelineBound = 64 * 1024
    /// Nanoseconds for which a closing connection waits for its peer.
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
        guard let buffered = try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes) else { return false }
        defer { bufferedBytes = buffered }
        return buffered != bufferedBytes
    }

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
        do throws(WireError) {
            while let piece = try exchange.nextPiece(&input) { exchange.take(piece) }
        } catch {
            return exchange.bodyFailed(Denial(error))
        }
        exchange.upstream?.flush()
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

    func checkDeadline(now: Int64) {
        if let exchange { return exchange.checkDeadline(now: now) }
        guard now > deadline else { return }
        switch phase {
        case .head: refuseUnread(.requestTimeout)
        case .opening, .lingering, .dropping: abort()
        case .idle: closeCleanly()
        case .exchange, .closed: break
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

    private func awaitRequest() {
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

    // MARK: refusing

    /// Refuses what could not even be read as a request.
    private func refuseUnread(_ denial: Denial) {
        let record = AccessRecord(id: worker.ids.next(), started: headBegan)
        writeRefusal(Refusal(denial, isHead: false, envelope: worker.snapshot.errors), record: record, closing: true)
        linger()
    }

    private func refuse(_ denial: Denial, _ found: Findings, record: AccessRecord) {
        let head = worker.requestHead
        var left = 0
        var closing = !head.keepAlive || worker.isDraining
        switch head.framing {
        case .none: break
        case .length(let length) where length <= Self.dropBound && !head.expectsContinue: left = length
        default: closing = true
        }
        let refusal = Refusal(denial, head: head, found: found, snapshot: worker.snapshot)
        writeRefusal(refusal, record: record, closing: closing)
        if closing { return linger() }
        if left > 0 {
            phase = .dropping(BodyDecoder(head.framing, limits: WireLimits()), left: left)
            deadline = worker.clock.now + worker.snapshot.limits.idle * 1_000_000
        } else {
            awaitRequest()
        }
    }

    private func writeRefusal(_ refusal: Refusal, record: AccessRecord, closing: Bool) {
        var record = record
        let bytes = refusal.answer(id: record.id, closing: closing)
        record.status = refusal.denial.status
        record.ending = .refused(refusal.denial)
        record.bytesOut = refusal.isHead ? 0 : refusal.body.count
        write(bytes)
        flush()
        worker.note(record)
    }

    private func drop(_ decoder: inout BodyDecoder, left: Int) -> Bool {
        guard let piece = try? decoder.next(&input) else {
            linger()
            return false
        }
        switch piece {
        case .needMore: return false
        case .data(let bytes): phase = .dropping(decoder, left: left - bytes.readableBytes)
        case .end: awaitRequest()
        }
        return true
    }

    // MARK: closing

    private func inputClosed() {
        isInputClosed = true
        switch phase {
        case .exchange:
            if exchange?.request.isComplete == false { context?.close(promise: nil) }
        case .closed: break
        default: closeCleanly()
        }
    }

    /// Sends the end of our side and waits for the client's, so that nothing unread makes the kernel reset the connection.
    private func linger() {
        guard !isInputClosed else { return closeCleanly() }
        phase = .lingering
        input = ByteBuffer()
        setReading(true)
        deadline = worker.clock.now + Self.lingerTime
        context?.close(mode: .output, promise: nil)
    }

    private func closeCleanly() {
        phase = .closed
        context?.close(promise: nil)
    }
}
