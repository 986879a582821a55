/// Why a TLS connection ended otherwise than by both sides' close_notify. Fired once as `errorCaught`; the handler then closes.
package enum TLSError: Error, Equatable, Sendable {
    // MARK: before the handshake was complete

    /// The client spoke HTTP without TLS.
    case plainHTTP
    /// What came is no TLS record.
    case notTLS
    /// The client speaks nothing as new as the configured minimum.
    case unsupportedVersion
    /// No cipher, group, signature algorithm or certificate type in common: OpenSSL's reason.
    case nothingInCommon(String)
    /// The client offers application protocols, none of them ours.
    case noCommonProtocol
    /// More bytes than any handshake needs.
    case handshakeTooLarge
    /// The client went away in mid-handshake.
    case handshakeInterrupted

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
