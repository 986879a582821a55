import HTTPWire
import NIOCore

/// One connection: reads requests one at a time, has them answered, writes the answers. On its event loop only.
final class ServiceConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes of a request body: room for an avatar of 256 KB in base64 and more.
    private static let bodyLimit = 1024 * 1024

    private let calls: CallRunner
    private var input = ByteBuffer()
    private var parser = RequestParser(limits: WireLimits())
    private var head = RequestHead()
    private var decoder: BodyDecoder?
    private var request = ServiceRequest(method: "", path: [])
    private var fault: Fault?
    private var phase = Phase.head
    private var inputIsOver = false

    private enum Phase { case head, body, answering, over }

    init(_ calls: CallRunner) { self.calls = calls }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        input.writeBuffer(&bytes)
        guard phase != .answering || input.readableBytes <= Self.bodyLimit else { return end(context) }
        advance(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case ChannelEvent.inputClosed = event else { return context.fireUserInboundEventTriggered(event) }
        inputIsOver = true
        if phase != .answering { end(context) }
    }

    func channelInactive(context: ChannelHandlerContext) { phase = .over }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end(context) }
}

// MARK: reading

extension ServiceConnection {
    private func advance(_ context: ChannelHandlerContext) {
        do throws(WireError) {
            if phase == .head { try readHead(context) }
            if phase == .body { try readBody(context) }
        } catch {
            refuse(context, ServiceError.badRequest("The request is malformed: \(error.reason)."))
        }
    }

    private func readHead(_ context: ChannelHandlerContext) throws(WireError) {
        switch parser.parse(&input, into: &head) {
        case .needMore: return
        case .failed(let error): throw error
        case .complete: break
        }
        guard let request = ServiceRequest(head) else { throw .malformedTarget }
        self.request = request
        fault = calls.fault(for: request)
        guard fault?.kind != .dropUnread else { return end(context) }
        if head.expectsContinue { write(context, Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        decoder = BodyDecoder(head.framing, limits: WireLimits())
        phase = .body
    }

    private func readBody(_ context: ChannelHandlerContext) throws(WireError) {
        while phase == .body {
            switch try decoder?.next(&input) {
            case .data(let piece):
                request.body += piece.readableBytesView
                guard request.body.count <= Self.bodyLimit else {
                    return refuse(context, ServiceError(status: 413, code: .badRequest, message: "The body is too large."))
                }
            case .end: answer(context)
            case .needMore, nil: return
            }
        }
    }
}

// MARK: answering

extension ServiceConnection {
    private func answer(_ context: ChannelHandlerContext) {
        phase = .answering
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        calls.script(for: request, fault: fault, on: context.eventLoop).assumeIsolated().whenComplete { result in
            let steps = (try? result.get())?.steps ?? [.close]
            self.perform(steps[...], bound.value)
        }
    }

    private func refuse(_ context: ChannelHandlerContext, _ error: ServiceError) {
        phase = .answering
        request.endsConnection = true
        perform(AnswerScript(calls.api.refusal(error), to: request).steps[...], context)
    }

    /// Goes through the steps, then on to the next request.
    private func perform(_ steps: ArraySlice<AnswerScript.Step>, _ context: ChannelHandlerContext) {
        guard phase == .answering, let step = steps.first else { return goOn(context) }
        let rest = steps.dropFirst()
        switch step {
        case .write(let bytes):
            write(context, bytes)
            perform(rest, context)
        case .wait(let milliseconds):
            context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(milliseconds)) { self.perform(rest, context) }
        case .hold:
            let released = calls.faults?.hold(on: context.eventLoop) ?? context.eventLoop.makeSucceededVoidFuture()
            released.assumeIsolated().whenComplete { _ in self.perform(rest, context) }
        case .close: end(context)
        case .hang: break
        }
    }

    private func goOn(_ context: ChannelHandlerContext) {
        guard phase == .answering else { return }
        guard !request.endsConnection, !inputIsOver else { return end(context) }
        phase = .head
        advance(context)
    }

    private func write(_ context: ChannelHandlerContext, _ bytes: [UInt8]) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }

    private func end(_ context: ChannelHandlerContext) {
        phase = .over
        context.close(promise: nil)
    }
}

extension ServiceRequest {
    /// Reads what the API needs of a head; nil where the target can't be decoded.
    fileprivate init?(_ head: borrowing RequestHead) {
        let query = if let range = head.queryRange { "?" + head.text(range) } else { "" }
        self.init(method: head.text(head.methodRange), target: head.text(head.pathRange) + query)
        for field in head.fields { fields[head.text(field.name).lowercased(), default: []].append(head.text(field.value)) }
        endsConnection = !head.keepAlive
    }
}

extension RequestHead {
    fileprivate func text(_ range: Range<Int>) -> String {
        withBytes(range) { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
    }
}
