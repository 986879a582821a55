/// The two forms of an ECDSA signature: r‖s as in tokens (RFC 7518 §3.4), DER as libcrypto wants it.
enum ECDSASignature {
    /// The DER form of `raw`, or nil where it isn't exactly two numbers of `order`'s width with 0 < r, s < `order`.
    ///
    /// That r = s = 0 verifies for every message was CVE-2022-21449.
    static func der(_ raw: [UInt8], order: [UInt8]) -> [UInt8]? {
        let width = order.count
        guard raw.count == 2 * width else { return nil }
        let (r, s) = (raw[..<width], raw[width...])
        guard isInRange(r, order), isInRange(s, order) else { return nil }
        var numbers: [UInt8] = []
        numbers.reserveCapacity(2 * width + 8)
        appendInteger(r, to: &numbers)
        appendInteger(s, to: &numbers)
        return [0x30] + length(numbers.count) + numbers
    }

    private static func isInRange(_ number: ArraySlice<UInt8>, _ order: [UInt8]) -> Bool {
        number.contains { $0 != 0 } && number.lexicographicallyPrecedes(order)
    }

    /// INTEGER with the fewest bytes, and a leading zero where it would read as negative (X.690 §8.3).
    private static func appendInteger(_ number: ArraySlice<UInt8>, to out: inout [UInt8]) {
        let digits = number.drop { $0 == 0 }
        let isHigh = digits.first.map { $0 & 0x80 != 0 } ?? false
        out.append(0x02)
        out.append(UInt8(digits.count + (isHigh ? 1 : 0)))
        if isHigh { out.append(0) }
        out.append(contentsOf: digits)
    }

    /// Up to 2 × (66 + 3) bytes are written: one or two length octets.
    private static func length(_ count: Int) -> [UInt8] {
        count < 0x80 ? [UInt8(count)] : [0x81, UInt8(count)]
    }
}
