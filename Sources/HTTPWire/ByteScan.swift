/// Scanning received bytes many at a time.
///
/// A 900-byte head is mostly one long token: looking at 8 or 32 bytes at once makes it several times cheaper than byte by byte. Each
/// search has a filter over a word, which may be wrong in one direction only (it may stop at a byte that turns out to be fine), and
/// an exact test of the byte where it stopped. All reads are bounds-checked.
extension Span where Element == UInt8 {
    /// The first index in `range` of a byte that no line may hold before its end: a control character other than HTAB, or DEL.
    @inline(__always)
    func firstControl(in range: Range<Int>) -> Int? {
        var start = range.lowerBound
        while start + 32 <= range.upperBound, !block(at: start).mayHoldControl { start += 32 }
        return first(
            in: start..<range.upperBound,
            suspect: { $0.lanes(below: 0x20) | $0.lanes(equal: 0x7F) },
            exactly: { $0.isControl && $0 != .tab })
    }

    /// The first index in `range` of `byte`.
    @inline(__always)
    func first(_ byte: UInt8, in range: Range<Int>) -> Int? {
        first(in: range, suspect: { $0.lanes(equal: byte) }, exactly: { $0 == byte })
    }

    /// The first index in `range` of a byte that no request target holds: outside 0x21–0x7E, or `#`.
    @inline(__always)
    func firstForbiddenInTarget(_ range: Range<Int>) -> Int? {
        first(
            in: range,
            suspect: { $0.lanes(below: 0x21) | $0 & UInt64.highBits | $0.lanes(equal: UInt8(ascii: "#")) | $0.lanes(equal: 0x7F) },
            exactly: { $0 < 0x21 || $0 > 0x7E || $0 == UInt8(ascii: "#") })
    }

    /// The first index in `range` of a byte that `exactly` picks. `suspect` says which lanes of a word may hold one: its lowest set
    /// lane must never lie above the first such byte.
    @inline(__always)
    private func first(in range: Range<Int>, suspect: (UInt64) -> UInt64, exactly: (UInt8) -> Bool) -> Int? {
        var index = range.lowerBound
        while index + 8 <= range.upperBound {
            let lanes = suspect(word(at: index))
            if lanes == 0 {
                index += 8
                continue
            }
            index += lanes.trailingZeroBitCount / 8
            if exactly(self[index]) { return index }
            index += 1
        }
        while index < range.upperBound {
            if exactly(self[index]) { return index }
            index += 1
        }
        return nil
    }

    /// 32 bytes from `index`.
    @inline(__always)
    private func block(at index: Int) -> SIMD4<UInt64> {
        // unsafe: only as a view of bytes as integers, for which every bit pattern is a value; the bounds are checked.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: SIMD4<UInt64>.self)
    }

    /// Eight bytes from `index`, the first in the lowest lane.
    @inline(__always)
    func word(at index: Int) -> UInt64 {
        // unsafe: only as a view of bytes as an integer, for which every bit pattern is a value; the bounds are checked.
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
    }

    /// The first `count` (0…8) bytes from `index`, the other lanes 0.
    @inline(__always)
    func word(at index: Int, count: Int) -> UInt64 {
        if index + 8 <= self.count { return word(at: index) & (count == 8 ? .max : (1 &<< UInt64(count * 8)) &- 1) }
        var word: UInt64 = 0
        for offset in 0..<count { word |= UInt64(self[index + offset]) &<< UInt64(offset * 8) }
        return word
    }
}

extension SIMD4<UInt64> {
    /// Whether any of the 32 bytes may be a control character (HTAB too) or DEL: `UInt64.lanes` for four words at once.
    @inline(__always)
    fileprivate var mayHoldControl: Bool {
        let belowSpace = self &- Self(repeating: UInt64(lanes: 0x20))
        let isDelete = (self ^ Self(repeating: UInt64(lanes: 0x7F))) &- Self(repeating: UInt64(lanes: 0x01))
        let found = (belowSpace | isDelete) & ~self
        return (found[0] | found[1] | found[2] | found[3]) & UInt64.highBits != 0
    }
}

extension UInt64 {
    /// `byte` in all eight lanes.
    @inline(__always)
    init(lanes byte: UInt8) { self = UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// 0x80 in every lane.
    static var highBits: UInt64 { 0x8080_8080_8080_8080 }

    /// Flags (0x80) the lanes below `bound` (≤ 0x80). Exact up to the first one flagged; a borrow may flag one above it wrongly.
    @inline(__always)
    func lanes(below bound: UInt8) -> UInt64 { (self &- UInt64(lanes: bound)) & ~self & Self.highBits }

    /// Flags (0x80) the lanes equal to `byte`, with the same limit.
    @inline(__always)
    func lanes(equal byte: UInt8) -> UInt64 { (self ^ UInt64(lanes: byte)).lanes(below: 1) }
}
