import COpenSSL

/// The TLS settings of a listener, ready to serve: made once when the file is loaded, shared by all event loops, never changed.
///
/// Holds one `SSL_CTX` per certificate set; every connection starts in the default's and its ClientHello picks by SNI.
package final class TLSContext: Sendable {
    /// What is odd but served.
    package let warnings: [TLSConfigurationWarning]
    /// When each certificate expires, in the order of the configuration.
    package let expiries: [CertificateExpiry]

    let names: ServerNames
    let settings: TLSSettings

    /// Tells whether another context would serve the same: the settings and all certificates, by their bytes.
    package let identity: [UInt8]

    /// Where every connection starts.
    var start: CertificateSet { names.fallback }

    /// Reads and checks every file; blocks, so never on an event loop. `predecessor` is one whose sessions can be resumed here where
    /// their certificates are the same.
    package init(server configuration: TLSServerConfiguration, after predecessor: TLSContext? = nil) throws(TLSConfigurationError) {
        var certificates: [ServerCertificate] = []
        for files in configuration.certificates { certificates.append(try ServerCertificate(files)) }
        settings = try TLSSettings(configuration, tickets: predecessor?.settings.tickets)
        identity = configuration.identity + certificates.flatMap(\.identity)
        names = try ServerNames(certificates, settings)
        expiries = certificates.compactMap(\.expiry)
        warnings = certificates.enumerated().flatMap { $1.warnings(isDefault: $0 == 0) }
    }
}

/// When a certificate expires.
package struct CertificateExpiry: Sendable, Hashable {
    /// The PEM file of its chain.
    package let file: String
    /// Seconds since 1970.
    package let notAfter: Int64
}
