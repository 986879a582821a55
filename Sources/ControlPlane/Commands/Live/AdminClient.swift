import Glibc
import HTTPWire
import NIOCore
import NIOPosix
import Policy
import StrictJSON
import TLS

/// Asks a running gateway's admin listener, one request a connection. Blocks: for commands.
struct AdminClient {
    private let target: AdminTarget

    init(_ target: AdminTarget) { self.target = target }

    /// What was answered; the body is empty where it was given out in pieces.
    struct Answer: Sendable {
        var status: UInt16 = 0
        var body: [UInt8] = []
    }

    /// Seconds without a byte until it gives up: longer than the listener takes to say that it can't answer.
    private static let patience: Int64 = 60

    /// The body of a 2xx; throws what the gateway said against it, or why it couldn't be asked. `pieces` gets a 2xx's body as it comes, on
    /// another thread, for as long as it goes on. `firstLine` is the number, in its file, of the first of a body's lines.
    func ask(
        _ method: String, _ path: String, body: (type: String, bytes: [UInt8])? = nil, firstLine: Int = 1,
        pieces: (@Sendable ([UInt8]) -> Void)? = nil
    ) throws(CommandFailure) -> [UInt8] {
        let deadline = ContinuousClock.now + .seconds(Self.upgradePatience)
        while true {
            let answer = try exchange(request(method, path, body), pieces: pieces)
            if 200...299 ~= answer.status { return answer.body }
            let failure = failure(answer, firstLine)
            guard let code = failure.code, Self.passing.contains(code), ContinuousClock.now < deadline else { throw failure }
            _ = poll(nil, 0, Self.pause)
        }
    }

    /// Nothing has changed, and a moment later it may be different: one process takes over from another, or loads the ledger.
    private static let passing: Set<String> = ["starting", "draining", "overloaded"]
    /// Seconds that such a moment may last.
    private static let upgradePatience: Int64 = 15
    /// Milliseconds until it is asked again.
    private static let pause: CInt = 250

    private func exchange(_ request: ByteBuffer, pieces: (@Sendable ([UInt8]) -> Void)?) throws(CommandFailure) -> Answer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try? group.syncShutdownGracefully() }
        let loop = group.next()
        let done = loop.makePromise(of: Answer.self)
        let bootstrap = ClientBootstrap(group: group).connectTimeout(.seconds(5)).channelInitializer { [target] channel in
            channel.eventLoop.makeCompletedFuture {
                if let context = target.tls, let tls = AdminTLS(client: context, to: target.identity) {
                    try channel.pipeline.syncOperations.addHandler(tls)
                }
                try channel.pipeline.syncOperations.addHandler(
                    AdminExchange(request, isTLS: target.tls != nil, pieces: pieces, patience: .seconds(Self.patience), done: done))
            }
        }
        do {
            switch target.place {
            case .network(let host, let port): _ = try bootstrap.connect(host: host, port: port).wait()
            case .unix(let path): _ = try bootstrap.connect(unixDomainSocketPath: path).wait()
            }
        } catch {
            done.fail(error)
            throw CommandFailure(
                "No gateway answers at \(target.shown) (\(Self.reason(error))). Is it running? If it is stopped: --ledger sqlite:FILE, "
                    + "the file that its `ledger` names.")
        }
        do { return try done.futureResult.wait() } catch {
            throw CommandFailure(
                "Asking \(target.shown) failed: \(Self.reason(error)). Look before you repeat it: tenantgate suspensions list.")
        }
    }

    private func request(_ method: String, _ path: String, _ body: (type: String, bytes: [UInt8])?) -> ByteBuffer {
        var request = ByteBuffer()
        request.writeString("\(method) \(path) HTTP/1.1\r\nHost: \(target.authority)\r\nAuthorization: Bearer ")
        request.writeBytes(target.token)
        request.writeString("\r\nUser-Agent: tenantgate/\(Versions.tenantgate)\r\nConnection: close\r\n")
        if let body { request.writeString("Content-Type: \(body.type)\r\nContent-Length: \(body.bytes.count)\r\n") }
        request.writeString("\r\n")
        if let body { request.writeBytes(body.bytes) }
        return request
    }

    /// What was said against it. The words are another program's, perhaps not the gateway's: they are shown, and nothing else.
    private func failure(_ answer: Answer, _ firstLine: Int) -> CommandFailure {
        let document = try? JSONDocument(answer.body, limits: JSONLimits(bytes: Limits.learnedAnswer, depth: 8))
        func text(_ name: String) -> String? {
            document.flatMap { document in
                document.member(name, of: document.root).flatMap { document.string($0) }.map { PlainText.shown($0) }
            }
        }
        guard let code = text("code"), let message = text("message") else {
            return CommandFailure("\(target.shown) answered \(answer.status), which is not the admin API's word. Is the address right?")
        }
        switch code {
        case "invalid_token":
            return CommandFailure(
                "The gateway doesn't know the token in \(target.tokenFile) (401 invalid_token). If it was changed: has the gateway been "
                    + "reloaded since (systemctl reload tenantgate)?")
        case "host_not_allowed":
            return CommandFailure("\(message) (403 host_not_allowed): add \(target.authority.split(separator: ":")[0]) to `admin.hosts`.")
        default:
            var failure = CommandFailure("\(message) (\(answer.status) \(code))" + details(document, firstLine))
            failure.code = code
            return failure
        }
    }

    /// Bad lines of an import, and problems of a file.
    private func details(_ document: JSONDocument?, _ firstLine: Int) -> String {
        guard let document, let problems = document.value(at: [Array("details".utf8), Array("problems".utf8)]) else { return "" }
        var (lines, named) = ("", 0)
        document.forEachElement(of: problems) { problem in
            named += 1
            if let text = document.string(problem) {
                lines += "\n" + PlainText.shown(text)
            } else if let line = document.member("line", of: problem), let what = document.member("problem", of: problem) {
                let number = Int(String(decoding: document.bytes[line.start..<line.end], as: UTF8.self)) ?? 0
                lines += "\nline \(number + firstLine - 1): \(PlainText.shown(document.string(what) ?? []))"
            }
            return true
        }
        if let count = document.value(at: [Array("details".utf8), Array("bad_lines".utf8)]),
            let bad = Int(String(decoding: document.bytes[count.start..<count.end], as: UTF8.self)), bad > named
        {
            lines += "\nand \(bad - named) more"
        }
        return lines
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? IOError { return errorText(error.errnoCode) }
        if let error = error as? NIOConnectionError {
            if let first = error.connectionErrors.first?.error as? IOError { return errorText(first.errnoCode) }
            return "\(error.host) has no address"
        }
        return "\(error)"
    }
}

