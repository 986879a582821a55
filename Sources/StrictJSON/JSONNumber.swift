/// A number as it is meant: exact where it is a whole number of 64 bits however it is written (`17`, `17.0`, `1.7e9`), else the
/// nearest finite double.
package enum JSONNumber: Sendable, Equatable {
    case integer(Int64)
    case fraction(Double)

    /// Characters of a number that is taken seriously: more than any double or 64-bit integer needs.
    static let longest = 40
    /// The largest power of ten, either sign, in an exponent that is taken seriously: a double ends there.
    static let largestExponent = 308

    /// The largest whole number that is not greater: how `exp` as a NumericDate (RFC 7519 §2, may have a fraction) is rounded so
    /// that it never ends later than it says. Nil beyond 62 bits.
    package var floor: Int64? {
        switch self {
        case .integer(let value): value
        case .fraction(let value): truncated(value).flatMap { Double($0) > value ? $0 - 1 : $0 }
        }
    }

    /// The smallest whole number that is not less: for `nbf` and `iat`. Nil where a fraction is that of a number beyond 62 bits.
    package var ceiling: Int64? {
        switch self {
        case .integer(let value): value
        case .fraction(let value): truncated(value).flatMap { Double($0) < value ? $0 + 1 : $0 }
        }
    }

    /// Without its fraction; nil beyond 62 bits, so that there is room to round.
    private func truncated(_ value: Double) -> Int64? {
        abs(value) < 0x1p62 ? Int64(value) : nil
    }
}

extension JSONNumber {
    /// Nil for everything but one to 18 digits, which is what nearly every number is: read without taking it apart.
    init?(digits: Span<UInt8>) {
        guard (1...18).contains(digits.count) else { return nil }
        var value: Int64 = 0
        for index in digits.indices {
            let digit = digits[index] &- 48
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        self = .integer(value)
    }

    /// Nil where `text`, a number by the grammar, is longer than 40 characters, has an exponent beyond ±308, is too large for a
    /// double, or is so small that a double makes it 0.
    init?(text: ArraySlice<UInt8>) {
        guard text.count <= Self.longest, let decimal = Decimal(text) else { return nil }
        if let integer = decimal.integer {
            self = .integer(integer)
            return
        }
        guard let double = Double(String(decoding: text, as: UTF8.self)), double.isFinite, double != 0 else { return nil }
        self = .fraction(double)
    }
}

/// A number taken apart: `digits` × 10^`exponent`, with no zero at either end of the digits.
private struct Decimal {
    var isNegative = false
    var digits: [UInt8] = []
    var exponent = 0

    /// Nil where the written exponent is beyond bounds.
    init?(_ text: ArraySlice<UInt8>) {
        var rest = text
        if rest.first == UInt8(ascii: "-") {
            isNegative = true
            rest.removeFirst()
        }
        var isFraction = false
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: ".") {
                isFraction = true
            } else if byte | 0x20 == UInt8(ascii: "e") {
                guard let written = Self.exponent(rest) else { return nil }
                exponent += written
                break
            } else {
                if byte != UInt8(ascii: "0") || !digits.isEmpty { digits.append(byte - 48) }
                if isFraction { exponent -= 1 }
            }
        }
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
    }

    private static func exponent(_ text: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for byte in text where 48...57 ~= byte {
            value = value * 10 + Int(byte - 48)
            guard value <= JSONNumber.largestExponent else { return nil }
        }
        return text.first == UInt8(ascii: "-") ? -value : value
    }

    /// Nil where it has a fraction or doesn't fit.
    var integer: Int64? {
        guard !digits.isEmpty else { return 0 }
        guard exponent >= 0, digits.count + exponent <= 19 else { return nil }
        var value: Int64 = 0
        for index in 0..<(digits.count + exponent) {
            let digit = index < digits.count ? Int64(digits[index]) : 0
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowed) = isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !overflow, !overflowed else { return nil }
            value = sum
        }
        return value
    }
}
