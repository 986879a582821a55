import COpenSSL
import NIOCore
import NIOEmbedded
import TLS

/// A client and a server's channel without a socket between them: what one sends is handed to the other in pieces of any size.
final class Pair {
    let client: ClientSession
    let channel: EmbeddedChannel
    let handler: TLSHandler
    let log = EventLog()
    /// Bytes that arrive at the server at a time.
    var piece = Int.max
    /// What each write of the server to its socket was.
    private(set) var serverWrites: [[UInt8]] = []
    /// What has arrived at the client.
    private(set) var received: [UInt8] = []

    init(_ context: TLSContext, _ offer: ClientSession.Offer = .init()) throws {
        client = ClientSession(offer)
        handler = TLSHandler(context: context)
        channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([HalfClosable(), handler, log])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

    /// A pair after its handshake.
    static func connected(_ context: TLSContext, _ offer: ClientSession.Offer = .init()) throws -> Pair {
        let pair = try Pair(context, offer)
        pair.client.shakeHands()
        pair.pump()
        return pair
    }

    /// Carries bytes to and fro until there are none.
    func pump() {
        while true {
            let up = client.takeOutput()
            deliver(up)
            let down = takeServerOutput()
            if !down.isEmpty { received += client.receive(down) }
            if up.isEmpty, down.isEmpty { return }
        }
    }

    /// Hands bytes to the server, in pieces.
    func deliver(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(piece)
            rest = rest.dropFirst(part.count)
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: part))
            channel.pipeline.fireChannelReadComplete()
        }
    }

    /// What the server has sent since the last time.
    func takeServerOutput() -> [UInt8] {
        var all: [UInt8] = []
        while let buffer = try? channel.readOutbound(as: ByteBuffer.self) {
            serverWrites.append(Array(buffer.readableBytesView))
            all += buffer.readableBytesView
        }
        return all
    }

    /// Sends from the client, returns what the handlers of the server got.
    func serverHears(_ bytes: [UInt8]) -> [UInt8] {
        let before = log.data.count
        client.send(bytes)
        pump()
        return Array(log.data[before...])
    }

    /// Sends from the server, returns what the client got.
    func clientHears(_ bytes: [UInt8]) -> [UInt8] {
        let before = received.count
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        pump()
        return Array(received[before...])
    }
}

/// Above the TLS handler: notes all that comes.
final class EventLog: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private(set) var data: [UInt8] = []
    private(set) var reads = 0
    private(set) var handshake: TLSHandshakeCompleted?
    private(set) var inputClosed = 0
    private(set) var errors: [TLSError] = []
    private(set) var isInactive = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        reads += 1
        self.data += unwrapInboundIn(data).readableBytesView
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let completed = event as? TLSHandshakeCompleted { handshake = completed }
        if event as? ChannelEvent == .inputClosed { inputClosed += 1 }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? TLSError { errors.append(error) }
    }

    func channelInactive(context: ChannelHandlerContext) { isInactive = true }
}

/// Below the TLS handler: an `EmbeddedChannel` can't close one direction alone.
final class HalfClosable: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .output { promise?.succeed() } else { context.close(mode: mode, promise: promise) }
    }
}
