import NIOCore
import TLS

/// Joins our TLS to a channel of NIO, for the admin listener and its client: bytes of records on one side, plaintext on the other.
final class AdminTLS: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// The handshake is done: told to the handlers behind.
    struct Ready: Sendable {}

    private let records: TLSRecords
    private let tls: TLSConnection

    /// A server's side.
    init(_ context: TLSContext) {
        records = TLSRecords()
        tls = TLSConnection(context: context, records: records)
    }

    /// A client's side; nil without memory.
    init?(client: TLSClientContext, to identity: TLSServerIdentity) {
        records = TLSRecords()
        guard let tls = TLSConnection(client: client, to: identity, records: records) else { return nil }
        self.tls = tls
    }

    func channelActive(context: ChannelHandlerContext) {
        let news = tls.begin()
        send(context, nil)
        if let error = news.error { context.fireErrorCaught(error) }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var plaintext = ByteBuffer()
        let news = unsafe unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
            unsafe tls.receive(bytes, into: &plaintext, isWritable: context.channel.isWritable)
        }
        send(context, nil)
        if news.completed != nil { context.fireUserInboundEventTriggered(Ready()) }
        if plaintext.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(plaintext)) }
        if let error = news.error {
            context.fireErrorCaught(error)
        } else if news.closed {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .failure(let error) = tls.streamEnded() { context.fireErrorCaught(error) }
        tls.cut()
        context.fireChannelInactive()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let error = tls.write(unwrapOutboundIn(data)) ?? tls.flush()
        send(context, promise)
        if let error { context.fireErrorCaught(error) }
    }

    func flush(context: ChannelHandlerContext) { context.flush() }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        tls.close(all: mode == .all)
        send(context, nil)
        context.close(mode: mode, promise: promise)
    }

    private func send(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        guard records.output.readableBytes > 0 else {
            promise?.succeed(())
            return
        }
        context.writeAndFlush(wrapOutboundOut(records.output), promise: promise)
        records.output = ByteBuffer()
    }
}
