import CEpoll
import Glibc
import NIOCore

/// One end of a Unix socket that carries whole messages and descriptors along with them (unix(7), SOCK_SEQPACKET): how two processes of one
/// machine hand something over. Blocks its callers, so nothing for a loop. From any thread; one at a time receives.
package final class PacketSocket: Sendable {
    private let descriptor: CInt
    /// Who is at the other end.
    package let process: Int32
    package let user: UInt32

    /// Bytes of a message.
    package static let messageSize = 64 * 1024

    /// What came of sending a message.
    package enum Sent { case done, full, gone }

    /// What came of waiting for a message.
    package enum Received {
        /// The descriptors are the receiver's to close.
        case message([UInt8], descriptors: [CInt])
        case nothing
        /// The other end is gone, or has sent what can't be read.
        case end
    }

    fileprivate init(_ descriptor: CInt) throws(SocketError) {
        self.descriptor = descriptor
        var (process, user): (CInt, CUnsignedInt) = (0, 0)
        let code = unsafe shim_peer(descriptor, &process, &user)
        (self.process, self.user) = (process, user)
        _ = try SocketError.check("getsockopt", code)
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Connects to a socket file. Throws where nobody listens there.
    package static func connect(to path: String) throws(SocketError) -> PacketSocket {
        guard let address = try? SocketAddress(unixDomainSocketPath: path) else { throw SocketError(call: "connect", code: ENAMETOOLONG) }
        let descriptor = try SocketError.check("socket", unixSocket(CInt(SOCK_SEQPACKET.rawValue)))
        do throws(SocketError) {
            _ = try SocketError.check("connect", unsafe address.withSockAddr { unsafe Glibc.connect(descriptor, $0, socklen_t($1)) })
        } catch {
            _ = Glibc.close(descriptor)
            throw error
        }
        return try PacketSocket(descriptor)
    }

    /// Sends one message. Waits up to `milliseconds` for room.
    package func send(_ bytes: [UInt8], descriptors: [CInt] = [], milliseconds: CInt) -> Sent {
        while true {
            let code = unsafe shim_send(descriptor, bytes, bytes.count, descriptors, descriptors.count, CInt(MSG_DONTWAIT))
            if code == 0 { return .done }
            guard errno == EAGAIN else { return .gone }
            guard milliseconds != 0, isReady(POLLOUT, milliseconds) else { return .full }
        }
    }

    /// The next message, if there is one within so many milliseconds; negative waits for ever.
    package func receive(milliseconds: CInt) -> Received {
        guard isReady(POLLIN, milliseconds) else { return .nothing }
        var bytes = [UInt8](repeating: 0, count: Self.messageSize)
        var descriptors = [CInt](repeating: -1, count: Int(SHIM_DESCRIPTORS))
        var count = 0
        let size = unsafe shim_receive(descriptor, &bytes, bytes.count, &descriptors, &count)
        guard size > 0 else {
            if size < 0, errno == EAGAIN { return .nothing }
            for descriptor in descriptors.prefix(count) { _ = Glibc.close(descriptor) }
            return .end
        }
        return .message(Array(bytes.prefix(size)), descriptors: Array(descriptors.prefix(count)))
    }

    /// Ends it for both sides: who waits is told.
    package func end() { _ = shutdown(descriptor, CInt(SHUT_RDWR)) }

    private func isReady(_ events: CInt, _ milliseconds: CInt) -> Bool {
        var wanted = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let count = unsafe poll(&wanted, 1, milliseconds)
            if count >= 0 || errno != EINTR { return count > 0 }
        }
    }
}

/// Where processes connect to have something handed over.
package final class PacketListener: Sendable {
    /// Another process may have it, too.
    package let descriptor: CInt
    private let file: SocketFile

    /// Listens at `path`, which only this user may open. What a process that is no more has left there is replaced.
    package init(at path: String) throws(SocketError) {
        (descriptor, file) = try SocketFile.listen(at: path, mode: 0o600, type: CInt(SOCK_SEQPACKET.rawValue))
    }

    /// Takes over one at `path` that another process has made.
    package init(adopting descriptor: CInt, at path: String) throws(SocketError) {
        self.descriptor = descriptor
        file = try SocketFile.adopt(path)
        // Whoever connects is told who listens: the last one that said so.
        _ = listen(descriptor, 16)
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Waits for the next who connects; nil when this is closed.
    package func accept() -> PacketSocket? {
        while true {
            var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            _ = unsafe Glibc.poll(&wanted, 1, -1)
            let connection = shim_accept(descriptor, nil, nil)
            if connection >= 0 {
                if let socket = try? PacketSocket(connection) { return socket }
                continue
            }
            guard errno == EAGAIN || errno == EINTR || errno == ECONNABORTED || errno == EMFILE || errno == ENFILE else { return nil }
            if errno != EAGAIN { _ = poll(nil, 0, 100) }
        }
    }

    /// Nobody connects any more.
    package func close() {
        file.remove()
        _ = shutdown(descriptor, CInt(SHUT_RDWR))
    }
}
