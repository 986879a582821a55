import Glibc

/// What the system takes as a numeric IP address: dotted IPv4, or IPv6 without brackets and zone.
struct NumericAddress {
    /// Network byte order, 4 or 16 bytes.
    let bytes: [UInt8]

    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        let isIPv6 = text.utf8.contains(UInt8(ascii: ":"))
        var bytes = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        let family = isIPv6 ? AF_INET6 : AF_INET
        // inet_pton writes exactly 4 or 16 bytes, as many as were made room for.
        let status = unsafe bytes.withUnsafeMutableBytes { unsafe inet_pton(family, text, $0.baseAddress!) }
        guard status == 1 else { return nil }
        self.bytes = bytes
    }

    var isIPv6: Bool { bytes.count == 16 }

    /// 127.0.0.0/8 or ::1.
    var isLoopback: Bool {
        isIPv6 ? bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1 : bytes.first == 127
    }

    /// Whether every bit after the first `bits` is zero.
    func isZero(after bits: Int) -> Bool {
        for index in bytes.indices {
            let kept = min(max(bits - index * 8, 0), 8)
            if bytes[index] & (kept == 0 ? 0xFF : UInt8(truncatingIfNeeded: 0xFF >> kept)) != 0 { return false }
        }
        return true
    }

    /// `address:port` or `[address]:port`; nil for anything else, `host:port` with a name included.
    static func endpoint(_ text: String) -> (host: String, port: Int)? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        guard let port = port(text[text.index(after: colon)...]) else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard let address = NumericAddress(String(host)), address.isIPv6 else { return nil }
        } else {
            guard let address = NumericAddress(String(host)), !address.isIPv6 else { return nil }
        }
        return (String(host), port)
    }

    /// 0…65535 in decimal without sign or leading zeros.
    static func port(_ digits: Substring) -> Int? {
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(digits) else {
            return nil
        }
        return port <= 65535 && String(port) == digits ? port : nil
    }
}
