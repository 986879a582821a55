/// Host and port of a request, from `Host` or from the target (RFC 9110 §4.2, RFC 3986 §3.2).
///
/// Stricter than RFC 3986, whose reg-name allows percent-encoding, `,`, `;` and more that no DNS name has and that proxies read
/// differently: letters, digits, `-`, `.`, `_` or a bracketed IPv6 address; no user info; a port is 1…65535 without leading zeros. No dot at
/// the end: `a.example.` is another spelling of `a.example`, past the routes and the certificate settings of that name.
package struct Authority: Hashable, Sendable {
    /// The host as received, IPv6 with its brackets.
    package let host: Range<Int>
    /// Nil without one.
    package let port: UInt16?
    /// Host and port.
    package let range: Range<Int>

    /// Bytes of a host: what DNS allows.
    private static let longestHost = 253

    init(host: Range<Int>, port: UInt16?, range: Range<Int>) {
        self.host = host
        self.port = port
        self.range = range
    }

    /// Throws `fault` for whatever isn't well-formed, the empty authority included.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>, fault: WireError) throws(WireError) {
        guard let end = bytes.endOfHost(range), end > range.lowerBound, end - range.lowerBound <= Self.longestHost else { throw fault }
        host = range.lowerBound..<end
        self.range = range
        if end == range.upperBound {
            port = nil
        } else {
            guard bytes[end] == UInt8(ascii: ":"), let number = bytes.port(end + 1..<range.upperBound) else { throw fault }
            port = number
        }
    }
}

extension Span where Element == UInt8 {
    /// One past the host at the start of `range`, nil if there is none.
    fileprivate func endOfHost(_ range: Range<Int>) -> Int? {
        guard !range.isEmpty else { return nil }
        return self[range.lowerBound] == UInt8(ascii: "[") ? endOfIPv6(range) : endOfName(range)
    }

    /// Labels with single dots between them.
    private func endOfName(_ range: Range<Int>) -> Int? {
        var afterDot = true
        for index in range {
            let byte = self[index]
            if byte == UInt8(ascii: ".") {
                guard !afterDot else { return nil }
                afterDot = true
            } else if byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") {
                afterDot = false
            } else {
                return afterDot ? nil : index
            }
        }
        return afterDot ? nil : range.upperBound
    }

    /// The characters of an IPv6 address between brackets, with at least two colons. Whether it is one, a route says by its bytes.
    private func endOfIPv6(_ range: Range<Int>) -> Int? {
        var colons = 0
        for index in range.dropFirst() {
            switch self[index] {
            case UInt8(ascii: ":"): colons += 1
            case UInt8(ascii: "]"): return colons >= 2 && index - range.lowerBound <= 46 ? index + 1 : nil
            case UInt8(ascii: "."), UInt8(ascii: "0")...UInt8(ascii: "9"): continue
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): continue
            default: return nil
            }
        }
        return nil
    }

    fileprivate func port(_ range: Range<Int>) -> UInt16? {
        guard (1...5).contains(range.count), self[range.lowerBound] != UInt8(ascii: "0") else { return nil }
        var number = 0
        for index in range {
            guard self[index].isDigit else { return nil }
            number = number * 10 + Int(self[index] - UInt8(ascii: "0"))
        }
        return UInt16(exactly: number)
    }
}
