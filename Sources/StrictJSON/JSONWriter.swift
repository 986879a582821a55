/// Writes JSON into bytes: error bodies, log lines, claims. Commas are put where they belong.
///
/// What it writes is always valid UTF-8 and one line, whatever it is given: bytes that aren't UTF-8 become U+FFFD; control characters
/// (C0, DEL, C1) and the line separators U+2028 and U+2029 are escaped. That begun objects and arrays are ended is the caller's part.
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
        if length == 2, text[index] == 0xC2, text[index + 1] < 0xA0 {
            appendUnicodeEscape(UInt16(text[index + 1]))
        } else if length == 3, text[index] == 0xE2, text[index + 1] == 0x80, text[index + 2] & 0xFE == 0xA8 {
            appendUnicodeEscape(0x2000 | UInt16(text[index + 2] & 0x3F))
        } else {
            for offset in 0..<length { bytes.append(text[index + offset]) }
        }
        return length
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
