import COpenSSL

/// OpenSSL's error queue belongs to the thread, not to the connection: it is cleared before a call whose failure is to be
/// explained, and drained right after it, in the same function.
enum OpenSSLErrors {
    /// Mostly there is nothing to clear, and asking costs a fifth of clearing.
    static func clear() { if ERR_peek_error() != 0 { ERR_clear_error() } }

    /// The cause of the last failure: libssl's own first word on it, else the first of all. Empties the queue. `nil`: nothing was noted.
    static func drain() -> OpenSSLFault? {
        var first: OpenSSLFault?
        var cause: OpenSSLFault?
        while true {
            let code = ERR_get_error()
            if code == 0 { return cause ?? first }
            let fault = OpenSSLFault(code: code)
            first = first ?? fault
            if fault.sslReason != nil { cause = cause ?? fault }
        }
    }
}

/// One entry of the error queue.
struct OpenSSLFault {
    let code: UInt

    /// The reason's number if libssl noted it, else `nil`.
    var sslReason: Int32? { ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : nil }

    /// The reason's number if the PEM reader noted it, else `nil`.
    var pemReason: Int32? { ERR_GET_LIB(code) == ERR_LIB_PEM ? ERR_GET_REASON(code) : nil }

    /// OpenSSL's words for the reason ("no shared cipher").
    var text: String {
        guard let words = unsafe ERR_reason_error_string(code) else { return "OpenSSL error \(code)" }
        return unsafe String(cString: words)
    }
}

extension TLSError {
    /// What a failed handshake, read or write means.
    init(_ fault: OpenSSLFault?) {
        guard let fault else {
            self = .protocolViolation("unknown")
            return
        }
        switch fault.sslReason {
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST: self = .plainHTTP
        case SSL_R_WRONG_VERSION_NUMBER: self = .notTLS
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_INAPPROPRIATE_FALLBACK: self = .unsupportedVersion
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
            SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
            self = .nothingInCommon(fault.text)
        case SSL_R_NO_APPLICATION_PROTOCOL: self = .noCommonProtocol
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: self = .noClientCertificate
        case .some(let reason) where (SSL_AD_REASON_OFFSET..<SSL_AD_REASON_OFFSET + 256).contains(reason):
            self = .peerAlert(UInt8(reason - SSL_AD_REASON_OFFSET))
        default: self = .protocolViolation(fault.text)
        }
    }
}
