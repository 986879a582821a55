import TLS

/// How an upstream stands, for the metrics.
package struct BoardFigures: Sendable {
    package let upstream: String
    package let servers: [ServerFigures]
    /// Requests are refused because others waited in vain.
    package let isCircuitOpen: Bool
    package let isTLS: Bool
    /// Whole handshakes, and those that resumed a session.
    package let handshakes: Int
    package let resumptions: Int
    package let tlsFailures: [UpstreamTLSFailure: Int]
    /// Requests that were sent a second time.
    package let retries: Int
}

/// How a server stands.
package struct ServerFigures: Sendable {
    package let upstream: String
    package let server: String
    package let isServing: Bool
    /// How often it was left out for its failures.
    package let ejections: Int
    package let isChecked: Bool
    package let checksPassed: Int
    package let checksFailed: Int
}

/// Why TLS with a server failed: the label of its counter.
package enum UpstreamTLSFailure: String, Sendable, CaseIterable {
    case unknownAuthority = "unknown_authority"
    case wrongName = "wrong_name"
    case expired
    case notYetValid = "not_yet_valid"
    case tooWeak = "too_weak"
    /// Another fault of the certificate.
    case certificate
    case notTLS = "not_tls"
    case unsupportedVersion = "unsupported_version"
    case nothingInCommon = "nothing_in_common"
    /// The server refused by an alert: often that it wants a certificate, or another one.
    case peerAlert = "peer_alert"
    case interrupted
    /// An answer ended without close_notify.
    case truncated
    case protocolViolation = "protocol_violation"

    var text: String { rawValue }

    init(_ error: TLSError) {
        self =
            switch error {
            case .untrusted(.unknownAuthority): .unknownAuthority
            case .untrusted(.wrongName): .wrongName
            case .untrusted(.expired): .expired
            case .untrusted(.notYetValid): .notYetValid
            case .untrusted(.tooWeak): .tooWeak
            case .untrusted(.other): .certificate
            case .plainHTTP, .notTLS: .notTLS
            case .unsupportedVersion: .unsupportedVersion
            case .nothingInCommon, .noCommonProtocol: .nothingInCommon
            case .peerAlert: .peerAlert
            case .handshakeInterrupted: .interrupted
            case .truncated: .truncated
            // `noClientCertificate` is a server's word on a client, and no server counts here.
            case .handshakeTooLarge, .renegotiation, .uselessRecords, .protocolViolation, .noClientCertificate: .protocolViolation
            }
    }
}
