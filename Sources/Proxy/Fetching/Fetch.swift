import NIOCore
import Policy

#if canImport(Glibc)
    import Glibc
#endif

/// One fetch on its way: name, connection, answer, each within the same time. Loop-bound.
final class Fetch {
    let order: FetchOrder
    private unowned let desk: FetchDesk
    /// Loop clock in nanoseconds by which all must be done.
    private let deadline: Int64
    private var stage = Stage.resolving

    private enum Stage {
        case resolving
        case connecting(Connector)
        case answering(FetchConnection)
        case ended
    }

    var loop: SocketLoop { desk.loop }

    init(_ order: FetchOrder, desk: FetchDesk) {
        self.order = order
        self.desk = desk
        deadline = SocketLoop.now + order.timeout * 1_000_000
    }

    func start() {
        let bound = LoopBound(self, desk.loop)
        guard order.destination.isTrustKnown else {
            return bound.execute { $0.end(.failure(FetchFailure(.certificate, "the authorities to trust can't be read"))) }
        }
        if let address = order.destination.address { return bound.execute { $0.connect([address]) } }
        guard let name = order.destination.name else { return bound.execute { $0.connect([]) } }
        desk.resolver.resolve(name.host, port: name.port) { addresses in bound.execute { $0.connect(addresses) } }
    }

    func checkDeadline(now: Int64) {
        if now > deadline { return end(.failure(FetchFailure(overdue, "\(waitedFor) took longer than \(order.timeout) ms"))) }
        switch stage {
        case .resolving where deadline - now < patience:
            let known = order.destination.name.map { desk.resolver.known($0.host, port: $0.port) } ?? []
            if !known.isEmpty { connect(known) }
        case .connecting(let connector): connector.checkDeadline(now: now)
        case .resolving, .answering, .ended: break
        }
    }

    /// Ends it without telling anybody.
    func cancel() {
        switch stage {
        case .connecting(let connector): connector.cancel()
        case .answering(let connection): connection.abandon()
        case .resolving, .ended: break
        }
        stage = .ended
    }

    /// Ends it; without effect the second time.
    func end(_ result: Result<FetchedDocument, FetchFailure>) {
        if case .ended = stage { return }
        cancel()
        desk.ended(self, result)
    }

    /// Nanoseconds before the deadline from which it goes on with addresses of earlier: a name that nobody answers for is known to few.
    private var patience: Int64 { order.timeout * 1_000_000 / 3 * 2 }

    private var host: String { order.destination.name?.host ?? order.host }

    private var overdue: FetchFailure.Cause { if case .resolving = stage { .dns } else { .timeout } }

    private var waitedFor: String {
        switch stage {
        case .resolving: "finding the address of \(host)"
        case .connecting: "connecting"
        case .answering(let connection): connection.isHandshaking ? "the TLS handshake" : "the answer"
        case .ended: ""
        }
    }

    private func connect(_ addresses: [SocketAddress]) {
        guard case .resolving = stage else { return }
        // A name that is called local must be so: its answer is not verified.
        let taken = order.destination.mustBeLoopback ? addresses.filter(\.isLoopback) : addresses
        guard !taken.isEmpty else {
            let reason = addresses.isEmpty ? "has no address" : "is not this machine's loopback"
            return end(.failure(FetchFailure(.dns, "\(host) \(reason)")))
        }
        let connector = Connector(on: desk.loop, deadline: deadline) { [weak self] descriptor in
            if let self { connected(descriptor) } else if let descriptor { close(descriptor) }
        }
        stage = .connecting(connector)
        connector.start(taken)
    }

    private func connected(_ descriptor: CInt?) {
        guard case .connecting(let connector) = stage else {
            if let descriptor { close(descriptor) }
            return
        }
        guard let descriptor else {
            let code = connector.refusal
            let reason = code == 0 ? "no answer" : SocketError.reason(code)
            return end(.failure(FetchFailure(code == 0 ? .timeout : .connect, "connecting to \(order.host): \(reason)")))
        }
        guard let connection = FetchConnection(descriptor, fetch: self, records: desk.records), connection.isOpen else {
            return end(.failure(FetchFailure(.connect, "no memory or descriptor left")))
        }
        stage = .answering(connection)
        connection.begin()
    }
}

extension SocketAddress {
    /// 127.0.0.0/8 or ::1.
    fileprivate var isLoopback: Bool {
        switch self {
        case .v4: ipAddress?.hasPrefix("127.") == true
        case .v6: ipAddress == "::1"
        case .unixDomainSocket: false
        }
    }
}
