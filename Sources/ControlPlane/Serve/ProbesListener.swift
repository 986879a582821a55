import HTTPWire
package import NIOCore
import NIOPosix
import Policy

/// The probes' own address: plain HTTP, no token, `GET /healthz` (SPEC §8). On a loop of its own, so that a busy gateway still answers.
package final class ProbesListener: Sendable {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let channel: any Channel

    /// Listens; throws the system's reason where it can't.
    package init(_ address: SocketAddress) throws {
        channel = try ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(ProbeConnection()) }
            }
            .bind(to: address).wait()
    }

    package var address: SocketAddress? { channel.localAddress }

    package func close() {
        try? channel.close().wait()
        try? group.syncShutdownGracefully()
    }
}

/// One probe's connection: one request after another, nothing else.
private final class ProbeConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var input = ByteBuffer()
    private var parser = RequestParser(limits: WireLimits(head: 4096, fieldCount: 32))
    private var head = RequestHead()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        input.writeBuffer(&bytes)
        while true {
            switch parser.parse(&input, into: &head) {
            case .needMore: return
            case .failed: return answer(400, "bad request\n", isLast: true, context)
            case .complete: answerRequest(context)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answerRequest(_ context: ChannelHandlerContext) {
        let isLast = !head.keepAlive || head.framing.hasBody
        let path = head.withBytes(head.pathRange) { String(decoding: (0..<$0.count).map { [bytes = copy $0] in bytes[$0] }, as: UTF8.self) }
        guard path == "/healthz" else { return answer(404, "not found\n", isLast: isLast, context) }
        guard head.method == .get || head.method == .head else { return answer(405, "method not allowed\n", isLast: isLast, context) }
        answer(200, "ok\n", isLast: isLast, context)
    }

    private func answer(_ status: UInt16, _ text: StaticString, isLast: Bool, _ context: ChannelHandlerContext) {
        var out = ByteBuffer()
        out.writeStatusLine(status)
        out.writeField("Content-Type", "text/plain; charset=utf-8")
        out.writeField("Content-Length", text.utf8CodeUnitCount)
        out.writeField("Cache-Control", "no-store")
        if status == 405 { out.writeField("Allow", "GET, HEAD") }
        if isLast { out.writeField("Connection", "close") }
        out.writeStaticString("\r\n")
        if head.method != .head { out.writeStaticString(text) }
        context.writeAndFlush(wrapOutboundOut(out), promise: nil)
        if isLast { context.close(promise: nil) }
    }
}
