/// The fixed bounds of a TLS connection, each with unit and reason.
enum TLSLimits {
    /// Bytes that a handshake may take. A ClientHello with a post-quantum key share has about 2 KiB, a long chain of client
    /// certificates 16; OpenSSL's own bounds per message add up to more.
    static let handshake = 64 * 1024
    /// Bytes of a client's certificate in DER: several times a common one; it goes upstream in a field of every request.
    static let clientCertificate = 6 * 1024
    /// Records without data in a row. OpenSSL bounds empty records (32) and warnings (5) itself, but not KeyUpdates, each of which
    /// costs new keys.
    static let uselessRecords = 32
    /// Bytes of plaintext in one record, RFC 8446 §5.1: least overhead for bulk data.
    static let record = 16 * 1024
    /// Bytes of plaintext in a record while the connection is young: the client can decrypt after three TCP segments, where a
    /// whole record would not fit into TCP's first window and cost a round trip more.
    static let earlyRecord = 4 * 1024
    /// Bytes sent until records become large: TCP's window has opened by then.
    static let early = 64 * 1024
    /// Bytes that a record is longer than its plaintext, at most: header, TLS 1.2's explicit nonce, content type, tag.
    static let recordOverhead = 5 + 8 + 1 + 16
    /// Seconds for which a session can be resumed, and after which the key that seals tickets is replaced; the replaced one
    /// opens tickets for as long again, so that every ticket lives as long as it says.
    static let ticketLifetime = 2 * 60 * 60
}
