/// The one normal form of a request's path (SPEC §5, "What was decided is what is forwarded").
///
/// Every rule is checked on what the path becomes, not on how it was spelled: `%25%34%31` turns into `%2541` and is refused as that.
package enum RequestPath {
    /// How the canonical path is had.
    package enum Form: Equatable, Sendable {
        /// The received bytes are the canonical form. Costs no allocation.
        case asReceived
        /// Unreserved escapes decoded, other escapes in upper-case hex (RFC 3986 §6.2.2).
        case rewritten([UInt8])
    }

    /// Normalises `path`, the request target up to its first `?`.
    ///
    /// Throws `.badRequest` where it doesn't start with `/` (`*`, a relative target, nothing at all), `.ambiguousPath` for all
    /// that two servers could read differently; a `%` that starts no escape is one of the bytes that are no pchar.
    package static func canonical(_ path: Span<UInt8>) throws(Denial) -> Form {
        guard path.count > 0, path[0] == UInt8(ascii: "/") else { throw .badRequest }
        var check = CanonicalCheck()
        var changed = false
        var index = 1
        while index < path.count {
            let byte = path[index]
            if byte != UInt8(ascii: "%") {
                try check.plain(byte)
                index += 1
                if check.isSettled { while index < path.count, isPathCharacter(path[index]) { index += 1 } }
                continue
            }
            guard let decoded = escapedByte(path, at: index) else { throw .ambiguousPath }
            if isUnreserved(decoded) {
                try check.plain(decoded)
                changed = true
            } else {
                try check.escape(of: decoded)
                if isLowerHex(path[index + 1]) || isLowerHex(path[index + 2]) { changed = true }
            }
            index += 3
        }
        try check.finish()
        return changed ? .rewritten(rewrite(path)) : .asReceived
    }

    /// Writes the canonical form of a path that has passed every check.
    private static func rewrite(_ path: Span<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(path.count)
        var index = 0
        while index < path.count {
            guard let decoded = escapedByte(path, at: index) else {
                out.append(path[index])
                index += 1
                continue
            }
            if isUnreserved(decoded) {
                out.append(decoded)
            } else {
                out.append(UInt8(ascii: "%"))
                out.append(upperHex(decoded >> 4))
                out.append(upperHex(decoded & 15))
            }
            index += 3
        }
        return out
    }

    private static func isLowerHex(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "a") }

    private static func upperHex(_ nibble: UInt8) -> UInt8 { nibble < 10 ? nibble + 48 : nibble + 55 }
}

/// Watches the canonical form go by, one character or escape at a time, and refuses what is ambiguous in it.
private struct CanonicalCheck {
    /// What the open segment consists of so far.
    private var segment = Segment.empty
    /// Whether an escaped percent sign, and one hex digit, have just gone by.
    private var percent = Percent.none
    private var utf8 = UTF8Sequence()

    private enum Segment { case empty, dot, dotDot, other }
    private enum Percent { case none, sign, signAndDigit }

    /// Whether no further character of the open segment can make it ambiguous, so that they need not be shown.
    @inline(__always)
    var isSettled: Bool { segment == .other && percent == .none }

    /// A character that stands for itself.
    @inline(__always)
    mutating func plain(_ byte: UInt8) throws(Denial) {
        if utf8.isOpen { throw .ambiguousPath }
        if byte == UInt8(ascii: "/") {
            try endSegment(mayBeEmpty: false)
            return
        }
        guard isPathCharacter(byte) else { throw .ambiguousPath }
        if percent != .none { try afterPercent(byte) }
        segment =
            switch segment {
            case .empty where byte == UInt8(ascii: "."): .dot
            case .dot where byte == UInt8(ascii: "."): .dotDot
            default: .other
            }
    }

    /// A byte that stays escaped.
    mutating func escape(of byte: UInt8) throws(Denial) {
        switch byte {
        // Control characters beside NUL, too: some servers cut or trim a path there, and would carry out a call that wasn't seen.
        case 0...0x1F, 0x7F, UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: ";"): throw .ambiguousPath
        default: guard utf8.take(byte) else { throw .ambiguousPath }
        }
        percent = byte == UInt8(ascii: "%") ? .sign : .none
        segment = .other
    }

    mutating func finish() throws(Denial) {
        if utf8.isOpen { throw .ambiguousPath }
        try endSegment(mayBeEmpty: true)
    }

    private mutating func endSegment(mayBeEmpty: Bool) throws(Denial) {
        switch segment {
        case .empty: if !mayBeEmpty { throw .ambiguousPath }
        case .dot, .dotDot: throw .ambiguousPath
        case .other: break
        }
        segment = .empty
        percent = .none
    }

    private mutating func afterPercent(_ byte: UInt8) throws(Denial) {
        guard hexDigit(byte) != nil else {
            percent = .none
            return
        }
        if percent == .signAndDigit { throw .ambiguousPath }
        percent = .signAndDigit
    }
}

/// One UTF-8 sequence at a time, as RFC 3629 §4 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
private struct UTF8Sequence {
    private var missing = 0
    /// The range that the next continuation byte must be in.
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xBF

    /// Whether a sequence has begun and lacks bytes.
    var isOpen: Bool { missing > 0 }

    /// Whether `byte` may come next.
    mutating func take(_ byte: UInt8) -> Bool {
        if missing > 0 {
            guard byte >= low, byte <= high else { return false }
            (missing, low, high) = (missing - 1, 0x80, 0xBF)
            return true
        }
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: missing = 1
        case 0xE0: (missing, low) = (2, 0xA0)
        case 0xED: (missing, high) = (2, 0x9F)
        case 0xE1...0xEF: missing = 2
        case 0xF0: (missing, low) = (3, 0x90)
        case 0xF4: (missing, high) = (3, 0x8F)
        case 0xF1...0xF3: missing = 3
        default: return false
        }
        return true
    }
}
