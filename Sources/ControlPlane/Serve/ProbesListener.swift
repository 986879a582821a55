package import NIOCore
import NIOPosix
import Policy
import Proxy

/// The probes' own address: plain HTTP, no token, `GET /healthz`, `/readyz` and `/metrics` (SPEC §8). On a loop of its own, so that a busy
/// gateway still answers.
package final class ProbesListener: Sendable {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let channel: any Channel
    private let bound: BoundListener

    /// Answers who connects to `bound`; throws the system's reason where it can't.
    init(_ bound: BoundListener, _ standing: Standing) throws {
        self.bound = bound
        let connections = NIOLoopBoundBox.makeBoxSendingValue(ProbeConnections(), eventLoop: group.next())
        do {
            channel = try ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(ProbeConnection(standing, connections.value))
                    }
                }
                .withBoundSocket(bound.descriptor).wait()
        } catch {
            try? group.syncShutdownGracefully()
            throw error
        }
    }

    package var address: SocketAddress? { channel.localAddress }

    /// The listening socket, as long as this is open.
    var descriptor: CInt { bound.descriptor }

    package func close() {
        try? channel.close().wait()
        ProbeConnection.finishPages()
        try? group.syncShutdownGracefully()
    }
}
