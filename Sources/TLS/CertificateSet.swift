import COpenSSL

/// The `SSL_CTX` of the certificates that answer for the same names, one of each key type: OpenSSL picks by what the client can
/// verify, ECDSA before RSA.
@safe final class CertificateSet: Sendable {
    // Configured by the initialiser, only read afterwards; OpenSSL counts its references atomically.
    nonisolated(unsafe) let context: OpaquePointer
    /// What sessions are bound to: hashes of the certificates and of whom clients are verified by.
    let identity: [UInt8]
    /// Whom clients are verified by; empty where they are asked for nothing.
    let clientSettings: [UInt8]
    /// For SSL_set_verify(3).
    let verifyMode: CInt

    init(_ certificates: [ServerCertificate], _ settings: TLSSettings) throws(TLSConfigurationError) {
        OpenSSLErrors.clear()
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw .library(OpenSSLErrors.drain()?.text ?? "unknown")
        }
        unsafe self.context = context
        let clients = certificates.first?.clients
        clientSettings = clients?.identity ?? []
        verifyMode = clients?.mode ?? SSL_VERIFY_NONE
        identity = certificates.flatMap { $0.chain.fingerprint } + clientSettings
        try unsafe settings.apply(to: context)
        for certificate in certificates { try unsafe certificate.use(in: context) }
        try unsafe clients?.use(in: context)
    }

    deinit { unsafe SSL_CTX_free(context) }
}
