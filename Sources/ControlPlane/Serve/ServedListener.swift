import NIOCore
import Policy
import Proxy
import TLS

/// A listener that is served, as the file has it and as the gateway knows it.
struct ServedListener {
    let settings: Listener
    let bound: BoundListener
    /// Nil for plain HTTP.
    let tls: TLSContext?

    /// The address with the port that the system chose, and how it is spoken to.
    var text: String {
        let asked = settings.address
        let address =
            asked.path != nil ? asked : ListenAddress(host: asked.host, port: bound.address?.port ?? asked.port, isIPv6: asked.isIPv6)
        return
            "listening on \(address.text) (\(tls == nil ? "plain HTTP" : "TLS")\(settings.proxyProtocol ? " behind the PROXY protocol" : ""))"
    }
}

extension CertificateFiles {
    /// As TLS wants them.
    var settings: TLSServerConfiguration.Certificate {
        TLSServerConfiguration.Certificate(
            chain: chain, key: key,
            clients: clients.map { TLSServerConfiguration.Clients(authorities: $0.authorities, isRequired: $0.isRequired) })
    }
}

/// What becomes of the listeners with another file: worked out and bound, and not yet in force.
struct ListenerPlan {
    /// All that the other file has, in its order.
    private(set) var served: [ServedListener] = []
    private(set) var changes = ListenerChanges()

    /// The new ones, for people.
    var opened: [String] { served.filter { listener in changes.opened.contains { $0.listener.id == listener.bound.id } }.map(\.text) }

    /// A listener stays where another has its address; its certificates are read anew. Throws the first that can't be served, with
    /// nothing left bound.
    ///
    /// `handed` gives listening sockets of the process before, by the names that they go by between the two.
    init(
        from old: [ServedListener], to new: [Listener], of gateway: Gateway, file: Configuration, handed: (String) -> CInt? = { _ in nil }
    ) throws(Problem) {
        var left = old
        do throws(Problem) {
            // Certificates first: binding is what the world can see.
            var stays: [(ServedListener?, TLSContext?)] = []
            for listener in new {
                let index = left.firstIndex { $0.settings.address == listener.address }
                let predecessor = index.map { left.remove(at: $0) }
                stays.append((predecessor, try Self.context(listener, after: predecessor?.tls)))
            }
            for (listener, (predecessor, tls)) in zip(new, stays) { try add(listener, predecessor, tls, gateway, file, handed) }
        } catch {
            giveUp()
            throw error
        }
        changes.removed = left.map(\.bound.id)
    }

    /// Closes what was bound for a file that is refused after all.
    func giveUp() {
        for (listener, _, _) in changes.opened { listener.close() }
    }

    private mutating func add(
        _ listener: Listener, _ predecessor: ServedListener?, _ tls: TLSContext?, _ gateway: Gateway, _ file: Configuration,
        _ handed: (String) -> CInt?
    ) throws(Problem) {
        guard let predecessor else {
            let bound = try Self.bind(listener, handed(HandedSocket.listener(listener.address)), of: gateway, file)
            changes.opened.append((bound, tls, listener.proxyProtocol))
            served.append(ServedListener(settings: listener, bound: bound, tls: tls))
            return
        }
        if tls !== predecessor.tls || listener.proxyProtocol != predecessor.settings.proxyProtocol {
            changes.changed.append((predecessor.bound.id, tls, listener.proxyProtocol))
        }
        if predecessor.settings.mode != listener.mode { try Self.permit(listener, predecessor.bound, file) }
        served.append(ServedListener(settings: listener, bound: predecessor.bound, tls: tls))
    }

    private static func permit(_ listener: Listener, _ bound: BoundListener, _ file: Configuration) throws(Problem) {
        do throws(SocketError) { try bound.permit(listener.mode) } catch {
            throw problem(listener.address, "\(error)", fix: "let the gateway's user own the socket's file", file)
        }
    }

    /// The predecessor itself where it serves the same.
    private static func context(_ listener: Listener, after predecessor: TLSContext?) throws(Problem) -> TLSContext? {
        guard let tls = listener.tls else { return nil }
        let certificates = tls.certificates.map(\.settings)
        let settings = TLSServerConfiguration(
            certificates: certificates, minimum: tls.minimum == .tls13 ? .v1_3 : .v1_2, alpn: ["h2", "http/1.1"])
        do {
            let context = try TLSContext(server: settings, after: predecessor)
            return context.identity == predecessor?.identity ? predecessor : context
        } catch {
            throw Problem(
                at: tls.certificates[0].chainPlace, "the listener \(listener.address.text) can't be served: \(error)", fix: error.remedy)
        }
    }

    private static func bind(
        _ listener: Listener, _ handed: CInt?, of gateway: Gateway, _ file: Configuration
    ) throws(Problem) -> BoundListener {
        let address = listener.address
        if let handed {
            do throws(SocketError) {
                let bound = try gateway.adopt(handed, unix: address.path)
                try bound.permit(listener.mode)
                return bound
            } catch {
                throw problem(address, "\(error)", fix: "stop the gateway that runs, and start this one as usual", file)
            }
        }
        if let path = address.path {
            do throws(SocketError) { return try gateway.bind(unix: path, mode: listener.mode) } catch {
                throw problem(
                    address, "\(error)", fix: "name a path in a folder that exists and that the gateway's user may write to", file)
            }
        }
        do {
            return try gateway.bind(try SocketAddress(ipAddress: address.host, port: address.port))
        } catch {
            throw problem(
                address, "\(error)",
                fix: "name an address of this machine that is free; one that overlaps a listener's needs that one removed first", file)
        }
    }

    private static func problem(_ address: ListenAddress, _ reason: String, fix: String, _ file: Configuration) -> Problem {
        Problem(
            at: file.traces["listeners"]?.place ?? Place(file: file.path, line: 1, column: 1),
            "\(address.text) can't be listened on: \(reason)", fix: fix)
    }
}
