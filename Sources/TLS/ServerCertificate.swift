import COpenSSL

/// A certificate chain with its key and the server names it answers for; both fit.
struct ServerCertificate {
    let chain: CertificateChain
    let key: PrivateKey
    /// As configured, else the certificate's own.
    let names: [ServerName]
    /// Nil where clients are asked for nothing.
    let clients: ClientAuthorities?
    private let files: TLSServerConfiguration.Certificate

    init(_ files: TLSServerConfiguration.Certificate) throws(TLSConfigurationError) {
        self.files = files
        do throws(TLSConfigurationError.FileProblem) {
            chain = try CertificateChain(file: files.chain)
        } catch {
            throw .chain(file: files.chain, error)
        }
        do throws(TLSConfigurationError.FileProblem) {
            key = try PrivateKey(file: files.key)
        } catch {
            throw .key(file: files.key, error)
        }
        OpenSSLErrors.clear()
        let fits = unsafe X509_check_private_key(chain.leaf, key.pointer) == 1
        OpenSSLErrors.clear()
        guard fits else { throw .keyMismatch(chain: files.chain, key: files.key) }
        clients = if let clients = files.clients { try ClientAuthorities(clients) } else { nil }
        names = files.names.isEmpty ? chain.dnsNames : try Self.parse(files.names)
    }

    private static func parse(_ names: [String]) throws(TLSConfigurationError) -> [ServerName] {
        var parsed: [ServerName] = []
        for name in names {
            guard let name = ServerName(name.utf8, wildcardAllowed: true) else { throw .invalidName(name) }
            parsed.append(name)
        }
        return parsed
    }

    /// The chain; the key belongs to it.
    var identity: [UInt8] {
        unsafe chain.certificates.flatMap { unsafe CertificateChain.fingerprint(of: $0) } + [0] + (clients?.identity ?? []) + [0]
    }
    /// The file, for messages.
    var file: String { files.chain }
    /// The moment from which clients refuse it.
    var expiry: CertificateExpiry? { chain.notAfter.map { CertificateExpiry(file: files.chain, notAfter: $0) } }

    func warnings(isDefault: Bool) -> [TLSConfigurationWarning] {
        var warnings: [TLSConfigurationWarning] = []
        if let since = chain.expiry { warnings.append(.expired(file: files.chain, since: since)) }
        if let from = chain.beginning { warnings.append(.notYetValid(file: files.chain, from: from)) }
        if names.isEmpty, !isDefault { warnings.append(.neverChosen(file: files.chain)) }
        return warnings
    }

    /// Adds chain and key to `context`, which checks their strength.
    func use(in context: OpaquePointer) throws(TLSConfigurationError) {
        OpenSSLErrors.clear()
        let taken =
            unsafe SSL_CTX_use_certificate(context, chain.leaf) == 1
            && chain.intermediates.allSatisfy { unsafe shim_SSL_CTX_add1_chain_cert(context, $0) == 1 }
        guard taken else { throw .chain(file: files.chain, .tooWeak(OpenSSLErrors.drain()?.text ?? "unknown")) }
        guard unsafe SSL_CTX_use_PrivateKey(context, key.pointer) == 1 else {
            throw .key(file: files.key, .tooWeak(OpenSSLErrors.drain()?.text ?? "unknown"))
        }
    }
}
