import HTTPWire
import NIOCore

/// Writes a head or a line of the log piece by piece into memory that was reserved once.
///
/// Why unsafe: a head has some fifteen pieces and a log line forty, and each of `ByteBuffer`'s writes asks anew whether the memory is
/// there and its own: a quarter of a request's instructions went into that. Here every piece is checked against what was reserved;
/// one that doesn't fit stops the process instead of writing past the end, so callers reserve the sum of their pieces' bounds.
@safe struct Composer: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let capacity: Int
    private(set) var count = 0

    fileprivate init(_ memory: UnsafeMutableRawBufferPointer) {
        unsafe base = memory.baseAddress!
        capacity = memory.count
    }

    @inline(__always)
    private mutating func claim(_ length: Int) -> UnsafeMutableRawPointer {
        precondition(length <= capacity - count, "a composed head or line is larger than what was reserved for it")
        let place = unsafe base + count
        count += length
        return unsafe place
    }

    @inline(__always)
    mutating func put(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        unsafe claim(length).copyMemory(from: text.utf8Start, byteCount: length)
    }

    @inline(__always)
    mutating func put(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        unsafe bytes.withUnsafeBytes { unsafe claim($0.count).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }

    @inline(__always)
    mutating func put(_ bytes: [UInt8]) { put(bytes.span) }

    @inline(__always)
    mutating func put(byte: UInt8) { unsafe claim(1).storeBytes(of: byte, as: UInt8.self) }

    /// Decimal digits of a number from 0, at most 20, at least `digits`.
    mutating func put(decimal value: Int, digits: Int = 1) {
        var rest = UInt64(clamping: value)
        var length = 1
        var power: UInt64 = 10
        while length < 19 && rest >= power {
            length += 1
            power &*= 10
        }
        length = max(rest >= power ? length + 1 : length, digits)
        let place = unsafe claim(length)
        var offset = length
        while offset > 0 {
            offset -= 1
            unsafe place.storeBytes(of: UInt8(truncatingIfNeeded: rest % 10) + UInt8(ascii: "0"), toByteOffset: offset, as: UInt8.self)
            rest /= 10
        }
    }

    /// 16 lower-case hex digits.
    mutating func put(hex word: UInt64) {
        let place = unsafe claim(16)
        unsafe place.storeBytes(of: Self.hexDigits(UInt32(truncatingIfNeeded: word >> 32)).bigEndian, as: UInt64.self)
        unsafe place.storeBytes(of: Self.hexDigits(UInt32(truncatingIfNeeded: word)).bigEndian, toByteOffset: 8, as: UInt64.self)
    }

    /// The eight digits of a word, the first in the highest byte: each nibble is spread to a byte, then made a digit.
    private static func hexDigits(_ word: UInt32) -> UInt64 {
        var spread = UInt64(word)
        spread = (spread | spread << 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread << 8) & 0x00FF_00FF_00FF_00FF
        spread = (spread | spread << 4) & 0x0F0F_0F0F_0F0F_0F0F
        let isLetter = ((spread &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
        return spread &+ 0x3030_3030_3030_3030 &+ isLetter &* 39
    }

    mutating func put(_ id: RequestID) {
        if let given = id.given {
            put(given)
        } else {
            put(hex: id.high)
            put(hex: id.low)
        }
    }

    /// The field lines that `keep` picks, in order and as they were received; neighbours are copied together.
    mutating func put(linesOf head: borrowing MessageHead, keeping keep: (Field) -> Bool) {
        let bytes = head.bytes.readableBytesUInt8Span
        var run = 0..<0
        for field in head.fields where keep(field) {
            if field.line.lowerBound == run.upperBound {
                run = run.lowerBound..<field.line.upperBound
            } else {
                put(bytes.extracting(run))
                run = field.line
            }
        }
        put(bytes.extracting(run))
    }

    /// The contents of a JSON string. Control characters are escaped, those of Latin-1 too, which terminals obey: at most six bytes for
    /// one. Other text goes as it is; what is no UTF-8 is escaped byte by byte.
    mutating func put(escaped bytes: [UInt8]) {
        if bytes.contains(where: { $0 >= 0x80 }), let text = String(validating: bytes, as: UTF8.self) {
            for scalar in text.unicodeScalars {
                switch scalar.value {
                case 0..<0x80, 0x80..<0xA0: put(escapedByte: UInt8(scalar.value))
                default: for unit in String(scalar).utf8 { put(byte: unit) }
                }
            }
        } else {
            for byte in bytes { put(escapedByte: byte) }
        }
    }

    private mutating func put(escapedByte byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            put(byte: UInt8(ascii: "\\"))
            put(byte: byte)
        case 0x20...0x7E: put(byte: byte)
        default:
            put("\\u00")
            put(byte: Self.hexDigit(byte >> 4))
            put(byte: Self.hexDigit(byte & 15))
        }
    }

    private static func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? nibble + 48 : nibble + 87 }
}

extension ByteBuffer {
    /// Appends what `body` composes, at most `bound` bytes.
    @inline(__always)
    mutating func compose(atMost bound: Int, _ body: (inout Composer) -> Void) {
        unsafe writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { memory in
            var composer = unsafe Composer(memory)
            body(&composer)
            return composer.count
        }
    }
}
