import COpenSSL

/// The `SSL_CTX` of the certificates that answer for the same names, one of each key type: OpenSSL picks by what the client can
/// verify, ECDSA before RSA.
@safe final class CertificateSet: Sendable {
    // Configured by the initialiser, only read afterwards; OpenSSL counts its references atomically.
    nonisolated(unsafe) let context: OpaquePointer
    /// What sessions are bound to: a hash of the certificates.
    let identity: [UInt8]

    init(_ certificates: [ServerCertificate], _ settings: TLSSettings) throws(TLSConfigurationError) {
        OpenSSLErrors.clear()
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw .library(OpenSSLErrors.drain()?.text ?? "unknown")
        }
        unsafe self.context = context
        identity = certificates.flatMap { $0.chain.fingerprint }
        try unsafe settings.apply(to: context)
        for certificate in certificates { try unsafe certificate.use(in: context) }
    }

    deinit { unsafe SSL_CTX_free(context) }
}
