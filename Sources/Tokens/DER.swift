/// The little of DER (X.690) that is written here: numbers and sequences.
enum DER {
    /// INTEGER from a big-endian number that is not negative, with the fewest bytes (§8.3).
    static func integer(_ number: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        append(integer: number, to: &out)
        return out
    }

    /// The same at the end of `out`.
    static func append(integer number: ArraySlice<UInt8>, to out: inout [UInt8]) {
        let digits = number.drop { $0 == 0 }
        // A leading zero where the first bit would make it negative, and for 0 itself.
        let needsSign = digits.first.map { $0 & 0x80 != 0 } ?? true
        out.append(0x02)
        append(length: digits.count + (needsSign ? 1 : 0), to: &out)
        if needsSign { out.append(0) }
        out.append(contentsOf: digits)
    }

    static func sequence(_ content: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(content.count + 5)
        out.append(0x30)
        append(length: content.count, to: &out)
        out.append(contentsOf: content)
        return out
    }

    /// In the fewest bytes (§10.1).
    private static func append(length: Int, to out: inout [UInt8]) {
        switch length {
        case 0..<0x80: break
        case 0x80..<0x100: out.append(0x81)
        case 0x100..<0x10000: out.append(0x82)
        default:
            out.append(0x83)
            out.append(UInt8(length >> 16 & 0xFF))
        }
        if length >= 0x100 { out.append(UInt8(length >> 8 & 0xFF)) }
        out.append(UInt8(length & 0xFF))
    }
}
