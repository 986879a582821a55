import CEpoll
import Glibc
import NIOCore

/// A trusted proxy's connection until its PROXY header has come; then its descriptor is given to the client's connection. Loop-bound.
///
/// Exactly the header's bytes are taken from the kernel, so that nobody has to hand on what comes after it.
final class ProxyPreamble: EventSource {
    private unowned let worker: Worker
    let door: Door
    /// The other end of the TCP connection.
    let proxy: SocketAddress?
    /// Loop clock in nanoseconds.
    let accepted: Int64
    var deadline: Int64
    private var header: [UInt8] = []
    private var wanted = ProxyHeader.fixed
    private(set) var isHandedOver = false

    init(_ descriptor: CInt, worker: Worker, proxy: SocketAddress?, door: Door) {
        self.worker = worker
        self.door = door
        self.proxy = proxy
        accepted = worker.clock.now
        deadline = accepted + worker.snapshot.limits.handshake * 1_000_000
        super.init(descriptor, on: worker.loop, waitingFor: shim_EPOLLIN)
    }

    func checkDeadline(now: Int64) {
        if now > deadline { refuse(header.isEmpty ? nil : .timeout) }
    }

    override func ready(_ events: UInt32) {
        worker.clock.read()
        while isOpen, header.count < wanted {
            let count = unsafe read(descriptor, loop.received.baseAddress, wanted - header.count)
            if count < 0 && errno == EAGAIN { return }
            if count < 0 && errno == EINTR { continue }
            // A check whether the port is open is nobody's fault.
            guard count > 0 else { return refuse(header.isEmpty ? nil : .interrupted) }
            unsafe header.append(contentsOf: loop.received[..<count])
            if header.count == ProxyHeader.fixed, wanted == ProxyHeader.fixed {
                guard let rest = try? ProxyHeader.rest(header) else { return refuse(.malformed) }
                wanted += rest
            }
        }
        guard isOpen else { return }
        guard let client = try? ProxyHeader.client(header) else { return refuse(.malformed) }
        isHandedOver = true
        worker.introduced(self, detach(), client)
    }

    override func closed() { worker.remove(self) }

    private func refuse(_ reason: ProxyRefusal?) {
        if let reason { worker.metrics.refusedProxy(reason) }
        close()
    }
}

extension Worker {
    /// Takes a connection at a listener with `proxy_protocol: required`: only a trusted proxy's, which says first whom it is for.
    func acceptProxied(_ descriptor: CInt, _ address: SocketAddress?, _ door: Door) {
        clock.read()
        // Who may connect to a Unix socket is said by its file's permissions.
        guard address.map({ snapshot.trustedProxies.contains(SourceAddress($0)) }) ?? true else {
            metrics.refusedProxy(.untrusted)
            gateway.admissions.release()
            _ = Glibc.close(descriptor)
            return
        }
        let preamble = ProxyPreamble(descriptor, worker: self, proxy: address, door: door)
        guard preamble.isOpen else { return gateway.admissions.release() }
        preambles[ObjectIdentifier(preamble)] = preamble
        if isDraining { preamble.deadline = min(preamble.deadline, clock.now + 1_000_000_000) }
    }

    /// The proxy has said whom the connection is for: from now on it is that client's, in limits as in headers.
    func introduced(_ preamble: ProxyPreamble, _ descriptor: CInt, _ client: ProxyHeader.Client) {
        let address: SocketAddress?
        switch client {
        case .proxy: address = preamble.proxy
        case .address(let client): address = client
        case .unknown: address = nil
        }
        let peer = Peer(address, trusted: snapshot.trustedProxies, isTLS: preamble.door.tls != nil)
        guard gateway.admissions.settle(peer.admitted) else {
            metrics.connectionsRefused += 1
            _ = Glibc.close(descriptor)
            return
        }
        // Header and handshake have one time together.
        begin(descriptor, peer, preamble.door, since: preamble.accepted)
    }

    func remove(_ preamble: ProxyPreamble) {
        preambles[ObjectIdentifier(preamble)] = nil
        if !preamble.isHandedOver { gateway.admissions.release() }
    }
}
