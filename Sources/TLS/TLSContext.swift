import COpenSSL

/// The TLS settings of a listener, ready to serve: made once when the file is loaded, shared by all event loops, never changed.
///
/// Holds one `SSL_CTX` per certificate set; every connection starts in the default's and its ClientHello picks by SNI.
package final class TLSContext: Sendable {
    /// What is odd but served.
    package let warnings: [TLSConfigurationWarning]

    let names: ServerNames

    /// Where every connection starts.
    var start: CertificateSet { names.fallback }

    /// Reads and checks every file; blocks, so never on an event loop.
    package init(server configuration: TLSServerConfiguration) throws(TLSConfigurationError) {
        var certificates: [ServerCertificate] = []
        for files in configuration.certificates { certificates.append(try ServerCertificate(files)) }
        let settings = try TLSSettings(configuration)
        names = try ServerNames(certificates, settings)
        warnings = certificates.enumerated().flatMap { $1.warnings(isDefault: $0 == 0) }
    }
}
