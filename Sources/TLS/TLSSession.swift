import COpenSSL
import NIOCore

/// OpenSSL's half of one connection: each method is one call whose return code becomes an enum on the spot.
///
/// It does no I/O: `records` gives it what was received and takes what is to be sent. Used on one event loop only.
@safe final class TLSSession {
    /// What one step of the handshake came to.
    enum HandshakeStep {
        case needsInput
        case done(TLSHandshakeCompleted)
        case failed(TLSError)
    }

    /// What one read came to.
    enum ReadStep {
        case data
        /// Everything received is used up.
        case needsInput
        /// A record was read that carries no data for us (a KeyUpdate); there may be more.
        case nothing
        /// The peer's close_notify.
        case closed
        case failed(TLSError)
    }

    private let ssl: OpaquePointer
    private let records: TLSRecords
    /// A client's, where it may resume.
    private var sessions: TLSClientSessions?

    /// A server's session; `nil` without memory.
    convenience init?(serving certificates: CertificateSet, records: TLSRecords) {
        unsafe self.init(certificates.context, records)
        unsafe SSL_set_accept_state(ssl)
    }

    /// A client's session with the server that is `identity`; `nil` without memory.
    convenience init?(
        with identity: TLSServerIdentity, in client: TLSClientContext, records: TLSRecords, resuming sessions: TLSClientSessions?
    ) {
        unsafe self.init(client.context, records)
        guard expect(identity) else { return nil }
        unsafe SSL_set_connect_state(ssl)
        self.sessions = sessions
        unsafe sessions?.offer(to: ssl)
    }

    private init?(_ context: OpaquePointer, _ records: TLSRecords) {
        self.records = records
        guard let ssl = unsafe SSL_new(context) else { return nil }
        guard let bio = unsafe records.makeBIO() else {
            unsafe SSL_free(ssl)
            return nil
        }
        unsafe SSL_set_bio(ssl, bio, bio)
        unsafe self.ssl = ssl
    }

    deinit {
        // OpenSSL takes a session for broken whose connection ends without close_notify; one that really is has been forgotten.
        if sessions != nil { unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        unsafe SSL_free(ssl)
    }

    func handshake() -> HandshakeStep {
        OpenSSLErrors.clear()
        let code = unsafe SSL_do_handshake(ssl)
        if code == 1 {
            // A session can be resumed over and over, and OpenSSL looks at the dates of its certificate only once.
            if isOutdated { return .failed(.untrusted(.expired)) }
            let completed = completed()
            let isTooLarge = completed.clientCertificate.map { $0.count > TLSLimits.clientCertificate } ?? false
            return isTooLarge ? .failed(.untrusted(.other("the certificate is too large"))) : .done(completed)
        }
        return switch unsafe SSL_get_error(ssl, code) {
        case SSL_ERROR_WANT_READ: .needsInput
        default: .failed(handshakeFailure())
        }
    }

    private func handshakeFailure() -> TLSError {
        let fault = OpenSSLErrors.drain()
        sessions?.forget()
        guard fault?.sslReason == SSL_R_CERTIFICATE_VERIFY_FAILED else { return TLSError(fault) }
        return .untrusted(CertificateProblem(unsafe SSL_get_verify_result(ssl)))
    }

    /// Appends the data of at most one record to `plaintext`, whose free space must not be empty.
    func read(into plaintext: inout ByteBuffer) -> ReadStep {
        records.starved = false
        OpenSSLErrors.clear()
        var code: CInt = 0
        unsafe plaintext.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { free in
            var count = 0
            code = unsafe SSL_read_ex(ssl, free.baseAddress, free.count, &count)
            return count
        }
        if code == 1 { return .data }
        return switch unsafe SSL_get_error(ssl, code) {
        case SSL_ERROR_WANT_READ: records.starved ? .needsInput : .nothing
        case SSL_ERROR_ZERO_RETURN: .closed
        default: .failed(broken())
        }
    }

    private func broken() -> TLSError {
        sessions?.forget()
        return TLSError(OpenSSLErrors.drain())
    }

    /// Makes one record of `plaintext`: 1 byte to 16 KiB. The error, if it can't.
    func write(_ plaintext: UnsafeRawBufferPointer) -> TLSError? {
        OpenSSLErrors.clear()
        var count = 0
        let code = unsafe SSL_write_ex(ssl, plaintext.baseAddress, plaintext.count, &count)
        return code == 1 ? nil : TLSError(OpenSSLErrors.drain())
    }

    /// Makes our close_notify. A second call does nothing.
    func sendCloseNotify() {
        OpenSSLErrors.clear()
        _ = unsafe SSL_shutdown(ssl)  // 0 and 1 tell whether the peer's has come; failure means that nothing can be sent any more
        OpenSSLErrors.clear()
    }
}

extension TLSSession {
    /// Whom the server's certificate must be for (RFC 9525 §6: by its alternative names alone, a wildcard for a whole label).
    private func expect(_ identity: TLSServerIdentity) -> Bool {
        OpenSSLErrors.clear()
        let parameters = unsafe SSL_get0_param(ssl)
        switch identity {
        case .name(let name):
            unsafe X509_VERIFY_PARAM_set_hostflags(
                parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
            return unsafe X509_VERIFY_PARAM_set1_host(parameters, name, name.utf8.count) == 1
                && shim_SSL_set_tlsext_host_name(ssl, name) == 1
        case .address(let address): return unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, address) == 1
        }
    }

    private func completed() -> TLSHandshakeCompleted {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &length)
        let chosen = unsafe UnsafeBufferPointer(start: name, count: Int(length))
        let server = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
        return TLSHandshakeCompleted(
            applicationProtocol: unsafe chosen.isEmpty ? nil : String(decoding: chosen, as: UTF8.self),
            serverName: unsafe server.map { unsafe String(cString: $0) },
            version: unsafe SSL_version(ssl) == TLS1_3_VERSION ? .v1_3 : .v1_2,
            resumed: unsafe SSL_session_reused(ssl) == 1, clientCertificate: clientCertificate)
    }

    /// Whether a client's certificate is past its last moment.
    private var isOutdated: Bool {
        guard unsafe SSL_is_server(ssl) == 1, let certificate = unsafe SSL_get1_peer_certificate(ssl) else { return false }
        defer { unsafe X509_free(certificate) }
        return unsafe X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0
    }

    /// Nobody's who was not asked, and none that was not verified.
    private var clientCertificate: [UInt8]? {
        guard unsafe SSL_is_server(ssl) == 1, unsafe SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER != 0,
            unsafe SSL_get_verify_result(ssl) == Int(X509_V_OK), let certificate = unsafe SSL_get1_peer_certificate(ssl)
        else { return nil }
        defer { unsafe X509_free(certificate) }
        let length = unsafe i2d_X509(certificate, nil)
        guard length > 0 else { return nil }
        return unsafe [UInt8](unsafeUninitializedCapacity: Int(length)) { bytes, count in
            var next = bytes.baseAddress
            count = Int(unsafe max(0, i2d_X509(certificate, &next)))
        }
    }
}
