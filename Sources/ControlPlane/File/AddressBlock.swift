/// A range of IP addresses in CIDR form: `10.0.0.0/8`, `2001:db8::/32`, or one address.
package struct AddressBlock: Hashable, Sendable {
    /// Network byte order: 4 or 16 bytes, host bits zero.
    package let network: [UInt8]
    /// Leading bits that count.
    package let bits: Int

    /// Whether the address (4 or 16 bytes, network order) is in it. An IPv4-mapped IPv6 address counts as its IPv4 one.
    package func contains(_ address: [UInt8]) -> Bool {
        let bytes = Self.unmapped(address)
        guard bytes.count == network.count else { return false }
        for index in 0..<(bits / 8) where bytes[index] != network[index] { return false }
        guard bits % 8 != 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> (bits % 8))
        return bytes[bits / 8] & mask == network[bits / 8]
    }

    private static func unmapped(_ address: [UInt8]) -> [UInt8] {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        guard address.count == 16, Array(address[0..<12]) == mapped else { return address }
        return Array(address[12...])
    }
}
