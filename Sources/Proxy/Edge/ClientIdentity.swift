import HTTPWire
import Policy
import TLS
import Tokens

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
        header = completed.clientCertificate.map { [UInt8(ascii: ":")] + Base64.encode($0) + [UInt8(ascii: ":")] }
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
