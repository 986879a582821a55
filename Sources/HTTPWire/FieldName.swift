/// A field name as far as it is known: looked up in any ASCII case and with every other separator read as `-`.
///
/// Servers that hand fields to programs as variables read names so: CGI and WSGI take `X-Tenant-ID` and `X_Tenant_ID` for one, PHP takes
/// `X.Tenant.ID` for it, too, and lighttpd whatever is neither letter nor digit.
struct FieldName: Equatable {
    var id: FieldID
    /// Whether the name has another separator (`_`, `.`, `~`, …) where the known one has `-`.
    var isVariantSpelling: Bool

    static var unknown: Self { Self(id: .other, isVariantSpelling: false) }
}

/// A name of at most 32 ASCII bytes in four words, letters in lower case; two are equal if their words are (no known name holds NUL,
/// which fills the last word).
struct FoldedName: Equatable {
    private(set) var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    static var empty: Self { Self() }

    private init() {}

    /// Nil for what can't be a known name: longer ones and bytes beyond ASCII.
    @inline(__always)
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        let start = range.lowerBound
        let count = range.count
        guard count <= 32 else { return nil }
        words.0 = bytes.word(at: start, count: min(count, 8))
        if count > 8 { words.1 = bytes.word(at: start + 8, count: min(count - 8, 8)) }
        if count > 16 { words.2 = bytes.word(at: start + 16, count: min(count - 16, 8)) }
        if count > 24 { words.3 = bytes.word(at: start + 24, count: count - 24) }
        guard (words.0 | words.1 | words.2 | words.3) & UInt64.highBits == 0 else { return nil }
        words.0 = words.0.lowercased
        words.1 = words.1.lowercased
        guard count > 16 else { return }
        words.2 = words.2.lowercased
        words.3 = words.3.lowercased
    }

    /// The name with `-` for every other separator; nil if it has none.
    @inline(__always)
    var hyphenated: Self? {
        guard words.0.others | words.1.others | words.2.others | words.3.others != 0 else { return nil }
        var name = self
        name.words = (words.0.hyphenated, words.1.hyphenated, words.2.hyphenated, words.3.hyphenated)
        return name
    }

    @inline(__always)
    static func == (left: Self, right: Self) -> Bool {
        left.words.0 == right.words.0 && left.words.1 == right.words.1 && left.words.2 == right.words.2 && left.words.3 == right.words.3
    }

    /// A slot in a table of 512. The last factor was searched for: with it every known name has a slot of its own.
    @inline(__always)
    var slot: Int {
        let mixed = words.0 ^ words.1 &* 0x9E37_79B9_7F4A_7C15 ^ words.2 &* 0xC2B2_AE3D_27D4_EB4F ^ words.3
        return Int(truncatingIfNeeded: (mixed &* 0x5084_C63F_7B94_9E55) >> 55)
    }
}

/// The known names by hash, in open addressing, so that names can be added without searching for another factor. Built once, never
/// changed. Heads keep a reference to it, which costs less than asking for `shared` at every field.
final class FieldNameTable: Sendable {
    static let shared = FieldNameTable()

    /// One above the index into `entries`, 0 for an empty slot.
    private let slots: InlineArray<512, UInt8>
    private let entries: InlineArray<128, Entry>

    private struct Entry {
        var name = FoldedName.empty
        var id = FieldID.other
    }

    private init() {
        var slots = InlineArray<512, UInt8>(repeating: 0)
        var entries = InlineArray<128, Entry>(repeating: Entry())
        for (index, (text, id)) in FieldID.names.enumerated() {
            let bytes = Array(text.description.utf8)
            guard let name = FoldedName(bytes.span, 0..<bytes.count) else { preconditionFailure("a known name has at most 32 bytes") }
            entries[index] = Entry(name: name, id: id)
            var slot = name.slot
            while slots[slot] != 0 { slot = (slot + 1) & 511 }
            slots[slot] = UInt8(index + 1)
        }
        self.slots = slots
        self.entries = entries
    }

    /// Looks up the bytes in `range`. A known name is certainly a token; whether an unknown one is has still to be asked.
    @inline(__always)
    func look(up range: Range<Int>, in bytes: Span<UInt8>) -> FieldName {
        guard let name = FoldedName(bytes, range) else { return .unknown }
        let id = id(of: name)
        if id != .other { return FieldName(id: id, isVariantSpelling: false) }
        guard let name = name.hyphenated else { return .unknown }
        return look(upVariant: name)
    }

    @inline(never)
    private func look(upVariant name: FoldedName) -> FieldName {
        let id = id(of: name)
        return FieldName(id: id, isVariantSpelling: id != .other)
    }

    /// `.other` for an unknown name.
    @inline(__always)
    private func id(of name: FoldedName) -> FieldID {
        var slot = name.slot
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if entries[index].name == name { return entries[index].id }
            slot = (slot + 1) & 511
        }
        return .other
    }
}

/// Eight ASCII characters (below 0x80, so that no sum carries into the next lane) at once.
extension UInt64 {
    @inline(__always)
    fileprivate var lowercased: UInt64 {
        let fromA = self &+ UInt64(lanes: 0x80 - UInt8(ascii: "A"))
        let aboveZ = self &+ UInt64(lanes: 0x80 - UInt8(ascii: "Z") - 1)
        return self | (fromA & ~aboveZ & Self.highBits) >> 2
    }

    /// 0x80 in the lanes that hold neither a lower-case letter, a digit, `-` nor NUL.
    @inline(__always)
    fileprivate var others: UInt64 {
        let isLetter = (self &+ UInt64(lanes: 0x80 - UInt8(ascii: "a"))) & ~(self &+ UInt64(lanes: 0x7F - UInt8(ascii: "z")))
        let isDigit = (self &+ UInt64(lanes: 0x80 - UInt8(ascii: "0"))) & ~(self &+ UInt64(lanes: 0x7F - UInt8(ascii: "9")))
        let isNoHyphen = (self ^ UInt64(lanes: UInt8(ascii: "-"))) &+ UInt64(lanes: 0x7F)
        let isNoNUL = self &+ UInt64(lanes: 0x7F)
        return isNoHyphen & isNoNUL & ~isLetter & ~isDigit & Self.highBits
    }

    /// `-` in the lanes that hold a separator: a tchar that is neither letter nor digit (RFC 9110 §5.6.2). What is no tchar stays, so
    /// that no malformed name is a known one's spelling.
    fileprivate var hyphenated: UInt64 {
        var others = others
        var word = self
        while others != 0 {
            let shift = UInt64(others.trailingZeroBitCount & ~7)
            let byte = UInt8(truncatingIfNeeded: self &>> shift)
            if byte.isTokenCharacter { word ^= UInt64(byte ^ UInt8(ascii: "-")) &<< shift }
            others &= others &- 1
        }
        return word
    }
}
