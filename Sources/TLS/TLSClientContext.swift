import COpenSSL

/// How servers are spoken to and whom is believed about who they are: made once, shared by all connections with the same authorities.
///
/// The server's certificate is always verified, with its name or address (`TLSServerIdentity`); there is no way to switch that off.
/// TLS 1.2 and 1.3 with the ciphers of `TLSSettings`; HTTP/1.1 is offered by ALPN. A session is resumed only where a connection is given
/// the server's `TLSClientSessions`.
@safe package final class TLSClientContext: Sendable {
    // Configured by the initialiser, only read afterwards; OpenSSL counts its references atomically.
    nonisolated(unsafe) let context: OpaquePointer

    /// Tells whether another context would believe the same servers and show them the same certificate, by the files' content. What the
    /// system trusts counts as one.
    package let identity: [UInt8]
    /// What is odd about the client's certificate though it can be shown.
    package let warnings: [TLSConfigurationWarning]

    /// ALPN's wire format (RFC 7301 §3.1).
    private static let protocols = [UInt8(8)] + Array("http/1.1".utf8)

    /// Trusts the authorities in the PEM file at `authorities` and no others; without one, those that the system trusts (which the
    /// environment's `SSL_CERT_FILE` and `SSL_CERT_DIR` move). `certificate` is shown to servers that ask for one. Reads files: not for an
    /// event loop.
    package init(
        authorities: String?, certificate: TLSServerConfiguration.Certificate? = nil
    ) throws(TLSConfigurationError) {
        let trusted = try authorities.map(Self.chain(ofAuthorities:))
        let own = try certificate.map { files throws(TLSConfigurationError) in try ServerCertificate(files) }
        let fingerprints = trusted.map { chain in unsafe chain.certificates.flatMap { unsafe CertificateChain.fingerprint(of: $0) } }
        identity = (fingerprints ?? [1]) + [0] + (own?.identity ?? [])
        warnings = own?.warnings(isDefault: true) ?? []
        OpenSSLErrors.clear()
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw .library(OpenSSLErrors.drain()?.text ?? "unknown") }
        unsafe self.context = context
        unsafe SSL_CTX_set_options(context, shim_SSL_OP_NO_RENEGOTIATION | shim_SSL_OP_NO_COMPRESSION)
        // SSL_read then returns after a record without data, so that such records can be counted.
        unsafe shim_SSL_CTX_clear_mode(context, Int(SSL_MODE_AUTO_RETRY))
        unsafe shim_SSL_CTX_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
        unsafe TLSClientSessions.install(in: context)
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_security_level(context, 2)
        guard
            unsafe shim_SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1,
            unsafe SSL_CTX_set_cipher_list(context, TLSSettings.ciphers12) == 1,
            unsafe SSL_CTX_set_ciphersuites(context, TLSSettings.ciphers13) == 1,
            unsafe shim_SSL_CTX_set1_groups_list(context, TLSSettings.groups) == 1,
            unsafe SSL_CTX_set_alpn_protos(context, Self.protocols, UInt32(Self.protocols.count)) == 0
        else { throw .library(OpenSSLErrors.drain()?.text ?? "unknown") }
        if let trusted, let authorities { try trust(trusted, file: authorities) } else { try trustSystem() }
        try unsafe own?.use(in: context)
    }

    deinit { unsafe SSL_CTX_free(context) }

    private func trustSystem() throws(TLSConfigurationError) {
        OpenSSLErrors.clear()
        guard unsafe SSL_CTX_set_default_verify_paths(context) == 1 else { throw .library(OpenSSLErrors.drain()?.text ?? "unknown") }
        OpenSSLErrors.clear()
    }

    private static func chain(ofAuthorities file: String) throws(TLSConfigurationError) -> CertificateChain {
        do throws(TLSConfigurationError.FileProblem) { return try CertificateChain(file: file) } catch {
            throw .authorities(file: file, error)
        }
    }

    /// Every certificate of the file is trusted as it stands, also one that another has signed.
    private func trust(_ trusted: CertificateChain, file: String) throws(TLSConfigurationError) {
        OpenSSLErrors.clear()
        let store = unsafe SSL_CTX_get_cert_store(context)
        guard unsafe trusted.certificates.allSatisfy({ unsafe X509_STORE_add_cert(store, $0) == 1 }) else {
            throw .authorities(file: file, .malformed(OpenSSLErrors.drain()?.text ?? "unknown"))
        }
        unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }
}

/// Whose certificate is asked for: a DNS name, which is sent as SNI too, or an IP address, which isn't (RFC 6066 §3).
package enum TLSServerIdentity: Equatable, Sendable {
    /// Without a trailing dot.
    case name(String)
    /// IPv4, or IPv6 without brackets.
    case address(String)
}
