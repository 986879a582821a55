import Glibc

/// An upstream whose connections a test serves by hand, one step after the other.
package final class HandUpstream {
    package let port: Int
    private let listener: Int32

    package init() throws { (listener, port) = try listeningSocket() }

    deinit { _ = close(listener) }

    /// The next connection; nil where none comes within so many seconds.
    package func accept(within seconds: Double = 20) -> PlainStream? {
        guard isReadable(listener, seconds: seconds) else { return nil }
        let descriptor = Glibc.accept(listener, nil, nil)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return PlainStream(descriptor: descriptor)
    }

    /// Reads a request's head (without a body behind it) from one of them.
    package static func head(from stream: PlainStream) throws -> String {
        var bytes: [UInt8] = []
        while headEnd(bytes) == nil {
            guard case .bytes(let more) = try stream.receive(seconds: 20) else { throw StreamError.closed }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
