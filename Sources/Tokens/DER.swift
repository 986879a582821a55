/// The little of DER (X.690) that is written here: numbers and sequences.
enum DER {
    /// INTEGER from a big-endian number that is not negative, with the fewest bytes (§8.3).
    static func integer(_ number: ArraySlice<UInt8>) -> [UInt8] {
        let digits = number.drop { $0 == 0 }
        // A leading zero where the first bit would make it negative, and for 0 itself.
        let sign: [UInt8] = digits.first.map { $0 & 0x80 == 0 } ?? false ? [] : [0]
        return [0x02] + length(sign.count + digits.count) + sign + digits
    }

    static func sequence(_ content: [UInt8]) -> [UInt8] { [0x30] + length(content.count) + content }

    private static func length(_ count: Int) -> [UInt8] {
        switch count {
        case 0..<0x80: [UInt8(count)]
        case 0x80..<0x100: [0x81, UInt8(count)]
        case 0x100..<0x10000: [0x82, UInt8(count >> 8), UInt8(count & 0xFF)]
        default: [0x83, UInt8(count >> 16 & 0xFF), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)]
        }
    }
}
