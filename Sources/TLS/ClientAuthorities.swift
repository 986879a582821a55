import COpenSSL

/// Whose certificates clients are asked for, and whether they must have one: what one certificate of a listener says.
///
/// A certificate that is sent is always verified (RFC 5280 §6, for the purpose of TLS clients): `optional` means that it may be missing,
/// never that it may be wrong. Revocation lists are not asked.
@safe final class ClientAuthorities {
    private let authorities: CertificateChain
    let isRequired: Bool

    /// Every certificate of the file is trusted as it stands, also one that another has signed.
    init(_ settings: TLSServerConfiguration.Clients) throws(TLSConfigurationError) {
        do throws(TLSConfigurationError.FileProblem) { authorities = try CertificateChain(file: settings.authorities) } catch {
            throw .authorities(file: settings.authorities, error)
        }
        isRequired = settings.isRequired
    }

    /// Equal for settings by which the same clients pass.
    var identity: [UInt8] {
        unsafe authorities.certificates.flatMap { unsafe CertificateChain.fingerprint(of: $0) } + [isRequired ? 2 : 1]
    }

    /// For SSL_set_verify(3).
    var mode: CInt { SSL_VERIFY_PEER | (isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0) }

    /// Has `context` ask for certificates of these authorities, and verify them.
    func use(in context: OpaquePointer) throws(TLSConfigurationError) {
        OpenSSLErrors.clear()
        let store = unsafe SSL_CTX_get_cert_store(context)
        let isTaken = unsafe authorities.certificates.allSatisfy { authority in
            // The name is what clients with several certificates choose by; it is copied.
            unsafe X509_STORE_add_cert(store, authority) == 1 && SSL_CTX_add_client_CA(context, authority) == 1
        }
        guard isTaken else { throw .library(OpenSSLErrors.drain()?.text ?? "unknown") }
        unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        unsafe SSL_CTX_set_verify(context, mode, nil)
    }
}

extension TLSContext {
    /// Whether any of its certificates asks clients for theirs.
    package var asksClients: Bool { names.asksClients }

    /// By which settings clients of this server name are verified; equal for names with the same. Empty where nobody is asked. A name that
    /// is none, or that no certificate is for, is the default certificate's.
    package func clientSettings(for name: some Collection<UInt8>) -> [UInt8] {
        names.set(for: ServerName(name, wildcardAllowed: false)).clientSettings
    }

    /// Whether another context verifies the same clients for the same names.
    package func asksClients(as other: TLSContext) -> Bool { names.clientIdentity == other.names.clientIdentity }
}
