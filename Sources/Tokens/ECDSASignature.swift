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
        var content: [UInt8] = []
        content.reserveCapacity(raw.count + 8)
        DER.append(integer: r, to: &content)
        DER.append(integer: s, to: &content)
        return DER.sequence(content)
    }

    private static func isInRange(_ number: ArraySlice<UInt8>, _ order: [UInt8]) -> Bool {
        number.contains { $0 != 0 } && number.lexicographicallyPrecedes(order)
    }
}
