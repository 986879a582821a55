/// Writes JSON into bytes: error bodies, log lines, claims. Commas are put where they belong.
///
/// What it writes is always valid UTF-8 and one line, whatever it is given: bytes that aren't UTF-8 become U+FFFD; control characters
/// (C0, DEL, C1), line separators, and characters that can't be seen or turn the writing round (bidirectional marks, zero-width ones, tags)
/// are escaped, so that a line that others have a part in reads as it is. That begun objects and arrays are ended is the caller's part.
package struct JSONWriter: Sendable {
    /// What has been written so far.
    package private(set) var bytes: [UInt8]
    private var needsComma = false

    package init(reserving capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    /// A member's name; its value must follow.
    package mutating func name(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A member's name from bytes; its value must follow.
    package mutating func name(_ name: [UInt8]) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func string(_ text: String) {
        string(text.utf8Span.span)
    }

    package mutating func string(_ text: [UInt8]) { string(text.span) }

    package mutating func string(_ text: Span<UInt8>) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        appendEscaped(text)
        bytes.append(UInt8(ascii: "\""))
    }

    package mutating func integer(_ value: some BinaryInteger) { raw(String(value).utf8) }

    package mutating func bool(_ value: Bool) { raw((value ? "true" : "false").utf8) }

    package mutating func null() { raw("null".utf8) }

    /// A value that is JSON already.
    package mutating func raw(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
    }

    /// Ends a line of JSON Lines: what follows is a document of its own.
    package mutating func newline() {
        bytes.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}

extension JSONWriter {
    /// A member with a string value.
    package mutating func member(_ name: String, _ value: String) {
        self.name(name)
        string(value)
    }

    /// A member with a string value from bytes.
    package mutating func member(_ name: String, _ value: [UInt8]) {
        self.name(name)
        string(value)
    }

    /// A member with a string value fixed in the program.
    package mutating func member(_ name: String, _ value: StaticString) { member(name, value.description) }

    /// A member with a whole number.
    package mutating func member(_ name: String, _ value: some BinaryInteger) {
        self.name(name)
        integer(value)
    }

    /// A member that is true or false.
    package mutating func member(_ name: String, _ value: Bool) {
        self.name(name)
        bool(value)
    }
}

// MARK: escaping

extension JSONWriter {
    private mutating func appendEscaped(_ text: Span<UInt8>) {
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte >= 0x20, byte < 0x7F {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
                bytes.append(byte)
                index += 1
            } else if byte < 0x80 {
                appendControl(byte)
                index += 1
            } else {
                index += appendSequence(text, at: index)
            }
        }
    }

    /// The sequence at `index`, or U+FFFD for the bytes that are none. How many bytes of `text` that took.
    private mutating func appendSequence(_ text: Span<UInt8>, at index: Int) -> Int {
        let length = utf8SequenceLength(text, at: index)
        if length == 0 {
            appendUTF8(0xFFFD, to: &bytes)
            return 1
        }
        if isUnseen(text, at: index, length) {
            let scalar = (1..<length).reduce(UInt32(text[index]) & (0x7F >> UInt32(length))) { $0 << 6 | UInt32(text[index + $1] & 0x3F) }
            for unit in UTF16.encode(Unicode.Scalar(scalar) ?? "\u{FFFD}")! { appendUnicodeEscape(unit) }
        } else {
            for offset in 0..<length { bytes.append(text[index + offset]) }
        }
        return length
    }

    /// C1 controls and the soft hyphen, U+061C, U+200B…U+200F, U+2028…U+202E, U+2060…U+206F, U+FEFF, U+FFF9…U+FFFB and tags (U+E00xx).
    private func isUnseen(_ text: Span<UInt8>, at index: Int, _ length: Int) -> Bool {
        switch (text[index], text[index + 1]) {
        case (0xC2, let second): return second < 0xA0 || second == 0xAD
        case (0xD8, 0x9C): return true
        case (0xE2, 0x80): return 0x8B...0x8F ~= text[index + 2] || 0xA8...0xAE ~= text[index + 2]
        case (0xE2, 0x81): return 0xA0...0xAF ~= text[index + 2]
        case (0xEF, 0xBB): return text[index + 2] == 0xBF
        case (0xEF, 0xBF): return 0xB9...0xBB ~= text[index + 2]
        case (0xF3, 0xA0): return text[index + 2] <= 0x81
        default: return false
        }
    }

    private mutating func appendControl(_ byte: UInt8) {
        switch byte {
        case 0x09: bytes.append(contentsOf: "\\t".utf8)
        case 0x0A: bytes.append(contentsOf: "\\n".utf8)
        case 0x0D: bytes.append(contentsOf: "\\r".utf8)
        default: appendUnicodeEscape(UInt16(byte))
        }
    }

    private mutating func appendUnicodeEscape(_ unit: UInt16) {
        bytes.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] as [UInt16] {
            let digit = UInt8(truncatingIfNeeded: unit >> shift) & 15
            bytes.append(digit < 10 ? digit + 48 : digit + 87)
        }
    }
}
