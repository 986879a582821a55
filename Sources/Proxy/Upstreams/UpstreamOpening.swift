import Glibc
import NIOCore
import TLS

/// A connection on its way to a server: its socket, then TLS's handshake, both within the upstream's `connect_timeout`. Loop-bound.
///
/// Ends in one call of `completion`, never before `start` has returned; after `cancel` in none.
final class UpstreamOpening {
    /// The server's place in the pool.
    let server: Int
    /// Loop clock in nanoseconds when it was begun.
    let began: Int64
    private let pool: UpstreamPool
    private let worker: Worker
    /// Loop clock in nanoseconds by which the connection must stand.
    private let deadline: Int64
    private var connector: Connector?
    /// While its handshake goes on.
    private var connection: UpstreamConnection?
    private var completion: Completion?

    typealias Completion = (UpstreamOpening, Result<UpstreamConnection, ConnectFailure>) -> Void

    init(server: Int, pool: UpstreamPool, worker: Worker, completion: @escaping Completion) {
        self.server = server
        self.pool = pool
        self.worker = worker
        self.completion = completion
        began = worker.clock.now
        deadline = began + pool.upstream.times.connect * 1_000_000
    }

    func start() {
        let connector = Connector(on: worker.loop, deadline: deadline) { [weak self] descriptor in
            if let self { connected(descriptor) } else if let descriptor { close(descriptor) }
        }
        self.connector = connector
        let place = pool.servers[server]
        connector.start(place.server, place.address, names: worker.gateway.names)
    }

    /// Gives up what takes too long. Called by the loop's tick.
    func checkDeadline(now: Int64) {
        connector?.checkDeadline(now: now)
        if connection != nil, now > deadline { failed(.timedOut) }
    }

    func cancel() {
        completion = nil
        connector?.cancel()
        letGo()
    }

    private func connected(_ descriptor: CInt?) {
        worker.clock.read()
        guard let descriptor else { return failed(connector?.failure ?? .timedOut) }
        connector = nil
        let place = pool.servers[server]
        guard let tls = pool.upstream.tls, let identity = place.identity else {
            let connection = UpstreamConnection(descriptor, pool: pool, server: server, tls: nil, worker: worker)
            return connection.isOpen ? end(.success(connection)) : failed(.noMemory)
        }
        guard let session = TLSConnection(client: tls.context, to: identity, records: worker.records, resuming: place.sessions) else {
            _ = close(descriptor)
            return failed(.noMemory)
        }
        let connection = UpstreamConnection(descriptor, pool: pool, server: server, tls: session, worker: worker)
        guard connection.isOpen else { return failed(.noMemory) }
        self.connection = connection
        connection.shakeHands(for: self)
    }

    /// For the connection: it stands.
    func handshakeDone(_ connection: UpstreamConnection, _ completed: TLSHandshakeCompleted) {
        worker.clock.read()
        self.connection = nil
        connection.stands = true
        pool.board.shookHands(resumed: completed.resumed)
        end(.success(connection))
    }

    func failed(_ failure: ConnectFailure) {
        letGo()
        end(.failure(failure))
    }

    private func letGo() {
        connection?.opening = nil
        connection?.abandon()
        connection = nil
        connector = nil
    }

    private func end(_ result: Result<UpstreamConnection, ConnectFailure>) {
        let completion = completion
        self.completion = nil
        completion?(self, result)
    }
}

/// Why a connection to a server could not be made.
enum ConnectFailure: Error {
    /// The system's number for the reason.
    case refused(CInt)
    case timedOut
    /// Its name has no address.
    case noAddress
    case tls(TLSError)
    /// Nothing that the server can help.
    case noMemory

    /// Whether it says something of the server rather than of this machine.
    var isServers: Bool {
        switch self {
        case .refused(EMFILE), .refused(ENFILE), .refused(ENOMEM), .refused(ENOBUFS), .refused(EADDRNOTAVAIL), .noMemory: false
        case .refused, .timedOut, .noAddress, .tls: true
        }
    }

    var description: String {
        switch self {
        case .refused(let code): "connecting: \(SocketError.reason(code))"
        case .timedOut: "no connection within the time allowed"
        case .noAddress: "its name has no address"
        case .tls(let error): "TLS: \(error)"
        case .noMemory: "no memory or descriptor left"
        }
    }
}
