import Glibc
import HTTPWire
import NIOCore
import Policy

/// The admin listener's connections, bounded: a new one takes the place of the one whose time ends first. Loop-bound.
final class AdminConnections {
    private var open: [AdminConnection] = []
    var failures = AdminFailures()
    /// Connections that follow the log.
    var followers = 0
    /// An import's body is being read, or it is being carried out: then also when its client has gone.
    var isImporting = false

    func enter(_ connection: AdminConnection) {
        if open.count >= Limits.adminConnections {
            // Who has shown a token stays before who has not.
            let strangers = open.filter { $0.token == nil }
            (strangers.isEmpty ? open : strangers).min { $0.deadline < $1.deadline }?.close()
        }
        open.append(connection)
    }

    func leave(_ connection: AdminConnection) { open.removeAll { $0 === connection } }
}

/// One client of the admin listener: one request after the other, each judged before its body is read. Loop-bound.
final class AdminConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let room: AdminRoom
    let connections: AdminConnections
    /// Where it comes from, as wrong tokens are counted.
    let source: String
    private(set) var context: ChannelHandlerContext?
    private var input = ByteBuffer()
    private var parser = RequestParser(limits: WireLimits(head: Limits.adminHead, fieldCount: 64))
    private var head = RequestHead()
    private var stage = Stage.head
    /// The request's that is being answered.
    var current: AdminHead?
    var requestID: [UInt8] = []
    var token: AdminToken?
    var endpoint: AdminEndpoint?
    /// Goes up with every answer: what comes late for an earlier one is dropped.
    var turn = 0
    /// The body of the one import that there may be is being read here.
    var holdsImport = false
    /// An answer's head has been sent: it is too late for another one.
    var hasAnswered = false
    var isFollowing = false
    /// When it is closed unless something happens before.
    private(set) var deadline = NIODeadline.distantFuture
    private var alarm: Scheduled<Void>?

    private enum Stage {
        case head
        case body(BodyDecoder, AdminCall, limit: Int, until: NIODeadline)
        /// An answer is being made, or the client hasn't taken it all: what comes meanwhile waits.
        case answering
        /// The last answer has been sent: what comes is dropped until the client closes.
        case over
    }

    /// Bytes that may wait while an answer is being made.
    private static let inputBound = 32 * 1024

    init(_ room: AdminRoom, _ connections: AdminConnections, source: String) {
        self.room = room
        self.connections = connections
        self.source = source
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        connections.enter(self)
        setDeadline(in: Limits.adminHeadSeconds)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        alarm?.cancel()
        letGo()
        connections.leave(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        switch stage {
        case .over: return
        case .head where input.readableBytes == 0: setDeadline(in: Limits.adminHeadSeconds)
        case .body(_, _, _, let until): setDeadline(min(until, .now() + .seconds(Int64(Limits.adminHeadSeconds))))
        default: break
        }
        input.writeBuffer(&bytes)
        advance()
        if case .answering = stage, input.readableBytes > Self.inputBound { close() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close() }

    func close() { context?.close(promise: nil) }

    func setDeadline(in seconds: Int) { setDeadline(.now() + .seconds(Int64(seconds))) }

    private func setDeadline(_ time: NIODeadline) {
        deadline = time
        alarm?.cancel()
        alarm = context?.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in self?.expired() }
    }

    /// Whoever waits for an answer, or was in the middle of a request, is told; everybody else has gone silent.
    private func expired() {
        switch stage {
        case .head where input.readableBytes > 0:
            requestID = Self.newID()
            refuseSlow()
        case .body: refuseSlow()
        case .answering where !hasAnswered:
            turn += 1
            let wait = "No answer in \(Limits.adminAnswerSeconds) s: a disk, or a reload, takes its time."
            guard endpoint?.role == .operator else { return send(AdminRefusal.overloaded.answer(wait), isLast: true) }
            send(AdminRefusal.outcomeUnknown.answer(wait + " It may be done yet: look at the log and the list, then repeat."), isLast: true)
        default: close()
        }
    }

    private func refuseSlow() {
        stage = .answering
        send(AdminRefusal.requestTimeout.answer(), isLast: true)
    }
}

// MARK: - what comes

