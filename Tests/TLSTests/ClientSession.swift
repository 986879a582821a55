import COpenSSL

/// A client's half of a TLS connection: bytes in, bytes out, so that a test decides what arrives when.
///
/// Safe: the pointers live as long as the object; one thread uses it.
@safe final class ClientSession {
    struct Offer {
        var versions: ClosedRange<Int32> = TLS1_2_VERSION...TLS1_3_VERSION
        var name: String? = "gateway.test"
        var protocols: [String] = []
        /// OpenSSL's list for TLS 1.2, with its security level: `@SECLEVEL=0` also allows old versions.
        var ciphers = "DEFAULT"
        var signatures: String?
        var resuming: SavedSession?
    }

    let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private let context: OpaquePointer
    /// Sessions that the server has given tickets for, newest last.
    private(set) var tickets: [SavedSession] = []
    private(set) var isReady = false
    private(set) var isClosed = false
    private(set) var failure: String?

    init(_ offer: Offer = Offer()) {
        unsafe context = SSL_CTX_new(TLS_client_method())!
        unsafe SSL_CTX_set_cipher_list(context, offer.ciphers)
        unsafe shim_SSL_CTX_set_session_cache_mode(context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        unsafe ssl = SSL_new(context)!
        unsafe incoming = BIO_new(BIO_s_mem())!
        unsafe outgoing = BIO_new(BIO_s_mem())!
        unsafe SSL_set_bio(ssl, incoming, outgoing)
        unsafe SSL_set_connect_state(ssl)
        unsafe SSL_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(offer.versions.lowerBound), nil)
        unsafe SSL_ctrl(ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(offer.versions.upperBound), nil)
        apply(offer)
        listenForTickets()
    }

    deinit {
        // A session that ended without this would not be resumable.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
        unsafe SSL_CTX_free(context)
    }

    private func apply(_ offer: Offer) {
        if var name = offer.name.map({ Array($0.utf8CString) }) {
            unsafe SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), &name)
        }
        if var signatures = offer.signatures.map({ Array($0.utf8CString) }) {
            unsafe SSL_ctrl(ssl, SSL_CTRL_SET_SIGALGS_LIST, 0, &signatures)
        }
        let wire = offer.protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !wire.isEmpty { unsafe SSL_set_alpn_protos(ssl, wire, UInt32(wire.count)) }
        if let saved = offer.resuming { unsafe SSL_set_session(ssl, saved.pointer) }
    }

    private func listenForTickets() {
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        unsafe SSL_CTX_sess_set_new_cb(context) { ssl, session in
            let client = unsafe Unmanaged<ClientSession>.fromOpaque(SSL_get_ex_data(ssl, 0)!).takeUnretainedValue()
            unsafe client.tickets.append(SavedSession(session!))
            return 1
        }
    }
}

/// A session that can be resumed.
@safe final class SavedSession {
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { unsafe self.pointer = pointer }
    deinit { unsafe SSL_SESSION_free(pointer) }
}

// MARK: bytes

extension ClientSession {
    /// What is to go to the server.
    func takeOutput() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(outgoing))
        unsafe BIO_read(outgoing, &bytes, Int32(bytes.count))
        return bytes
    }

    /// Gives it what came from the server, goes on with the handshake, returns the data in it.
    @discardableResult
    func receive(_ bytes: [UInt8]) -> [UInt8] {
        unsafe BIO_write(incoming, bytes, Int32(bytes.count))
        if !isReady { shakeHands() }
        return isReady ? readAll() : []
    }

    func shakeHands() {
        ERR_clear_error()
        let code = unsafe SSL_do_handshake(ssl)
        isReady = code == 1
        if code != 1 { noteFailure(code) }
    }

    func send(_ bytes: [UInt8]) { unsafe SSL_write(ssl, bytes, Int32(bytes.count)) }
    func sendCloseNotify() { unsafe SSL_shutdown(ssl) }
    func updateKeys() { unsafe SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) }

    /// Begins a renegotiation (TLS 1.2).
    func renegotiate() {
        unsafe SSL_renegotiate(ssl)
        _ = unsafe SSL_do_handshake(ssl)
    }

    private func readAll() -> [UInt8] {
        var all: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            ERR_clear_error()
            let count = unsafe SSL_read(ssl, &block, Int32(block.count))
            if count <= 0 {
                noteFailure(count)
                return all
            }
            all += block[..<Int(count)]
        }
    }

    private func noteFailure(_ code: Int32) {
        switch unsafe SSL_get_error(ssl, code) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: break
        case SSL_ERROR_ZERO_RETURN: isClosed = true
        default:
            guard failure == nil else { break }
            failure = unsafe ERR_reason_error_string(ERR_peek_last_error()).map { unsafe String(cString: $0) } ?? "unknown"
        }
        ERR_clear_error()
    }
}

// MARK: what was agreed

extension ClientSession {
    var version: Int32 { unsafe SSL_version(ssl) }
    var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }
    var cipher: String { unsafe String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl))) }

    var chosenProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &length)
        return length == 0 ? nil : unsafe String(decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }

    /// The server's certificate: whether it is for `name`.
    func serverIs(_ name: String) -> Bool {
        guard let certificate = unsafe SSL_get1_peer_certificate(ssl) else { return false }
        defer { unsafe X509_free(certificate) }
        return unsafe X509_check_host(certificate, name, name.utf8.count, 0, nil) == 1
    }

    var serverKey: Int32 {
        guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return 0 }
        return unsafe EVP_PKEY_get_base_id(X509_get0_pubkey(certificate))
    }
}
