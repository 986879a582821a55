import Glibc

/// Where a test's socket listens or connects to on this machine.
package enum TestEndpoint: Sendable {
    case ipv4(port: Int)
    /// `[::1]`.
    case ipv6(port: Int)
    case unix(path: String)

    /// A socket that listens there, and its port; port 0 lets the system choose. A port that another socket had just now can be had again.
    package func listen() throws -> (descriptor: Int32, port: Int) {
        let descriptor = newSocket()
        var on: Int32 = 1
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let isDone = unsafe withAddress { unsafe bind(descriptor, $0, $1) == 0 && Glibc.listen(descriptor, 512) == 0 }
        guard isDone else {
            let code = errno
            _ = close(descriptor)
            throw StreamError.refused(code)
        }
        return (descriptor, port(of: descriptor))
    }

    /// A blocking socket that is connected there, without Nagle's delay.
    package func connected() throws -> Int32 {
        let descriptor = newSocket()
        guard unsafe withAddress({ unsafe connect(descriptor, $0, $1) }) == 0 else {
            let code = errno
            _ = close(descriptor)
            throw StreamError.refused(code)
        }
        var on: Int32 = 1
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return descriptor
    }

    /// One that no child process inherits.
    private func newSocket() -> Int32 {
        let family =
            switch self {
            case .ipv4: AF_INET
            case .ipv6: AF_INET6
            case .unix: AF_UNIX
            }
        return socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    private func port(of descriptor: Int32) -> Int {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor, $0, &size) }
        }
        if case .unix = self { return 0 }
        // Port and family stand at the same place in both families.
        return code == 0 ? unsafe withUnsafeBytes(of: &storage) { unsafe Int($0[2]) << 8 | Int($0[3]) } : 0
    }

    private func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch self {
        case .ipv4(let port):
            var address = loopback(port: port)
            return unsafe Self.with(&address, body)
        case .ipv6(let port):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = in_port_t(port).bigEndian
            address.sin6_addr = in6addr_loopback
            return unsafe Self.with(&address, body)
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8.prefix(107)) }
            return unsafe Self.with(&address, body)
        }
    }

    private static func with<Address, Result>(
        _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(MemoryLayout<Address>.size)) }
        }
    }
}
