package import Glibc

/// A connection that a test reads and writes by hand: blocking, one thread, every wait bounded.
package protocol ByteStream: AnyObject {
    /// Writes everything. Throws `StreamError.closed` when the other side is gone.
    func send(_ bytes: [UInt8]) throws
    /// Waits for bytes at most so many seconds.
    func receive(seconds: Double) throws -> Received
    /// No more will be sent; reading goes on.
    func endSending()
    func close()
}

package enum Received: Equatable, Sendable {
    case bytes([UInt8])
    /// The end. `clean` is a close_notify in TLS and a FIN in plain TCP.
    case end(clean: Bool)
    case nothingYet
}

package enum StreamError: Error, Equatable {
    case closed
    case refused(Int32)
    case handshake(String)
    case timedOut
    case malformed(String)
}

/// Plain TCP to a loopback port, or a Unix socket.
package final class PlainStream: ByteStream {
    package let descriptor: Int32
    private var isOpen = true
    private var isReset = false

    package init(port: Int) throws {
        descriptor = try TestEndpoint.ipv4(port: port).connected()
    }

    package init(_ endpoint: TestEndpoint) throws { descriptor = try endpoint.connected() }

    /// Takes over a socket that is connected already.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    package func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes[sent...].withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw StreamError.closed }
            sent += count
        }
    }

    package func receive(seconds: Double) throws -> Received {
        guard isReadable(descriptor, seconds: seconds) else { return .nothingYet }
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        if count > 0 { return .bytes(Array(buffer[..<count])) }
        return .end(clean: count == 0)
    }

    package func endSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// `close` will end the connection by RST.
    package func resetOnClose() {
        isReset = true
        var now = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    }

    package func close() {
        guard isOpen else { return }
        isOpen = false
        if !isReset { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
        _ = Glibc.close(descriptor)
    }
}

/// A socket that no child process inherits.
package func newSocket() -> Int32 {
    socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
}

package func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    return address
}

/// Whether bytes, the end or an error are there within so many seconds.
func isReadable(_ descriptor: Int32, seconds: Double) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&request, 1, Int32(max(0, seconds) * 1000)) > 0
}
