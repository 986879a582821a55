/// A host name as it stands in certificates and in SNI (RFC 6066 §3): letter-digit-hyphen labels, kept in lower case.
struct ServerName: Hashable, Sendable {
    /// Without the `*.` of a wildcard.
    let host: [UInt8]
    /// Stands for exactly one label before `host` (RFC 9525 §6.3).
    let isWildcard: Bool

    private init(host: [UInt8], isWildcard: Bool) {
        self.host = host
        self.isWildcard = isWildcard
    }

    /// `www.example.com`, or `*.example.com` if allowed. Underscores are taken since they are in use.
    init?(_ text: some Collection<UInt8>, wildcardAllowed: Bool) {
        let isWildcard = wildcardAllowed && text.starts(with: [UInt8(ascii: "*"), UInt8(ascii: ".")])
        let host = text.dropFirst(isWildcard ? 2 : 0).map(Self.lowercased)
        guard (1...253).contains(host.count) else { return nil }
        for label in host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
            guard (1...63).contains(label.count), label.allSatisfy(Self.isLabelByte) else { return nil }
        }
        self.init(host: host, isWildcard: isWildcard)
    }

    /// The wildcard that covers this name: its first label replaced.
    var coveringWildcard: ServerName? {
        guard let dot = host.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        return ServerName(host: Array(host[(dot + 1)...]), isWildcard: true)
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private static func isLabelByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
