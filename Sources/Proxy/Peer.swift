import NIOCore

/// Whom a connection comes from, worked out once when it is accepted.
struct Peer {
    let address: SourceAddress
    /// It comes by a Unix socket: it has no address.
    let isLocal: Bool
    /// The address as text: what goes into `X-Forwarded-For`.
    let text: [UInt8]
    /// One of `trusted_proxies`: its `X-Forwarded-*`, `Forwarded` and `X-Request-ID` are believed.
    private(set) var isTrusted: Bool
    let isTLS: Bool
    /// The key of its address, by which callers without a token are told apart.
    private let source: CallerKey
    /// What its TLS handshake has found out about it; nil where nobody is asked for a certificate.
    var client: ClientIdentity?

    init(_ remote: SocketAddress?, trusted: AddressSet, isTLS: Bool) {
        address = remote.map { SourceAddress($0) } ?? SourceAddress(high: 0, low: 0)
        isLocal = remote == nil
        // A listener on [::] sees IPv4 clients as `::ffff:192.0.2.1`: whoever reads the header knows them by their own.
        text = address.dotted ?? Array((remote?.ipAddress ?? "unknown").utf8)
        isTrusted = !isLocal && trusted.contains(address)
        self.isTLS = isTLS
        source = CallerKey(address.source)
    }

    /// What counts for its address rather than for its connection; nil for whoever speaks for many.
    var countedSource: SourceAddress? { isLocal || isTrusted ? nil : address.source }

    /// Whose share a request without a token takes.
    var caller: CallerKey { isLocal || isTrusted ? .nobody : source }

    /// Whether it is believed by another file's `trusted_proxies`.
    mutating func judge(by trusted: AddressSet) { isTrusted = !isLocal && trusted.contains(address) }

    /// What the bound for one source counts; nil where there is none to count by.
    var admitted: SourceAddress? { isLocal ? nil : address }

    /// An element of `Forwarded` (RFC 7239 §4 to §6): IPv6 in brackets and quotes.
    var forwarded: [UInt8] {
        let quote = text.contains(UInt8(ascii: ":"))
        return Array((quote ? "for=\"[" : "for=").utf8) + text + Array((quote ? "]\"" : "").utf8)
            + Array((isTLS ? ";proto=https" : ";proto=http").utf8)
    }

    /// What per-source limits count, as text: the IPv4 address, or the IPv6 /64.
    var sourceText: [UInt8] {
        guard address.source != address else { return text }
        let groups = stride(from: 48, through: 0, by: -16).map { String(address.high >> UInt64($0) & 0xFFFF, radix: 16) }
        return Array("\(groups.joined(separator: ":"))::/64".utf8)
    }
}
