/// One address that clients connect to.
package struct Listener: Sendable {
    package var address: ListenAddress
    /// Nil means `tls: off`.
    package var tls: ListenerTLS?
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
}

/// A numeric address and a port to listen on.
package struct ListenAddress: Hashable, Sendable {
    /// IPv4 in dotted form, or IPv6 without brackets.
    package var host: String
    /// 0 lets the system choose.
    package var port: Int
    package var isIPv6: Bool

    /// As the file writes it: `0.0.0.0:8443`, `[::]:8443`.
    package var text: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
