import NIOCore
import NIOPosix
import Policy
import Proxy
import Synchronization
import TLS

/// The admin API's and the dashboard's own address (SPEC §8), on a loop of its own: whatever is asked there, requests don't notice.
package final class AdminListener: Sendable {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let channel: any Channel
    private let bound: BoundListener
    private let settings: AdminSettings
    private let mode: Mutex<UInt32>
    let room: AdminRoom

    /// Listens, and answers 503 until `serve`. Throws the system's reason where it can't, and what is wrong with certificates. `handed` is a
    /// listening socket of the process before.
    init(_ settings: AdminSettings, news: AdminNews, handed: CInt? = nil) throws {
        self.settings = settings
        mode = Mutex(settings.mode)
        let room = AdminRoom(gate: AdminGate(settings), tls: try Self.context(settings), news: news)
        self.room = room
        let connections = NIOLoopBoundBox.makeBoxSendingValue(AdminConnections(), eventLoop: group.next())
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls = room.tls { try channel.pipeline.syncOperations.addHandler(AdminTLS(tls)) }
                    try channel.pipeline.syncOperations.addHandler(
                        AdminConnection(room, connections.value, source: Self.source(channel.remoteAddress)))
                }
            }
        do {
            bound = try Self.bind(settings, handed)
            channel = try bootstrap.withBoundSocket(bound.descriptor).wait()
        } catch {
            try? group.syncShutdownGracefully()
            throw error
        }
    }

    private static func bind(_ settings: AdminSettings, _ handed: CInt?) throws -> BoundListener {
        let address = settings.address
        if let handed {
            let bound = try Gateway.adopt(handed, unix: address.path)
            try bound.permit(settings.mode)
            return bound
        }
        if let path = address.path { return try Gateway.bindUnix(path, mode: settings.mode) }
        return try Gateway.bind(try SocketAddress(ipAddress: address.host, port: address.port))
    }

    /// The listening socket, as long as this is open.
    var descriptor: CInt { bound.descriptor }

    /// From now on requests are answered.
    func serve(_ api: AdminAPI) { room.serve(api) }

    /// Takes the tokens, names, certificates and the socket's mode of another file, whose address is the same. Throws what is wrong with a
    /// certificate, or why the mode can't be changed, and changes nothing then. Answers that go on under a token that is no more end.
    func take(_ settings: AdminSettings) throws {
        let tls = try Self.context(settings)
        try mode.withLock { mode in
            guard mode != settings.mode else { return }
            try bound.permit(settings.mode)
            mode = settings.mode
        }
        room.take(AdminGate(settings), tls: tls)
    }

    /// Certificates, for the metrics.
    var tls: TLSContext? { room.tls }

    /// The address with the port that the system chose, as a URL for people.
    package var text: String {
        if settings.address.path != nil { return settings.address.text }
        let asked = settings.address
        let address = ListenAddress(host: asked.host, port: channel.localAddress?.port ?? asked.port, isIPv6: asked.isIPv6)
        return "\(settings.tls == nil ? "http" : "https")://\(address.text)/"
    }

    /// `leaving`: another process goes on at the socket.
    package func close(leaving: Bool = false) {
        if !leaving { bound.removeFile() }
        try? channel.close().wait()
        try? group.syncShutdownGracefully()
    }

    private static func context(_ settings: AdminSettings) throws(TLSConfigurationError) -> TLSContext? {
        guard let tls = settings.tls else { return nil }
        return try TLSContext(
            server: TLSServerConfiguration(
                certificates: tls.certificates.map(\.settings), minimum: tls.minimum == .tls13 ? .v1_3 : .v1_2, alpn: ["http/1.1"]))
    }

    /// What wrong tokens are counted by: the address, of IPv6 the /64; one name for all that come by a Unix socket.
    private static func source(_ address: SocketAddress?) -> String {
        guard let address, let text = address.ipAddress else { return "a local process" }
        guard case .v6 = address, let number = NumericAddress(text) else { return text }
        return number.bytes.prefix(8).map { String($0, radix: 16) }.joined(separator: ".") + "/64"
    }
}

/// What the listener's connections share, changed from other threads.
final class AdminRoom: Sendable {
    private struct State {
        var gate: AdminGate
        var tls: TLSContext?
        var api: AdminAPI?
    }

    private let state: Mutex<State>
    let counts = AdminCounts()
    let news: AdminNews

    init(gate: AdminGate, tls: TLSContext?, news: AdminNews) {
        state = Mutex(State(gate: gate, tls: tls))
        self.news = news
    }

    func serve(_ api: AdminAPI) { state.withLock { $0.api = api } }

    func take(_ gate: AdminGate, tls: TLSContext?) {
        state.withLock { ($0.gate, $0.tls) = (gate, tls) }
    }

    var gate: AdminGate { state.withLock { $0.gate } }
    var tls: TLSContext? { state.withLock { $0.tls } }
    /// Nil while the gateway starts.
    var api: AdminAPI? { state.withLock { $0.api } }
}
