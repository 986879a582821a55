import CEpoll
import Glibc
import NIOCore

/// A listening socket on a loop: accepts while there is room, and leaves clients in the kernel's queue while there is none.
final class Listener: EventSource {
    private let hasRoom: () -> Bool
    private let accepted: (CInt, SocketAddress?, Door) -> Void
    /// What the next connections get.
    var door: Door
    /// A Unix socket's.
    private let file: SocketFile?
    /// Another process is about to accept here.
    private var isPaused = false

    /// Connections taken in one go, so that those that stand get their turn.
    private static let batch = 64

    /// Listens on `descriptor`. `accepted` gets each connection's descriptor, non-blocking, with the peer's address.
    init(
        _ descriptor: CInt, on loop: SocketLoop, door: Door, file: SocketFile?, hasRoom: @escaping () -> Bool,
        accepted: @escaping (CInt, SocketAddress?, Door) -> Void
    ) {
        self.door = door
        self.file = file
        self.hasRoom = hasRoom
        self.accepted = accepted
        super.init(descriptor, on: loop, waitingFor: shim_EPOLLIN)
    }

    /// A socket that listens at `address`. TCP_NODELAY is handed down to what it accepts.
    static func open(_ address: SocketAddress) throws(SocketError) -> CInt {
        let descriptor = try SocketError.check("socket", streamSocket(for: address))
        setOption(descriptor, SOL_SOCKET, SO_REUSEADDR)
        do throws(SocketError) {
            let bound = unsafe address.withSockAddr { unsafe bind(descriptor, $0, socklen_t($1)) }
            _ = try SocketError.check("bind", bound)
            _ = try SocketError.check("listen", listen(descriptor, 4096))
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Called by the loop's tick: looks whether there is room again.
    func resume() {
        if interest == 0, !isPaused, hasRoom() { wait(for: shim_EPOLLIN) }
    }

    /// Leaves whoever connects in the kernel's queue, or goes on taking them.
    func pause(_ isPaused: Bool) {
        self.isPaused = isPaused
        wait(for: isPaused ? 0 : shim_EPOLLIN)
    }

    /// Leaves the socket, its queue and its file to another process that has it too.
    func leave() { close() }

    /// Takes who has connected already, then closes: closing resets whoever waits in the kernel's queue.
    func finish() {
        file?.remove()
        while isOpen, hasRoom(), acceptOne() {}
        close()
    }

    override func ready(_ events: UInt32) {
        for _ in 0..<Self.batch {
            guard hasRoom() else { return wait(for: 0) }
            guard acceptOne() else { return }
        }
    }

    /// False where nobody waits, or the system can't give any more for now.
    private func acceptOne() -> Bool {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let connection = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe shim_accept(descriptor, address, &length)
            }
        }
        guard connection >= 0 else {
            if errno == ECONNABORTED || errno == EINTR { return true }
            // Without descriptors or memory: the next tick tries again.
            if errno != EAGAIN { wait(for: 0) }
            return false
        }
        accepted(connection, SocketAddress(storage), door)
        return true
    }
}

/// Closes a descriptor that no source has taken over.
func closeDescriptor(_ descriptor: CInt) { _ = Glibc.close(descriptor) }

/// A non-blocking socket of the address' family, where it is TCP without Nagle's delay; negative where the system gives none.
func streamSocket(for address: SocketAddress) -> CInt {
    let family =
        switch address {
        case .v4: AF_INET
        case .v6: AF_INET6
        case .unixDomainSocket: AF_UNIX
        }
    let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(CInt(family), type, 0)
    if descriptor >= 0, family != AF_UNIX { setOption(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY) }
    return descriptor
}

/// Sets an option that is a flag.
private func setOption(_ descriptor: CInt, _ level: CInt, _ name: CInt) {
    var on: CInt = 1
    _ = unsafe setsockopt(descriptor, level, name, &on, socklen_t(MemoryLayout<CInt>.size))
}

extension SocketAddress {
    /// An IP address and port as the system has it; nil for other families.
    init?(_ storage: sockaddr_storage) {
        var storage = storage
        let family = CInt(storage.ss_family)
        let address: SocketAddress? = unsafe withUnsafePointer(to: &storage) { pointer in
            switch family {
            case AF_INET: unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { unsafe SocketAddress($0.pointee) }
            case AF_INET6: unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { unsafe SocketAddress($0.pointee) }
            default: nil
            }
        }
        guard let address else { return nil }
        self = address
    }

    /// Where the socket is bound to.
    static func local(of descriptor: CInt) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor, $0, &length) }
        }
        return code == 0 ? SocketAddress(storage) : nil
    }
}
