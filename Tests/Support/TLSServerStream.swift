import COpenSSL
import Glibc

/// How a test's server speaks TLS.
package struct TLSServerOptions: Sendable {
    /// A PEM file of the authorities by whose certificates clients are known; nil: no client is asked for one.
    package var clientAuthorities: String?
    package var isTLS12 = false
    /// What it says instead of shaking hands when a client greets, before it hangs up; nil: it shakes hands.
    package var insteadOfHandshake: String?

    package init(clientAuthorities: String? = nil, isTLS12: Bool = false, insteadOfHandshake: String? = nil) {
        self.clientAuthorities = clientAuthorities
        self.isTLS12 = isTLS12
        self.insteadOfHandshake = insteadOfHandshake
    }
}

/// A server's certificate, ready for connections.
@safe final class TLSServerSettings: Sendable {
    // Configured by the initialiser, only read afterwards.
    fileprivate nonisolated(unsafe) let context: OpaquePointer
    fileprivate let insteadOfHandshake: String?

    init(_ certificate: TestCertificate, _ options: TLSServerOptions) throws {
        signal(SIGPIPE, SIG_IGN)
        insteadOfHandshake = options.insteadOfHandshake
        unsafe context = SSL_CTX_new(TLS_server_method())!
        let isGood =
            unsafe SSL_CTX_use_certificate_chain_file(context, certificate.chainFile) == 1
            && SSL_CTX_use_PrivateKey_file(context, certificate.keyFile, SSL_FILETYPE_PEM) == 1
        guard isGood else { throw StreamError.malformed("the test's certificate") }
        if options.isTLS12 { unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(TLS1_2_VERSION), nil) }
        // Sessions are resumed only in a context that has a name.
        unsafe SSL_CTX_set_session_id_context(context, [1], 1)
        guard let authorities = options.clientAuthorities else { return }
        guard unsafe SSL_CTX_load_verify_locations(context, authorities, nil) == 1 else {
            throw StreamError.malformed("the test's authorities")
        }
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    deinit { unsafe SSL_CTX_free(context) }
}

/// The server's end of a TLS connection: blocking, used by one thread.
@safe final class TLSServerStream: ByteStream {
    private let descriptor: Int32
    private let connection: OpaquePointer
    private var isOpen = true
    private var isCut = false

    /// Takes over a socket and shakes hands; nil, and the socket closed, where that fails.
    init?(_ descriptor: Int32, _ settings: TLSServerSettings) {
        self.descriptor = descriptor
        unsafe connection = SSL_new(settings.context)
        unsafe SSL_set_fd(connection, descriptor)
        if let said = settings.insteadOfHandshake {
            var greeting = [UInt8](repeating: 0, count: 16 * 1024)
            _ = unsafe recv(descriptor, &greeting, greeting.count, 0)
            _ = unsafe Array(said.utf8).withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            _ = shutdown(descriptor, Int32(SHUT_RDWR))
        }
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

    /// `close` will say nothing.
    func cutOnClose() { isCut = true }

    /// One record that announces new keys.
    func updateKeys() {
        unsafe SSL_key_update(connection, SSL_KEY_UPDATE_NOT_REQUESTED)
        unsafe SSL_do_handshake(connection)
        ERR_clear_error()
    }

    /// In one segment: what is read of it is read together.
    func sendTorn(_ bytes: [UInt8]) {
        for on in [1, 0] as [Int32] {
            var on = on
            _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &on, 4)
            guard on == 1 else { return }
            try? send(bytes)
            let part: [UInt8] = [0x17, 3, 3, 1, 0, 1, 2, 3]
            _ = unsafe part.withUnsafeBytes { unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        }
    }

    /// A HelloRequest.
    func renegotiate() {
        unsafe SSL_renegotiate(connection)
        unsafe SSL_do_handshake(connection)
        ERR_clear_error()
    }

    /// Says close_notify and closes.
    func close() {
        guard isOpen else { return }
        isOpen = false
        if !isCut { unsafe SSL_shutdown(connection) }
        ERR_clear_error()
        unsafe SSL_free(connection)
        _ = Glibc.close(descriptor)
    }
}
