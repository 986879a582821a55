/// The authority of a request (`Host`, or an absolute target's), read strictly (RFC 3986 §3.2, RFC 9110 §7.2).
package struct HostName: Equatable, Sendable {
    /// Where in the authority the host stands, an IPv6 address with its brackets. Never empty.
    package let host: Range<Int>
    /// 1…65535; nil where none is given.
    package let port: UInt16?

    /// Throws `.badRequest` for what is no `host[:port]`: userinfo, an empty host or port, a trailing dot, escapes, zone ids, characters
    /// outside letters, digits, `-`, `.`, `_`, and numbers that some resolvers take for an IPv4 address (`127.1`, `0x7f.1`).
    ///
    /// Narrower than RFC 3986, so that one host has one spelling (but for case) and no server behind sees another one in it.
    package init(_ authority: Span<UInt8>) throws(Denial) {
        var end = authority.count
        if let colon = Self.portColon(authority) {
            guard let port = Self.port(authority, colon + 1) else { throw .badRequest }
            self.port = port
            end = colon
        } else {
            port = nil
        }
        let host = authority.extracting(0..<end)
        guard Self.isIPv6Literal(host) || Self.isName(host) else { throw .badRequest }
        self.host = 0..<end
    }

    /// The 128 bits of `[…]`; nil where it is no IPv6 address in brackets.
    static func ipv6(_ host: Span<UInt8>) -> IPv6Bits? {
        guard host.count > 2, host[0] == UInt8(ascii: "["), host[host.count - 1] == UInt8(ascii: "]") else { return nil }
        return IPv6Bits(host.extracting(1..<(host.count - 1)))
    }

    /// Whether a host that was read before is an address rather than a name.
    static func isAddress(_ host: Span<UInt8>) -> Bool { ipv6(host) != nil || ipv4(host) != nil }

    private static func isIPv6Literal(_ host: Span<UInt8>) -> Bool { ipv6(host) != nil }

    /// The colon after the host: the last one, unless it is inside brackets.
    private static func portColon(_ authority: Span<UInt8>) -> Int? {
        var index = authority.count - 1
        while index >= 0 {
            if authority[index] == UInt8(ascii: ":") { return index }
            guard isDigit(authority[index]) else { break }
            index -= 1
        }
        return nil
    }

    private static func port(_ authority: Span<UInt8>, _ start: Int) -> UInt16? {
        guard (1...5).contains(authority.count - start) else { return nil }
        var value = 0
        for index in start..<authority.count { value = value * 10 + Int(authority[index] - UInt8(ascii: "0")) }
        return value == 0 ? nil : UInt16(exactly: value)
    }

    /// A DNS name or a dotted IPv4 address.
    private static func isName(_ host: Span<UInt8>) -> Bool {
        guard (1...Limits.hostName).contains(host.count) else { return false }
        var label = 0
        for index in host.indices {
            let byte = host[index]
            if byte == UInt8(ascii: ".") {
                guard index > label else { return false }
                label = index + 1
            } else {
                guard isNameCharacter(byte), index - label < Limits.hostLabel else { return false }
            }
        }
        guard label < host.count else { return false }
        return !isNumeric(host.extracting(label..<host.count)) || isIPv4(host)
    }

    /// Whether a last label makes the host an address to the WHATWG URL Standard ("ends in a number"): digits, or `0x` and hex digits.
    private static func isNumeric(_ label: Span<UInt8>) -> Bool {
        let isHex = label.count >= 2 && label[0] == UInt8(ascii: "0") && lowercased(label[1]) == UInt8(ascii: "x")
        for index in (isHex ? 2 : 0)..<label.count where !(isHex ? hexDigit(label[index]) != nil : isDigit(label[index])) { return false }
        return true
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch lowercased(byte) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func isIPv4(_ host: Span<UInt8>) -> Bool { ipv4(host) != nil }

    /// RFC 3986 IPv4address: four decimal octets without leading zeros.
    static func ipv4(_ text: Span<UInt8>) -> UInt32? {
        var address: UInt32 = 0
        var octets = 0
        var start = 0
        for index in 0...text.count where index == text.count || text[index] == UInt8(ascii: ".") {
            guard octets < 4, let octet = octet(text.extracting(start..<index)) else { return nil }
            address = address << 8 | octet
            octets += 1
            start = index + 1
        }
        return octets == 4 ? address : nil
    }

    private static func octet(_ digits: Span<UInt8>) -> UInt32? {
        guard (1...3).contains(digits.count), digits.count == 1 || digits[0] != UInt8(ascii: "0") else { return nil }
        var value: UInt32 = 0
        for index in digits.indices {
            guard isDigit(digits[index]) else { return nil }
            value = value * 10 + UInt32(digits[index] - UInt8(ascii: "0"))
        }
        return value <= 255 ? value : nil
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
