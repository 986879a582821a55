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
                    try child.pipeline.syncOperations.addHandler(Echo(context, answer, notes))
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

    /// Joins a `TLSConnection` to a channel of NIO, and answers.
    private final class Echo: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let records = TLSRecords()
        private let tls: TLSConnection
        private let answer: ByteBuffer?
        private let notes: Notes
        private var isReadHeld = false

        init(_ context: TLSContext, _ answer: String?, _ notes: Notes) {
            tls = TLSConnection(context: context, records: records)
            self.answer = answer.map { ByteBuffer(string: $0) }
            self.notes = notes
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var plaintext = ByteBuffer()
            let news = unsafe unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
                unsafe tls.receive(bytes, into: &plaintext, isWritable: context.channel.isWritable)
            }
            sendRecords(context)
            if plaintext.readableBytes > 0 { fail(tls.write(answer ?? plaintext) ?? tls.flush(), context) }
            sendRecords(context)
            fail(news.error, context)
            guard news.closed else { return }
            tls.close(all: true)
            sendRecords(context)
            context.close(promise: nil)
        }

        private func sendRecords(_ context: ChannelHandlerContext) {
            guard records.output.readableBytes > 0 else { return }
            context.writeAndFlush(wrapOutboundOut(records.output), promise: nil)
            records.output = ByteBuffer()
        }

        private func fail(_ error: TLSError?, _ context: ChannelHandlerContext) {
            guard let error else { return }
            notes.errors.withLock { $0.append(error) }
            context.close(promise: nil)
        }

        func read(context: ChannelHandlerContext) {
            isReadHeld = !context.channel.isWritable
            if !isReadHeld { context.read() }
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            if isReadHeld, context.channel.isWritable { context.read() }
        }

        func channelInactive(context: ChannelHandlerContext) {
            if case .failure(let error) = tls.streamEnded() { notes.errors.withLock { $0.append(error) } }
            notes.end.yield()
        }
    }
}