extension AdminConnection {
    private func advance() {
        while context != nil {
            switch stage {
            case .answering, .over: return
            case .head:
                switch parser.parse(&input, into: &head) {
                case .needMore: return
                case .failed(let error):
                    stage = .answering
                    requestID = Self.newID()
                    return send(AdminRefusal.badRequest.answer("The request is malformed: \(error.reason)."), isLast: true)
                case .complete: judge()
                }
            case .body(var decoder, var call, let limit, let until):
                stage = .answering
                guard let piece = try? decoder.next(&input) else {
                    return send(AdminRefusal.badRequest.answer("The body is malformed."), isLast: true)
                }
                switch piece {
                case .needMore:
                    stage = .body(decoder, call, limit: limit, until: until)
                    return
                case .data(let bytes):
                    guard call.request.body.count + bytes.readableBytes <= limit else {
                        return send(AdminRefusal.bodyTooLarge.answer(), isLast: true)
                    }
                    call.request.body += bytes.readableBytesView
                    stage = .body(decoder, call, limit: limit, until: until)
                case .end: act(call)
                }
            }
        }
    }

    private func judge() {
        let head = AdminHead(head)
        stage = .answering
        current = head
        hasAnswered = false
        endpoint = nil
        requestID = Self.newID()
        do throws(AdminDenial) {
            switch try AdminJudge(self, head).verdict() {
            case .page(let answer): send(answer, isLast: head.framing.hasBody)
            case .call(let call): take(call, head)
            }
        } catch {
            // A body that nobody reads can't be told from the next request.
            send(error.answer, isLast: head.framing.hasBody)
        }
    }

    private func take(_ call: AdminCall, _ head: AdminHead) {
        endpoint = call.endpoint
        let limit = call.endpoint.body.limit
        if case .length(let count) = head.framing, count > limit { return send(AdminRefusal.bodyTooLarge.answer(), isLast: true) }
        if call.endpoint.body == .lines {
            guard !connections.isImporting else { return send(AdminRefusal.importInProgress.answer(), isLast: head.framing.hasBody) }
            (connections.isImporting, holdsImport) = (true, true)
        }
        guard head.framing.hasBody else { return act(call) }
        if head.expectsContinue {
            context?.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        }
        let until = NIODeadline.now() + .seconds(Int64(Limits.adminBodySeconds))
        stage = .body(BodyDecoder(head.framing, limits: WireLimits()), call, limit: limit, until: until)
        setDeadline(in: Limits.adminHeadSeconds)
    }

    /// Answers come on any thread and are sent here.
    private func act(_ call: AdminCall) {
        guard let loop = context?.eventLoop else { return }
        // Its body may have taken its time, and a reload the token.
        guard room.gate.knows(call.request.token) else { return send(AdminRefusal.invalidToken.answer(), isLast: true) }
        setDeadline(in: Limits.adminAnswerSeconds)
        turn += 1
        // An import that has begun goes on without its client, and keeps the next one waiting until it ends.
        let bound = NIOLoopBound((self, turn, isImport: holdsImport), eventLoop: loop)
        holdsImport = false
        call.endpoint.act(call.api, call.request) { answer in
            loop.execute {
                let (connection, turn, isImport) = bound.value
                if isImport { connection.connections.isImporting = false }
                if connection.turn == turn { connection.send(answer) }
            }
        }
    }

    /// A random id: 128 bits in hex.
    private static func newID() -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        let digits = (0..<2).map { _ in
            let word = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - word.count) + word
        }
        return Array(digits.joined().utf8)
    }

    /// The answer is with the client: the next request.
    func answered(isLast: Bool) {
        letGo()
        current = nil
        endpoint = nil
        guard isLast else {
            stage = .head
            setDeadline(in: Limits.adminIdleSeconds)
            return advance()
        }
        stage = .over
        input = ByteBuffer()
        setDeadline(in: Limits.adminHeadSeconds)
        context?.close(mode: .output, promise: nil)
    }

    /// Gives back what it held for one answer.
    func letGo() {
        turn += 1
        if holdsImport { (connections.isImporting, holdsImport) = (false, false) }
        if isFollowing {
            connections.followers -= 1
            isFollowing = false
        }
    }
}
