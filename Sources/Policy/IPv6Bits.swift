/// An IPv6 address, so that its many spellings are one host.
struct IPv6Bits: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// RFC 4291 §2.2: eight groups of one to four hex digits, one run of them as `::`, the last two perhaps as an IPv4 address.
    init?(_ text: Span<UInt8>) {
        var groups = Groups()
        var index = 0
        if text.count >= 2, text[0] == UInt8(ascii: ":") {
            guard text[1] == UInt8(ascii: ":"), groups.gap() else { return nil }
            index = 2
        }
        while index < text.count {
            let start = index
            while index < text.count, hexDigit(text[index]) != nil { index += 1 }
            if index < text.count, text[index] == UInt8(ascii: ".") {
                guard let address = HostName.ipv4(text.extracting(start..<text.count)) else { return nil }
                guard groups.add(UInt64(address >> 16)), groups.add(UInt64(address & 0xFFFF)) else { return nil }
                break
            }
            guard (1...4).contains(index - start), groups.add(Self.value(text, start..<index)) else { return nil }
            guard index < text.count else { break }
            guard text[index] == UInt8(ascii: ":"), index + 1 < text.count else { return nil }
            index += 1
            if text[index] == UInt8(ascii: ":") {
                guard groups.gap() else { return nil }
                index += 1
            }
        }
        guard let bits = groups.bits else { return nil }
        (high, low) = bits
    }

    /// The address in brackets, all eight groups written out.
    var bytes: [UInt8] {
        let groups = (0..<8).map { group in
            String((group < 4 ? high : low) >> UInt64(48 - group % 4 * 16) & 0xFFFF, radix: 16)
        }
        return Array("[\(groups.joined(separator: ":"))]".utf8)
    }

    private static func value(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        var value: UInt64 = 0
        for index in range { value = value << 4 | UInt64(hexDigit(text[index]) ?? 0) }
        return value
    }

    /// Groups before and after the gap, each shifted in from the right.
    private struct Groups {
        private var before: (high: UInt64, low: UInt64) = (0, 0)
        private var after: (high: UInt64, low: UInt64) = (0, 0)
        private var count = 0
        private var countBeforeGap: Int?

        mutating func add(_ group: UInt64) -> Bool {
            count += 1
            if countBeforeGap == nil { Self.shift(&before, group) } else { Self.shift(&after, group) }
            return count <= 8
        }

        mutating func gap() -> Bool {
            guard countBeforeGap == nil else { return false }
            countBeforeGap = count
            return true
        }

        var bits: (UInt64, UInt64)? {
            guard let countBeforeGap else { return count == 8 ? before : nil }
            guard count < 8 else { return nil }
            var left = before
            for _ in countBeforeGap..<8 { Self.shift(&left, 0) }
            return (left.high | after.high, left.low | after.low)
        }

        private static func shift(_ value: inout (high: UInt64, low: UInt64), _ group: UInt64) {
            value = (value.high << 16 | value.low >> 48, value.low << 16 | group)
        }
    }
}
