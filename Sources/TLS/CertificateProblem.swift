import COpenSSL

/// Why a server's certificate is not believed (RFC 5280 §6, RFC 9525): the first thing that was wrong with it.
package enum CertificateProblem: Error, Equatable, Sendable {
    /// No authority that is trusted here stands behind it; a self-signed one is its own.
    case unknownAuthority
    case expired
    case notYetValid
    /// It is for other names or addresses than the one that was asked for.
    case wrongName
    /// Its key or a signature is too weak for OpenSSL's security level 2.
    case tooWeak
    /// OpenSSL's reason.
    case other(String)

    /// What X509_verify_cert(3) came to.
    init(_ code: Int) {
        switch Int32(truncatingIfNeeded: code) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
            self = .unknownAuthority
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: self = .wrongName
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK: self = .tooWeak
        default: self = .other(unsafe String(cString: X509_verify_cert_error_string(code)))
        }
    }
}

extension CertificateProblem: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownAuthority: "no authority that is trusted here stands behind the certificate"
        case .expired: "the certificate, or one above it, has expired"
        case .notYetValid: "the certificate, or one above it, is not valid yet"
        case .wrongName: "the certificate is for another host name"
        case .tooWeak: "the certificate, or one above it, has too weak a key or signature"
        case .other(let reason): "the certificate can't be verified: \(reason)"
        }
    }
}
