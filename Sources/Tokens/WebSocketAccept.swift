import COpenSSL

/// What a server says to prove that it has understood a WebSocket's opening (RFC 6455 §4.2.2): computed here with libcrypto's SHA-1,
/// so that nothing but a true answer to this very request turns a connection into a tunnel.
package enum WebSocketAccept {
    private static let suffix = Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)

    /// The value of `Sec-WebSocket-Accept` for that of `Sec-WebSocket-Key`; nil where libcrypto fails.
    package static func value(for key: [UInt8]) -> [UInt8]? {
        let input = key + suffix
        var digest = [UInt8](repeating: 0, count: 20)
        var length = digest.count
        guard unsafe EVP_Q_digest(nil, "SHA1", nil, input, input.count, &digest, &length) == 1, length == digest.count else { return nil }
        return Base64.encode(digest)
    }
}
