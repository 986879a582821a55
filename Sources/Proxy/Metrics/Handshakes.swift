package import TLS

/// What a finished handshake is counted as.
package struct HandshakeKind: Hashable, Sendable {
    package let version: TLSVersion
    package let isResumed: Bool

    static let all = [TLSVersion.v1_2, .v1_3].flatMap { [Self(version: $0, isResumed: false), Self(version: $0, isResumed: true)] }

    var cell: Int { (version == .v1_3 ? 2 : 0) + (isResumed ? 1 : 0) }

    private init(version: TLSVersion, isResumed: Bool) {
        self.version = version
        self.isResumed = isResumed
    }

    init(_ completed: TLSHandshakeCompleted) { self.init(version: completed.version, isResumed: completed.resumed) }
}

/// Why a handshake failed: the label of its counter. A connection on which nothing was ever sent is no failure.
package enum HandshakeFailure: Int, Sendable, CaseIterable {
    case plainHTTP, notTLS, unsupportedVersion, nothingInCommon, noCommonProtocol, tooLarge, interrupted, timeout, peerAlert
    case protocolViolation, clientCertificate

    init(_ error: TLSError) {
        self =
            switch error {
            case .plainHTTP: .plainHTTP
            case .notTLS: .notTLS
            case .unsupportedVersion: .unsupportedVersion
            case .nothingInCommon: .nothingInCommon
            case .noCommonProtocol: .noCommonProtocol
            case .handshakeTooLarge: .tooLarge
            case .handshakeInterrupted, .truncated: .interrupted
            case .peerAlert: .peerAlert
            case .untrusted, .noClientCertificate: .clientCertificate
            case .renegotiation, .uselessRecords, .protocolViolation: .protocolViolation
            }
    }

    package var text: StaticString {
        switch self {
        case .plainHTTP: "plain_http"
        case .notTLS: "not_tls"
        case .unsupportedVersion: "unsupported_version"
        case .nothingInCommon: "nothing_in_common"
        case .noCommonProtocol: "no_common_protocol"
        case .tooLarge: "too_large"
        case .interrupted: "interrupted"
        case .timeout: "timeout"
        case .peerAlert: "peer_alert"
        case .protocolViolation: "protocol_violation"
        case .clientCertificate: "client_certificate"
        }
    }
}
