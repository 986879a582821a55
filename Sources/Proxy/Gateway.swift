package import NIOCore
import NIOPosix
import Policy
package import Suspensions
import Synchronization
package import TLS

/// The running proxy: its event loops with a worker each, and its listeners.
package final class Gateway: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let workers: Mutex<[NIOLoopBound<Worker>]> = Mutex([])
    private let listeners: Mutex<[any Channel]> = Mutex([])
    private let admissions: ConnectionAdmission
    private let snapshot: Snapshot
    private let log: LogWriter?

    /// Starts the loops. Nothing is accepted yet.
    package init(snapshot: Snapshot, log: LogWriter?, threads: Int) throws {
        self.snapshot = snapshot
        self.log = log
        group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        admissions = ConnectionAdmission(limits: snapshot.limits)
        for loop in group.makeIterator() {
            let bound = try loop.submit { NIOLoopBound(Worker(loop: loop, gateway: self, snapshot: snapshot, log: log), eventLoop: loop) }
                .wait()
            workers.withLock { $0.append(bound) }
        }
    }

    /// Ends the open work of users who were just blocked, on every loop. From any thread.
    package func cut(_ blocked: [Subject]) {
        onEveryLoop { $0.cut(blocked) }
    }

    /// Accepts connections at `address`; with TLS where a context is given. Returns the bound address.
    package func listen(_ address: SocketAddress, tls: TLSContext?) throws -> SocketAddress? {
        let channel = try bootstrap(tls: tls).bind(to: address).wait()
        listeners.withLock { $0.append(channel) }
        return channel.localAddress
    }

    /// Ends accepting, closes idle connections, and waits up to `bound` for the open work; then everything ends. True if all was done.
    package func drain(within bound: TimeAmount) -> Bool {
        for listener in listeners.withLock({ $0 }) { try? listener.close().wait() }
        onEveryLoop { $0.drain() }
        let end = NIODeadline.now() + bound
        while openWork > 0 && NIODeadline.now() < end { pause() }
        let isDone = openWork == 0
        for bound in workers.withLock({ $0 }) { try? bound.eventLoop.submit { bound.value.stop() }.wait() }
        try? group.syncShutdownGracefully()
        return isDone
    }

    /// Runs `next` on `loop` after every loop has done all that it had to do when this was called.
    func afterEveryLoop(on loop: any EventLoop, _ next: @escaping @Sendable () -> Void) {
        let bounds = workers.withLock { $0 }
        let left = Counter(bounds.count)
        for bound in bounds {
            bound.eventLoop.execute {
                if left.isLast() { loop.execute(next) }
            }
        }
    }

    private func onEveryLoop(_ work: @escaping @Sendable (Worker) -> Void) {
        for bound in workers.withLock({ $0 }) {
            bound.eventLoop.execute { work(bound.value) }
        }
    }

    private var openWork: Int {
        workers.withLock { $0 }.reduce(0) { sum, bound in
            sum + ((try? bound.eventLoop.submit { bound.value.openWork }.wait()) ?? 0)
        }
    }

    /// Waits a little, off every loop.
    private func pause() {
        try? group.next().scheduleTask(in: .milliseconds(20)) {}.futureResult.wait()
    }

    private func worker(on loop: any EventLoop) -> NIOLoopBound<Worker>? {
        workers.withLock { $0.first { $0.eventLoop === loop } }
    }

    private func bootstrap(tls: TLSContext?) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { [admissions] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptGate(admissions))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: TransientReadBuffers())
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 128 * 1024, high: 512 * 1024))
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel, tls: tls) }
            }
    }

    private func accept(_ channel: any Channel, tls: TLSContext?) throws {
        guard let worker = worker(on: channel.eventLoop)?.value, !worker.isDraining else {
            throw ChannelError.inappropriateOperationForState
        }
        let peer = Peer(channel.remoteAddress, trusted: snapshot.trustedProxies, isTLS: tls != nil)
        guard admissions.enter(peer.address) else { throw ChannelError.inappropriateOperationForState }
        let leave = admissions
        channel.closeFuture.whenComplete { _ in leave.leave(peer.address) }
        let handler = tls.map { TLSHandler(context: $0) }
        if let handler { try channel.pipeline.syncOperations.addHandler(handler) }
        try channel.pipeline.syncOperations.addHandler(ClientConnection(worker: worker, peer: peer, tls: handler))
    }
}

/// Counts down from any thread.
private final class Counter: Sendable {
    private let left: Atomic<Int>
    init(_ count: Int) { left = Atomic(count) }
    func isLast() -> Bool { left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}
