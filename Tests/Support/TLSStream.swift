import COpenSSL
import Foundation
import Glibc

/// TLS 1.3 or 1.2 to a loopback port through libssl itself, so that a test decides every byte inside.
///
/// Safe: the `SSL` lives as long as the object and is used by one thread.
@safe
package final class TLSStream: ByteStream {
    private let descriptor: Int32
    private let connection: OpaquePointer
    private var isOpen = true

    /// Connects, sends `first` as it is, and shakes hands, as `identity` (PEM files) if asked for a certificate. The gateway's certificate is
    /// the test's own, so it is looked at by the tests of TLS, not here. `alpn`: the one protocol that is offered.
    package init(
        port: Int, name: String = "gateway.test", alpn: String? = nil, first: [UInt8] = [], identity: (chain: String, key: String)? = nil,
        resuming: TLSSessionTicket? = nil, newest: Int32 = TLS1_3_VERSION
    ) throws {
        descriptor = try TestEndpoint.ipv4(port: port).connected()
        if !first.isEmpty { _ = unsafe Glibc.send(descriptor, first, first.count, Int32(MSG_NOSIGNAL)) }
        unsafe connection = SSL_new(Self.context)
        unsafe SSL_set_fd(connection, descriptor)
        _ = unsafe SSL_ctrl(connection, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(newest), nil)
        if let identity {
            unsafe SSL_use_certificate_file(connection, identity.chain, SSL_FILETYPE_PEM)
            unsafe SSL_use_PrivateKey_file(connection, identity.key, SSL_FILETYPE_PEM)
        }
        if let resuming { unsafe SSL_set_session(connection, resuming.session) }
        _ = unsafe name.withCString {
            unsafe SSL_ctrl(
                connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), UnsafeMutableRawPointer(mutating: $0))
        }
        if let alpn {
            let wire = [UInt8(alpn.utf8.count)] + Array(alpn.utf8)
            unsafe SSL_set_alpn_protos(connection, wire, UInt32(wire.count))
        }
        guard isWritableSoon, unsafe SSL_connect(connection) == 1 else {
            close()
            throw StreamError.handshake(lastError())
        }
    }

    deinit { close() }

    /// What can be resumed of this connection; with TLS 1.3 not before something was received.
    /// A copy: OpenSSL takes the session of a connection that ends without close_notify for broken.
    package var ticket: TLSSessionTicket { unsafe TLSSessionTicket(SSL_get_session(connection).flatMap { unsafe SSL_SESSION_dup($0) }) }
    package var isResumed: Bool { unsafe SSL_session_reused(connection) == 1 }

    /// SHA-256 of the certificate that the gateway has shown.
    package var peerFingerprint: [UInt8] {
        guard let certificate = unsafe SSL_get1_peer_certificate(connection) else { return [] }
        defer { unsafe X509_free(certificate) }
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe X509_digest(certificate, EVP_sha256(), &digest, nil)
        return digest
    }

    /// What the server has chosen of the protocols offered.
    package var chosenProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        unsafe SSL_get0_alpn_selected(connection, &name, &length)
        guard let name = unsafe name, length > 0 else { return nil }
        return unsafe String(decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }

    package func send(_ bytes: [UInt8]) throws {
        guard !bytes.isEmpty else { return }
        let written = unsafe bytes.withUnsafeBytes { unsafe SSL_write(connection, $0.baseAddress, Int32($0.count)) }
        ERR_clear_error()
        guard written == bytes.count else { throw StreamError.closed }
    }

    package func receive(seconds: Double) throws -> Received {
        let deadline = Date(timeIntervalSinceNow: seconds)
        repeat {
            guard unsafe SSL_pending(connection) > 0 || isReadable(descriptor, seconds: deadline.timeIntervalSinceNow) else { break }
            let received = receiveOnce()
            guard received == .nothingYet else { return received }
        } while Date() < deadline
        return .nothingYet
    }

    /// One record; `.nothingYet` for one that is TLS's own affair, like a session ticket.
    private func receiveOnce() -> Received {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe SSL_read(connection, $0.baseAddress, Int32($0.count)) }
        let reason = unsafe SSL_get_error(connection, count)
        ERR_clear_error()
        if count > 0 { return .bytes(Array(buffer[..<Int(count)])) }
        return reason == SSL_ERROR_WANT_READ ? .nothingYet : .end(clean: reason == SSL_ERROR_ZERO_RETURN)
    }

    package func endSending() {
        unsafe SSL_shutdown(connection)
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes the socket without a word.
    package func close() {
        guard isOpen else { return }
        isOpen = false
        unsafe SSL_free(connection)
        _ = Glibc.close(descriptor)
    }

    /// A handshake that hangs must not hang the test.
    private var isWritableSoon: Bool {
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        return unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size) == 0
            && setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size) == 0
    }

    /// One for all connections: it holds no certificate and remembers no session. A closed peer is an error here, not a signal.
    private nonisolated(unsafe) static let context: OpaquePointer = {
        signal(SIGPIPE, SIG_IGN)
        let context = unsafe SSL_CTX_new(TLS_client_method())!
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        unsafe SSL_CTX_ctrl(context, SSL_CTRL_CLEAR_MODE, Int(SSL_MODE_AUTO_RETRY), nil)
        return unsafe context
    }()
}

/// OpenSSL's reason for the last failure; leaves its error queue empty.
private func lastError() -> String {
    defer { ERR_clear_error() }
    guard let text = unsafe ERR_reason_error_string(ERR_peek_last_error()) else { return "no reason given" }
    return unsafe String(cString: text)
}

/// A session of TLS that another connection may resume.
@safe package final class TLSSessionTicket {
    let session: OpaquePointer?

    init(_ session: OpaquePointer?) { unsafe self.session = session }
    deinit { unsafe SSL_SESSION_free(session) }
}
