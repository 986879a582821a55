/// One address that clients connect to.
package struct Listener: Sendable {
    package var address: ListenAddress
    /// Nil means `tls: off`.
    package var tls: ListenerTLS?
    /// Who may connect to a Unix socket: the permissions of its file.
    package var mode: UInt32 = 0o660
    /// `proxy_protocol: required`: who connects is a trusted proxy that says first whom for.
    package var proxyProtocol = false
}

/// How a listener terminates TLS.
package struct ListenerTLS: Sendable {
    /// Chosen by SNI from the names in the certificates; the first is the default.
    package var certificates: [CertificateFiles]
    package var minimum: Version

    /// The lowest version that is spoken.
    package enum Version: String, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }
}

/// A certificate chain and its private key, both PEM files that exist and can be read.
package struct CertificateFiles: Hashable, Sendable {
    package var chain: String
    package var key: String
    /// Where the file names them, so that whoever loads them can say which line is meant.
    package var chainPlace: Place
    package var keyPlace: Place
    /// Nil where clients are asked for no certificate.
    package var clients: ClientCertificateFile?
}

/// Who vouches for clients, and whether each must have a certificate.
package struct ClientCertificateFile: Hashable, Sendable {
    /// PEM file of the authorities.
    package var authorities: String
    package var isRequired: Bool
    package var place: Place
}

/// A numeric address and a port to listen on, or a Unix socket.
package struct ListenAddress: Hashable, Sendable {
    /// IPv4 in dotted form, or IPv6 without brackets.
    package var host: String
    /// 0 lets the system choose.
    package var port: Int
    package var isIPv6: Bool
    /// The path of a Unix socket, as the process opens it; the rest says nothing then.
    package var path: String?

    /// As the file writes it: `0.0.0.0:8443`, `[::]:8443`, `unix:/run/tenantgate.sock`.
    package var text: String { if let path { "unix:\(path)" } else { network } }

    private var network: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