/// One request and its answer on a channel.
private final class AdminExchange: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: ByteBuffer
    private let isTLS: Bool
    private let pieces: (@Sendable ([UInt8]) -> Void)?
    private let patience: TimeAmount
    private var done: EventLoopPromise<AdminClient.Answer>?
    private var parser = ResponseParser(limits: WireLimits(head: Limits.adminHead))
    private var head = ResponseHead()
    private var decoder: BodyDecoder?
    private var input = ByteBuffer()
    private var answer = AdminClient.Answer()
    private var alarm: Scheduled<Void>?

    init(
        _ request: ByteBuffer, isTLS: Bool, pieces: (@Sendable ([UInt8]) -> Void)?, patience: TimeAmount,
        done: EventLoopPromise<AdminClient.Answer>
    ) {
        (self.request, self.isTLS, self.pieces, self.patience, self.done) = (request, isTLS, pieces, patience, done)
    }

    func channelActive(context: ChannelHandlerContext) {
        wait(context)
        if !isTLS { context.writeAndFlush(wrapOutboundOut(request), promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is AdminTLS.Ready { context.writeAndFlush(wrapOutboundOut(request), promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        input.writeBuffer(&bytes)
        wait(context)
        do { try read(context) } catch { end(.failure(error), context) }
    }

    func channelInactive(context: ChannelHandlerContext) { end(.failure(AdminExchangeError.closed), context) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { end(.failure(error), context) }

    private func read(_ context: ChannelHandlerContext) throws {
        while decoder == nil {
            switch parser.parse(&input, into: &head, answering: .get) {
            case .needMore: return
            case .failed(let error): throw error
            case .complete:
                guard !head.isInterim else { continue }
                answer.status = head.status
                decoder = BodyDecoder(head.framing, limits: WireLimits())
            }
        }
        while let piece = try decoder?.next(&input) {
            switch piece {
            case .needMore: return
            case .data(let bytes):
                if let pieces, 200...299 ~= answer.status {
                    pieces(Array(bytes.readableBytesView))
                } else {
                    answer.body += bytes.readableBytesView
                }
            case .end: return end(.success(answer), context)
            }
        }
    }

    private func wait(_ context: ChannelHandlerContext) {
        alarm?.cancel()
        alarm = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { [weak self] in
            self?.end(.failure(AdminExchangeError.silent), context)
        }
    }

    private func end(_ result: Result<AdminClient.Answer, any Error>, _ context: ChannelHandlerContext) {
        guard let done else { return }
        self.done = nil
        alarm?.cancel()
        done.completeWith(result)
        context.close(promise: nil)
    }
}

private enum AdminExchangeError: Error, CustomStringConvertible {
    case closed, silent

    var description: String {
        switch self {
        case .closed: "the connection ended before the answer was whole"
        case .silent: "no answer came"
        }
    }
}
