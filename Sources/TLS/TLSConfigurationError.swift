/// Why TLS settings can't be used. Each names the file and what is wrong with it.
package enum TLSConfigurationError: Error, Equatable, Sendable {
    /// What is wrong with one file.
    package enum FileProblem: Error, Equatable, Sendable {
        case missing
        /// The operating system's reason.
        case unreadable(String)
        /// Nothing of what the file is for is in it.
        case notPEM
        /// It looks like PEM but what is inside can't be read: OpenSSL's reason.
        case malformed(String)
        case encryptedKey
        case tooLarge
        /// OpenSSL's security level 2 refuses it (RSA below 2048 bits, SHA-1 signatures, …).
        case tooWeak(String)
    }

    case noCertificates
    case chain(file: String, FileProblem)
    case key(file: String, FileProblem)
    /// The authorities that a client is to trust.
    case authorities(file: String, FileProblem)
    /// The key is not that of the first certificate in the chain.
    case keyMismatch(chain: String, key: String)
    /// Two certificates for the same names, by their files, that ask clients for different certificates.
    case clientsDiffer(String, String)
    /// A configured server name that is neither a host name nor `*.` and a host name.
    case invalidName(String)
    /// An application protocol's name that is empty or longer than 255 bytes.
    case invalidProtocol(String)
    /// libssl refused a setting: only with a broken or very restrictive installation.
    case library(String)
}

extension TLSConfigurationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noCertificates: "no certificate is given"
        case .chain(let file, .notPEM): "\(file): no PEM certificate (-----BEGIN CERTIFICATE-----) in it"
        case .chain(let file, let problem): "\(file): the certificate chain \(problem)"
        case .key(let file, .notPEM): "\(file): no PEM private key (-----BEGIN PRIVATE KEY-----) in it"
        case .key(let file, let problem): "\(file): the private key \(problem)"
        case .authorities(let file, .notPEM): "\(file): no PEM certificate (-----BEGIN CERTIFICATE-----) in it"
        case .authorities(let file, let problem): "\(file): the file of authorities \(problem)"
        case .keyMismatch(let chain, let key): "\(key): not the key of the first certificate in \(chain)"
        case .clientsDiffer(let first, let second):
            "\(first) and \(second) are for the same names, but ask clients for different certificates"
        case .invalidName(let name): "\"\(name)\" is not a server name: write www.example.com or *.example.com"
        case .invalidProtocol(let name): "\"\(name)\" is not a protocol name of 1 to 255 bytes"
        case .library(let reason): "OpenSSL refuses the settings: \(reason)"
        }
    }
}

extension TLSConfigurationError.FileProblem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing: "does not exist"
        case .unreadable(let reason): "can't be read: \(reason)"
        case .notPEM: "is not PEM"
        case .malformed(let reason): "is damaged: \(reason)"
        case .encryptedKey: "is encrypted: decrypt it (openssl pkey -in FILE -out NEW) and protect the file by its permissions"
        case .tooLarge: "is larger than \(PEMFile.bound / 1024) KiB"
        case .tooWeak(let reason): "is too weak: \(reason)"
        }
    }
}

/// What is odd about a listener's certificates though they can be served.
package enum TLSConfigurationWarning: Equatable, Sendable, CustomStringConvertible {
    /// `since`: RFC 3339, UTC.
    case expired(file: String, since: String)
    case notYetValid(file: String, from: String)
    /// No DNS name and not the default: no client will ever get it.
    case neverChosen(file: String)

    package var description: String {
        switch self {
        case .expired(let file, let since): "\(file): the certificate expired at \(since)"
        case .notYetValid(let file, let from): "\(file): the certificate is not valid before \(from)"
        case .neverChosen(let file): "\(file): the certificate has no server name of its own, so no client gets it"
        }
    }
}
