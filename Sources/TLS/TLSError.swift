/// Why a TLS connection ended otherwise than by both sides' close_notify. Told once; the connection is then to be closed.
package enum TLSError: Error, Equatable, Sendable {
    // MARK: before the handshake was complete

    /// The peer spoke HTTP without TLS.
    case plainHTTP
    /// What came is no TLS record.
    case notTLS
    /// The peer speaks nothing as new as the configured minimum.
    case unsupportedVersion
    /// No cipher, group, signature algorithm or certificate type in common: OpenSSL's reason.
    case nothingInCommon(String)
    /// The client offers application protocols, none of them ours.
    case noCommonProtocol
    /// More bytes than any handshake needs.
    case handshakeTooLarge
    /// The peer went away in mid-handshake.
    case handshakeInterrupted
    /// The peer's certificate is not believed: the server's where we are the client, else the client's.
    case untrusted(CertificateProblem)
    /// We are the server, and the client has no certificate where one is required.
    case noClientCertificate

    // MARK: afterwards

    /// The peer's stream ended without close_notify: somebody may have cut it off, so what came is not known to be whole.
    case truncated
    /// A TLS 1.2 client wanted to renegotiate.
    case renegotiation
    /// Record after record without data (KeyUpdates and the like).
    case uselessRecords

    // MARK: at any time

    /// The peer sent a fatal alert: its number in the IANA registry (48 is `unknown_ca`).
    case peerAlert(UInt8)
    /// The peer broke the protocol or a record was forged: OpenSSL's reason.
    case protocolViolation(String)
}

extension TLSError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .plainHTTP: "it speaks HTTP without TLS"
        case .notTLS: "what it answers is not TLS"
        case .unsupportedVersion: "it speaks no version of TLS that is taken here"
        case .nothingInCommon(let reason): "no cipher, group or signature algorithm in common (\(reason))"
        case .noCommonProtocol: "no application protocol in common"
        case .handshakeTooLarge: "its handshake is larger than any needs to be"
        case .handshakeInterrupted: "it closed the connection during the handshake"
        case .untrusted(let problem): problem.description
        case .noClientCertificate: "it has no certificate"
        case .truncated: "it closed the connection without saying so in TLS, so that something may be missing"
        case .renegotiation: "it wanted to renegotiate"
        case .uselessRecords: "it sends records without data"
        case .peerAlert(let number): "it refused by TLS alert \(number)"
        case .protocolViolation(let reason): "it broke the protocol of TLS (\(reason))"
        }
    }
}
