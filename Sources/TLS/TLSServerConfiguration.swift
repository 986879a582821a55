/// What a TLS listener serves with: certificates, the oldest version it speaks and the protocols it offers.
package struct TLSServerConfiguration: Sendable {
    /// A certificate chain and its private key, both PEM files.
    package struct Certificate: Sendable {
        /// The server's certificate first, then the intermediates in the order of issue.
        package var chain: String
        /// The unencrypted private key of the chain's first certificate.
        package var key: String
        /// The server names it is chosen for (`www.example.com`, `*.example.com`); empty: the DNS names of the certificate itself.
        package var names: [String]
        /// Nil: clients are asked for no certificate.
        package var clients: Clients?

        package init(chain: String, key: String, names: [String] = [], clients: Clients? = nil) {
            self.chain = chain
            self.key = key
            self.names = names
            self.clients = clients
        }
    }

    /// What clients of a certificate's names are asked for.
    package struct Clients: Sendable, Hashable {
        /// PEM file of the authorities that vouch for them.
        package var authorities: String
        /// Whether a client without a certificate is refused.
        package var isRequired: Bool

        package init(authorities: String, isRequired: Bool) {
            self.authorities = authorities
            self.isRequired = isRequired
        }
    }

    /// The first is the default: it answers clients that name no server or one that nobody here is.
    package var certificates: [Certificate]
    package var minimum: TLSVersion
    /// Application protocols (ALPN, RFC 7301) in the server's order of preference.
    package var alpn: [String]

    package init(certificates: [Certificate], minimum: TLSVersion = .v1_2, alpn: [String] = ["http/1.1"]) {
        self.certificates = certificates
        self.minimum = minimum
        self.alpn = alpn
    }

    /// What it says beside the certificates.
    var identity: [UInt8] {
        let lists = [alpn] + certificates.map(\.names)
        return lists.reduce([minimum == .v1_3 ? 3 : 2]) { $0 + Array($1.joined(separator: ",").utf8) + [0] }
    }
}

/// The versions that are spoken; everything older is refused (RFC 8996).
package enum TLSVersion: Sendable, Equatable {
    case v1_2, v1_3
}
