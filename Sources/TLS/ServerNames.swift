import COpenSSL

/// Which certificate set answers for which server name. An exact name goes before a wildcard, an earlier certificate before a later.
@safe final class ServerNames: Sendable {
    /// Answers when no other does.
    let fallback: CertificateSet
    private let sets: [ServerName: CertificateSet]
    private let settings: TLSSettings
    /// Whether any set asks clients for certificates.
    let asksClients: Bool
    /// Whom clients of which names are verified by.
    let clientIdentity: [ServerName?: [UInt8]]

    init(_ certificates: [ServerCertificate], _ settings: TLSSettings) throws(TLSConfigurationError) {
        var made: [CertificateSet] = []
        var sets: [ServerName: CertificateSet] = [:]
        try Self.checkClients(of: certificates)
        for group in Self.grouped(certificates) {
            let set = try CertificateSet(group, settings)
            made.append(set)
            for name in group[0].names { sets[name] = sets[name] ?? set }
        }
        guard let first = made.first else { throw .noCertificates }
        fallback = first
        self.sets = sets
        self.settings = settings
        asksClients = made.contains { !$0.clientSettings.isEmpty }
        var clients: [ServerName?: [UInt8]] = [nil: first.clientSettings]
        for (name, set) in sets { clients[name] = set.clientSettings }
        clientIdentity = clients
        for set in made { listen(to: set) }
    }

    /// Certificates for the same names with keys of different kinds belong together.
    private static func grouped(_ certificates: [ServerCertificate]) -> [[ServerCertificate]] {
        var groups: [[ServerCertificate]] = []
        for certificate in certificates {
            let partner = groups.firstIndex { group in
                Set(group[0].names) == Set(certificate.names) && !group.contains { $0.key.kind == certificate.key.kind }
            }
            if let partner { groups[partner].append(certificate) } else { groups.append([certificate]) }
        }
        return groups
    }

    /// Two certificates for the same names must ask clients for the same: which of them answers is the client's choice.
    private static func checkClients(of certificates: [ServerCertificate]) throws(TLSConfigurationError) {
        for (index, certificate) in certificates.enumerated() {
            guard let first = certificates[..<index].first(where: { Set($0.names) == Set(certificate.names) }) else { continue }
            if first.clients?.identity != certificate.clients?.identity { throw .clientsDiffer(first.file, certificate.file) }
        }
    }

    func set(for name: ServerName?) -> CertificateSet {
        guard let name else { return fallback }
        return sets[name] ?? name.coveringWildcard.flatMap { sets[$0] } ?? fallback
    }
}

// MARK: the ClientHello

extension ServerNames {
    /// The set is chosen as soon as the ClientHello is there, before OpenSSL looks at its ticket. The later servername callback would
    /// let a session of one name be resumed under another's settings.
    private func listen(to set: CertificateSet) {
        unsafe SSL_CTX_set_client_hello_cb(
            set.context,
            { ssl, _, argument in
                guard let ssl = unsafe ssl, let argument = unsafe argument else { return SSL_CLIENT_HELLO_ERROR }
                let names = unsafe Unmanaged<ServerNames>.fromOpaque(argument).takeUnretainedValue()
                return unsafe names.choose(for: ssl) ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR
            }, Unmanaged.passUnretained(self).toOpaque())
        // The name was of use: say so to the client (RFC 6066 §3).
        unsafe shim_SSL_CTX_set_tlsext_servername_callback(set.context) { _, _, _ in SSL_TLSEXT_ERR_OK }
    }

    /// Gives the connection its certificates and binds its session to them and to the name: it is resumed under no other.
    private func choose(for ssl: OpaquePointer) -> Bool {
        let name = unsafe Self.requestedName(ssl)
        let set = set(for: name)
        if set !== fallback {
            guard unsafe SSL_set_SSL_CTX(ssl, set.context) != nil else { return false }
            // Unlike certificates and authorities, this stays that of the context that the connection began in.
            unsafe SSL_set_verify(ssl, set.verifyMode, nil)
        }
        let binding = set.identity + (name?.host ?? [])
        var digest = [UInt8](repeating: 0, count: Int(SSL_MAX_SID_CTX_LENGTH))
        return unsafe EVP_Digest(binding, binding.count, &digest, nil, EVP_sha256(), nil) == 1
            && SSL_set_session_id_context(ssl, digest, UInt32(digest.count)) == 1
    }

    /// The extension's host_name. OpenSSL itself refuses a malformed one afterwards; here it is just no name.
    private static func requestedName(_ ssl: OpaquePointer) -> ServerName? {
        var start: UnsafePointer<UInt8>?
        var length = 0
        guard unsafe SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_server_name), &start, &length) == 1 else { return nil }
        // The list's length (2 bytes), the name's type (1), its length (2), the name.
        let list = unsafe UnsafeBufferPointer(start: start, count: length)
        guard length > 5, unsafe list[2] == UInt8(TLSEXT_NAMETYPE_host_name) else { return nil }
        let name = unsafe list[5...].prefix(Int(list[3]) << 8 | Int(list[4]))
        return unsafe ServerName(name, wildcardAllowed: false)
    }
}
