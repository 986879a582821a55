import HTTPWire
import NIOCore

/// One HTTP/1.1 connection to an upstream server: sends one exchange's request at a time and reads its answer.
///
/// It understands framing only. What an answer means is the exchange's business. Loop-bound.
final class UpstreamConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let server: Int
    /// The loop's clock when it became idle, nanoseconds.
    private(set) var idleSince: Int64 = 0
    /// Whether it has carried a request or lain idle before: then a close before the answer may be a stale connection's.
    private(set) var isReused = false
    /// Whether the pool has it: of the attempts at a name's several addresses it takes one.
    var isCounted = false

    private unowned let pool: UpstreamPool
    private unowned let worker: Worker
    private var context: ChannelHandlerContext?
    private var exchange: Exchange?
    private var parser: ResponseParser
    private var decoder: BodyDecoder?
    private var input = ByteBuffer()
    private var keepAlive = false
    private var requestDone = false
    private var isReadPaused = false
    private var isReadHeld = false
    private var method = RequestMethod.get
    /// A head of which only a part has come.
    private var partialHead: ResponseHead?

    init(pool: UpstreamPool, server: Int, worker: Worker) {
        self.pool = pool
        self.server = server
        self.worker = worker
        parser = ResponseParser(limits: WireLimits())
    }

    // MARK: for the exchange

    /// Whether the socket takes more; kept by NIO's word, since asking the channel costs more than remembering.
    private(set) var isWritable = true
    private(set) var isOpen = true

    /// Binds the connection to `exchange`, whose answer it reads from now on.
    func begin(_ exchange: Exchange, method: RequestMethod) {
        self.exchange = exchange
        self.method = method
        decoder = nil
        keepAlive = false
        requestDone = false
    }

    func write(_ bytes: ByteBuffer) {
        context?.write(wrapOutboundOut(bytes), promise: nil)
    }

    func flush() {
        context?.flush()
    }

    /// The request's last byte has been written.
    func requestEnded() {
        requestDone = true
    }

    /// Stops or resumes reading the answer: the client's back-pressure.
    func setReading(_ on: Bool) {
        isReadPaused = !on
        if on && isReadHeld {
            isReadHeld = false
            context?.read()
        }
    }

    /// Nobody needs it for now.
    func rest(since now: Int64) {
        idleSince = now
        isReused = true
    }

    /// Ends the connection; an exchange that still has it hears nothing more.
    func close() {
        isOpen = false
        exchange = nil
        context?.close(promise: nil)
    }

    // MARK: ChannelHandler

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func read(context: ChannelHandlerContext) {
        if isReadPaused { isReadHeld = true } else { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard exchange != nil else { return close() }
        if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
        advance()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        exchange?.answerPaused()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        exchange?.upstreamWritabilityChanged(isWritable)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { inputClosed() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        isOpen = false
        inputClosed()
        if isCounted { pool.closed(self) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
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
        if let partial = partialHead {
            worker.responseHead = partial
            partialHead = nil
        }
        switch parser.parse(&input, into: &worker.responseHead, answering: method) {
        case .needMore:
            if parser.isInsideHead { swapOut() }
            return false
        case .failed: return fail(.malformed)
        case .complete: break
        }
        if worker.responseHead.isInterim {
            exchange.interim(worker.responseHead)
            return true
        }
        keepAlive = worker.responseHead.keepAlive
        decoder = BodyDecoder(worker.responseHead.framing, limits: WireLimits())
        exchange.answerBegan(worker.responseHead)
        return true
    }

    /// Keeps the part of a head that has come: the worker's is needed for others.
    private func swapOut() {
        partialHead = worker.responseHead
        worker.responseHead = ResponseHead()
    }

    private func readBody(_ exchange: Exchange) -> Bool {
        do {
            switch try decoder!.next(&input) {
            case .needMore: return false
            case .data(let piece): exchange.answerData(piece)
            case .end(let trailers): ended(exchange, trailers: trailers)
            }
            return true
        } catch {
            return fail(.malformed)
        }
    }

    private func ended(_ exchange: Exchange, trailers: MessageHead?) {
        self.exchange = nil
        decoder = nil
        isReused = true
        setReading(true)
        let reusable = keepAlive && requestDone && input.readableBytes == 0 && isOpen
        if reusable { pool.release(self) } else { context?.close(promise: nil) }
        exchange.answerEnded(trailers: trailers)
    }

    private func fail(_ failure: UpstreamFailure) -> Bool {
        let failing = exchange
        exchange = nil
        context?.close(promise: nil)
        failing?.answerFailed(failure, wasReused: isReused)
        return false
    }

    /// The upstream sends no more: the end of a close-delimited answer, a broken one, or an idle connection's end.
    private func inputClosed() {
        if let exchange, decoder != nil, (try? decoder!.inputClosed()) != nil {
            keepAlive = false
            ended(exchange, trailers: nil)
        } else {
            _ = fail(.closed)
        }
        context?.close(promise: nil)
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
