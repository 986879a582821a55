import Dispatch
import HTTPWire
import NIOCore
import Policy

/// The probes' connections, bounded: a new one takes the place of the one that has been idle for longest. Loop-bound.
final class ProbeConnections {
    private var open: [ProbeConnection] = []

    fileprivate func enter(_ connection: ProbeConnection) {
        if open.count >= Limits.probeConnections { open.min { $0.deadline < $1.deadline }?.close() }
        open.append(connection)
    }

    fileprivate func leave(_ connection: ProbeConnection) { open.removeAll { $0 === connection } }
}

/// One probe's connection: one request after another, nothing else.
final class ProbeConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let standing: Standing
    private let connections: ProbeConnections
    private var context: ChannelHandlerContext?
    private var input = ByteBuffer()
    private var parser = RequestParser(limits: WireLimits(head: 4096, fieldCount: 32))
    private var head = RequestHead()
    /// An answer is being made, or the client hasn't taken it all: what comes meanwhile waits.
    private var isAnswering = false
    /// The last answer has been sent: what comes is dropped until the client closes.
    private var isOver = false
    /// When it is closed unless something is answered before.
    fileprivate private(set) var deadline = NIODeadline.distantFuture
    private var alarm: Scheduled<Void>?

    /// Where pages are made, one after another.
    private static let pages = DispatchQueue(label: "tenantgate.metrics", qos: .utility)
    /// Bytes that may wait while an answer is being made.
    private static let inputBound = 16 * 1024

    /// Waits for pages that are being made, so that none comes to a loop that has ended.
    static func finishPages() { pages.sync {} }

    init(_ standing: Standing, _ connections: ProbeConnections) {
        self.standing = standing
        self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        connections.enter(self)
        setDeadline(in: Limits.probeHeadSeconds)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        alarm?.cancel()
        connections.leave(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        var bytes = unwrapInboundIn(data)
        if input.readableBytes == 0 { setDeadline(in: Limits.probeHeadSeconds) }
        input.writeBuffer(&bytes)
        if input.readableBytes > Self.inputBound { return close() }
        advance()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close() }

    fileprivate func close() { context?.close(promise: nil) }

    private func setDeadline(in seconds: Int) {
        deadline = .now() + .seconds(Int64(seconds))
        alarm?.cancel()
        alarm = context?.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in self?.close() }
    }
}

extension ProbeConnection {
    private func advance() {
        while !isAnswering, !isOver, context != nil {
            switch parser.parse(&input, into: &head) {
            case .needMore: return
            case .failed: return send(ProbeAnswer(400, "bad request\n"), isLast: true)
            case .complete: answerRequest()
            }
        }
    }

    private func answerRequest() {
        let isLast = !head.keepAlive || head.framing.hasBody
        let path = head.withBytes(head.pathRange) { String(decoding: (0..<$0.count).map { [bytes = copy $0] in bytes[$0] }, as: UTF8.self) }
        guard ["/healthz", "/readyz", "/metrics"].contains(path) else { return send(ProbeAnswer(404, "not found\n"), isLast: isLast) }
        guard head.method == .get || head.method == .head else {
            return send(ProbeAnswer(405, "method not allowed\n"), isLast: isLast)
        }
        switch path {
        case "/healthz": send(ProbeAnswer(200, "ok\n"), isLast: isLast)
        case "/readyz":
            let readiness = standing.readiness
            send(ProbeAnswer(readiness.isReady ? 200 : 503, readiness.text), isLast: isLast)
        default: sendMetrics(isLast: isLast)
        }
    }

    /// The page of a file with thousands of routes takes most of a second: neither requests nor other probes wait for it.
    private func sendMetrics(isLast: Bool) {
        guard let loop = context?.eventLoop else { return }
        isAnswering = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        standing.metrics { page in
            Self.pages.async {
                let answer = ProbeAnswer(200, page().text, contentType: PrometheusText.contentType)
                loop.execute { bound.value.send(answer, isLast: isLast) }
            }
        }
    }

    private func send(_ answer: ProbeAnswer, isLast: Bool) {
        guard let context else { return }
        isAnswering = true
        // Also the bound for a client that is slow to take it.
        setDeadline(in: Limits.probeIdleSeconds)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] _ in sent(isLast: isLast) }
        context.writeAndFlush(wrapOutboundOut(answer.bytes(isHead: head.method == .head, isLast: isLast)), promise: written)
    }

    /// The kernel has taken the answer. After the last one the client closes first, so that nothing of it is lost.
    private func sent(isLast: Bool) {
        isAnswering = false
        guard isLast else { return advance() }
        isOver = true
        input = ByteBuffer()
        setDeadline(in: Limits.probeHeadSeconds)
        context?.close(mode: .output, promise: nil)
    }
}

/// What a probe is told.
private struct ProbeAnswer {
    let status: UInt16
    let text: String
    let contentType: String

    init(_ status: UInt16, _ text: String, contentType: String = "text/plain; charset=utf-8") {
        self.status = status
        self.text = text
        self.contentType = contentType
    }

    func bytes(isHead: Bool, isLast: Bool) -> ByteBuffer {
        var out = ByteBuffer()
        out.writeStatusLine(status)
        out.writeString("Content-Type: \(contentType)\r\n")
        out.writeField("Content-Length", text.utf8.count)
        out.writeField("Cache-Control", "no-store")
        if status == 405 { out.writeField("Allow", "GET, HEAD") }
        if isLast { out.writeField("Connection", "close") }
        out.writeStaticString("\r\n")
        if !isHead { out.writeString(text) }
        return out
    }
}
