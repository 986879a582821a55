import COpenSSL
import Glibc

/// A server's certificate, ready for connections.
@safe final class TLSServerSettings: Sendable {
    // Configured by the initialiser, only read afterwards.
    fileprivate nonisolated(unsafe) let context: OpaquePointer

    init(_ certificate: TestCertificate) throws {
        signal(SIGPIPE, SIG_IGN)
        unsafe context = SSL_CTX_new(TLS_server_method())!
        let isGood =
            unsafe SSL_CTX_use_certificate_chain_file(context, certificate.chainFile) == 1
            && SSL_CTX_use_PrivateKey_file(context, certificate.keyFile, SSL_FILETYPE_PEM) == 1
        guard isGood else { throw StreamError.malformed("the test's certificate") }
    }

    deinit { unsafe SSL_CTX_free(context) }
}

/// The server's end of a TLS connection: blocking, used by one thread.
@safe final class TLSServerStream: ByteStream {
    private let descriptor: Int32
    private let connection: OpaquePointer
    private var isOpen = true

    /// Takes over a socket and shakes hands; nil, and the socket closed, where that fails.
    init?(_ descriptor: Int32, _ settings: TLSServerSettings) {
        self.descriptor = descriptor
        unsafe connection = SSL_new(settings.context)
        unsafe SSL_set_fd(connection, descriptor)
        let isDone = unsafe SSL_accept(connection) == 1
        ERR_clear_error()
        guard isDone else {
            close()
            return nil
        }
    }

    deinit { close() }

    func send(_ bytes: [UInt8]) throws {
        guard !bytes.isEmpty else { return }
        let written = unsafe bytes.withUnsafeBytes { unsafe SSL_write(connection, $0.baseAddress, Int32($0.count)) }
        ERR_clear_error()
        guard written == bytes.count else { throw StreamError.closed }
    }

    func receive(seconds: Double) throws -> Received {
        guard unsafe SSL_pending(connection) > 0 || isReadable(descriptor, seconds: seconds) else { return .nothingYet }
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe SSL_read(connection, $0.baseAddress, Int32($0.count)) }
        let reason = unsafe SSL_get_error(connection, count)
        ERR_clear_error()
        return count > 0 ? .bytes(Array(buffer[..<Int(count)])) : .end(clean: reason == SSL_ERROR_ZERO_RETURN)
    }

    func endSending() {
        unsafe SSL_shutdown(connection)
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Says close_notify and closes.
    func close() {
        guard isOpen else { return }
        isOpen = false
        unsafe SSL_shutdown(connection)
        ERR_clear_error()
        unsafe SSL_free(connection)
        _ = Glibc.close(descriptor)
    }
}
