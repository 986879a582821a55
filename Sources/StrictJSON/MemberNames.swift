/// The names of the objects that are open while a document is read: finds a second one of the same meaning.
///
/// A few names are compared one by one; beyond that an object gets a hash table, seeded per process, so that a hostile document with
/// a hundred thousand names costs no more per name than a friendly one. Names are compared after unescaping.
struct MemberNames {
    /// Objects with at most this many names are searched one by one: comparing eight bytes is cheaper than hashing.
    static let searchedOneByOne = 16

    private var names: [Name] = []

    /// A name as it stands in the text.
    struct Name {
        /// Between the quotes.
        let start: UInt32
        let end: UInt32
        let isEscaped: Bool
        /// The first eight bytes of its meaning, zero-padded: no name holds a NUL, so short names are told apart by this alone.
        let head: UInt64
    }

    /// One open object.
    struct Frame {
        fileprivate let base: Int
        /// Open addressing, a power of two of slots: upper half the name's hash, lower half its index plus one, 0 where free.
        fileprivate var slots: [UInt64] = []
    }

    mutating func open() -> Frame {
        if names.isEmpty { names.reserveCapacity(Self.searchedOneByOne) }
        return Frame(base: names.count)
    }

    mutating func close(_ frame: Frame) { names.removeLast(names.count - frame.base) }

    /// Adds the name whose quotes enclose `content`; false where the object has it already.
    mutating func add(_ content: Range<Int>, isEscaped: Bool, to frame: inout Frame, in bytes: Span<UInt8>) -> Bool {
        let name = Name(content, isEscaped: isEscaped, in: bytes)
        let count = names.count - frame.base
        if count < Self.searchedOneByOne {
            for index in frame.base..<names.count where names[index].head == name.head {
                if names[index].means(name, in: bytes) { return false }
            }
            names.append(name)
            return true
        }
        if frame.slots.count < count * 2 + 2 { grow(&frame, in: bytes) }
        return insert(name, into: &frame, in: bytes)
    }

    private mutating func insert(_ name: Name, into frame: inout Frame, in bytes: Span<UInt8>) -> Bool {
        let hash = name.hash(in: bytes)
        var slot = Int(hash) & (frame.slots.count - 1)
        while frame.slots[slot] != 0 {
            let entry = frame.slots[slot]
            if UInt32(entry >> 32) == hash, names[Int(entry & 0xFFFF_FFFF) - 1].means(name, in: bytes) { return false }
            slot = (slot + 1) & (frame.slots.count - 1)
        }
        names.append(name)
        frame.slots[slot] = UInt64(hash) << 32 | UInt64(names.count)
        return true
    }

    /// Makes the table four times as large; the first time it takes up the names that were searched one by one.
    private func grow(_ frame: inout Frame, in bytes: Span<UInt8>) {
        let old = frame.slots
        frame.slots = [UInt64](repeating: 0, count: max(old.count * 4, Self.searchedOneByOne * 4))
        let mask = frame.slots.count - 1
        func place(_ entry: UInt64) {
            var slot = Int(entry >> 32) & mask
            while frame.slots[slot] != 0 { slot = (slot + 1) & mask }
            frame.slots[slot] = entry
        }
        if old.isEmpty {
            for index in frame.base..<names.count { place(UInt64(names[index].hash(in: bytes)) << 32 | UInt64(index + 1)) }
        } else {
            for entry in old where entry != 0 { place(entry) }
        }
    }
}

extension MemberNames.Name {
    fileprivate init(_ content: Range<Int>, isEscaped: Bool, in bytes: Span<UInt8>) {
        start = UInt32(content.lowerBound)
        end = UInt32(content.upperBound)
        self.isEscaped = isEscaped
        var head: UInt64 = 0
        var shift: UInt64 = 0
        if isEscaped {
            var unescaped = UnescapedBytes(content)
            while shift < 64, let byte = unescaped.next(bytes) {
                head |= UInt64(byte) << shift
                shift += 8
            }
        } else if let word = EightBytes(bytes, at: content.lowerBound) {
            head = word.prefix(content.count)
        } else {
            for index in content.lowerBound..<min(content.upperBound, content.lowerBound + 8) {
                head |= UInt64(bytes[index]) << shift
                shift += 8
            }
        }
        self.head = head
    }

    private var content: Range<Int> { Int(start)..<Int(end) }

    fileprivate func means(_ other: Self, in bytes: Span<UInt8>) -> Bool {
        guard head == other.head else { return false }
        guard isEscaped || other.isEscaped else {
            guard end - start == other.end - other.start else { return false }
            for index in 8..<max(content.count, 8) where bytes[Int(start) + index] != bytes[Int(other.start) + index] { return false }
            return true
        }
        var left = UnescapedBytes(content)
        var right = UnescapedBytes(other.content)
        while true {
            let byte = left.next(bytes)
            guard byte == right.next(bytes) else { return false }
            if byte == nil { return true }
        }
    }

    /// A hash of what the name means.
    fileprivate func hash(in bytes: Span<UInt8>) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(Self.seed)
        var unescaped = UnescapedBytes(content)
        var word: UInt64 = 0
        var count = 0
        while let byte = unescaped.next(bytes) {
            word = word << 8 | UInt64(byte)
            count += 1
            if count % 8 == 0 { hasher.combine(word) }
        }
        hasher.combine(word)
        hasher.combine(count)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    /// Of our own beside `Hasher`'s, because that one can be switched off from outside.
    private static let seed = UInt64.random(in: .min ... .max)
}
