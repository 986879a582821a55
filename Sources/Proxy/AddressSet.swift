import NIOCore

/// A set of networks in CIDR notation (RFC 4632, RFC 4291 §2.3): who is trusted to speak for others.
package struct AddressSet: Sendable {
    private var networks: [Network] = []

    private struct Network: Sendable {
        let high: UInt64
        let low: UInt64
        let bits: Int
    }

    package init() {}

    /// Adds `10.0.0.0/8`, `::1` or `fd00::/8`; false where `text` is none of these or has host bits set.
    package mutating func insert(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = try? SocketAddress(ipAddress: String(parts[0]), port: 0) else { return false }
        let key = SourceAddress(address)
        let offset = address.protocol == .inet ? 96 : 0
        var bits = 128
        if parts.count == 2 {
            guard let given = Int(parts[1]), parts[1].utf8.allSatisfy({ (48...57).contains($0) }), (0...(128 - offset)).contains(given)
            else { return false }
            bits = given + offset
        }
        guard key.masked(bits) == key else { return false }
        networks.append(Network(high: key.high, low: key.low, bits: bits))
        return true
    }

    /// Whether `address` is in one of the networks.
    package func contains(_ address: SourceAddress) -> Bool {
        for network in networks {
            let masked = address.masked(network.bits)
            if masked.high == network.high && masked.low == network.low { return true }
        }
        return false
    }
}

/// A peer's IP address as 128 bits; IPv4 as its mapped IPv6 form (RFC 4291 §2.5.5.2).
package struct SourceAddress: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The zero address for what is not IP.
    init(_ address: SocketAddress) {
        switch address {
        case .v4(let v4):
            self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(UInt32(bigEndian: v4.address.sin_addr.s_addr)))
        case .v6(let v6):
            var words = v6.address.sin6_addr
            let (high, low) = unsafe withUnsafeBytes(of: &words) { bytes in
                unsafe (
                    UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
            self.init(high: high, low: low)
        default:
            self.init(high: 0, low: 0)
        }
    }

    /// The first `bits` bits, the rest zero.
    func masked(_ bits: Int) -> SourceAddress {
        SourceAddress(
            high: bits >= 64 ? high : bits == 0 ? 0 : high & ~(UInt64.max >> UInt64(bits)),
            low: bits >= 128 ? low : bits <= 64 ? 0 : low & ~(UInt64.max >> UInt64(bits - 64)))
    }

    /// An IPv4 address in dotted form; nil for IPv6.
    var dotted: [UInt8]? {
        guard high == 0, low >> 32 == 0xFFFF else { return nil }
        return Array(stride(from: 24, through: 0, by: -8).map { String(low >> UInt64($0) & 0xFF) }.joined(separator: ".").utf8)
    }

    /// What per-source limits count: the IPv4 address, or the IPv6 /64.
    var source: SourceAddress {
        high == 0 && low >> 32 == 0xFFFF ? self : SourceAddress(high: high, low: 0)
    }
}
