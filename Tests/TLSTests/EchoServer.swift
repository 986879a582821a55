import NIOCore
import NIOPosix
import Synchronization
import TLS

/// A TLS server on a free loopback port that sends back what it gets, or `answer` to everything, and reads no faster than it can
/// write.
final class EchoServer: Sendable {
    let port: Int
    private let channel: any Channel
    private let notes = Notes()

    /// What the connections have left behind; shared by their loops and the test.
    final class Notes: Sendable {
        let errors = Mutex<[TLSError]>([])
        let ended: AsyncStream<Void>
        let end: AsyncStream<Void>.Continuation

        init() { (ended, end) = AsyncStream.makeStream() }
    }

    var errors: [TLSError] { notes.errors.withLock { $0 } }

    init(answering answer: String? = nil) async throws {
        let context = try TLSContext.test()
        let notes = notes
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandlers([TLSHandler(context: context), Echo(answer, notes)])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func close() async throws { try await channel.close() }

    /// Waits until so many connections are gone.
    func connectionsEnded(_ count: Int) async throws {
        var left = count
        for await _ in notes.ended {
            left -= 1
            if left == 0 { return }
        }
    }

    private final class Echo: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let answer: ByteBuffer?
        private let notes: Notes
        private var isReadHeld = false

        init(_ answer: String?, _ notes: Notes) {
            self.answer = answer.map { ByteBuffer(string: $0) }
            self.notes = notes
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.write(wrapOutboundOut(answer ?? unwrapInboundIn(data)), promise: nil)
        }

        func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

        func read(context: ChannelHandlerContext) {
            isReadHeld = !context.channel.isWritable
            if !isReadHeld { context.read() }
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            if isReadHeld, context.channel.isWritable { context.read() }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if let error = error as? TLSError { notes.errors.withLock { $0.append(error) } }
        }

        func channelInactive(context: ChannelHandlerContext) { notes.end.yield() }
    }
}
