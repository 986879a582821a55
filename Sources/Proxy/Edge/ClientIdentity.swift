import HTTPWire
import Policy
import TLS

/// What a connection's TLS handshake has found out about its client, at a listener that asks for certificates.
final class ClientIdentity: Sendable {
    private let context: TLSContext
    private let serverName: [UInt8]
    /// The settings that the handshake was held to.
    private let settings: [UInt8]
    /// The verified certificate as `Client-Cert` says it (RFC 9440 §2.2: a Byte Sequence of RFC 8941); nil without one.
    let header: [UInt8]?

    /// Nil where the listener asks nobody.
    init?(_ completed: TLSHandshakeCompleted, in context: TLSContext?) {
        guard let context, context.asksClients else { return nil }
        self.context = context
        serverName = Array((completed.serverName ?? "").utf8)
        settings = context.clientSettings(for: serverName)
        header = completed.clientCertificate.map { [UInt8(ascii: ":")] + base64($0) + [UInt8(ascii: ":")] }
    }

    /// Whether a request for `host` may come over this connection: its name wants the same of clients as the one that the handshake was
    /// for. Otherwise a client could shake hands as one host's and ask as another's.
    func serves(_ host: Span<UInt8>) -> Bool {
        if isServerName(host) { return true }
        return context.clientSettings(for: Array(host)) == settings
    }

    private func isServerName(_ host: Span<UInt8>) -> Bool {
        guard host.count == serverName.count else { return false }
        for index in serverName.indices where host[index] | 0x20 != serverName[index] | 0x20 { return false }
        return true
    }
}

/// RFC 4648 §4, with padding.
private func base64(_ bytes: [UInt8]) -> [UInt8] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let word = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
        for place in 0..<4 { out.append(place <= group.count ? digits[word >> (18 - 6 * place) & 63] : UInt8(ascii: "=")) }
    }
    return out
}
