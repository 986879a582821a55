/// A JSON text that was read once, whole, and found to have one meaning only (RFC 8259 and SPEC §2): valid UTF-8 without byte order
/// mark or NUL, no half surrogate, no name twice in an object at any depth (after unescaping), nothing behind the end, within bounds.
///
/// It owns the bytes and builds no tree: a question scans the validated bytes again, which costs about a nanosecond per byte passed.
package struct JSONDocument: Sendable {
    /// The text.
    package let bytes: [UInt8]
    /// The outermost value.
    package let root: JSONValue

    /// Reads `bytes` whole; throws the first fault and its place.
    package init(_ bytes: [UInt8], limits: JSONLimits = .token) throws(JSONError) {
        root = try JSONValidator.document(bytes.span, limits: limits)
        self.bytes = bytes
    }
}

/// A value's place in its document. Use it only with the document that gave it.
package struct JSONValue: Sendable, Equatable {
    package enum Kind: UInt8, Sendable {
        case object, array, string, number, `true`, `false`, null
    }

    package let kind: Kind
    private let first: UInt32
    private let behind: UInt32

    init(kind: Kind, start: Int, end: Int) {
        self.kind = kind
        first = UInt32(start)
        behind = UInt32(end)
    }

    /// The value's first byte: a string's quote, an object's brace.
    package var start: Int { Int(first) }
    /// The byte behind its last.
    package var end: Int { Int(behind) }
    /// A string's bytes between the quotes, still escaped.
    var content: Range<Int> { start + 1..<end - 1 }
}

// MARK: what a value says

extension JSONDocument {
    /// What a string means, unescaped: valid UTF-8 without NUL. Nil for every other kind.
    package func string(_ value: JSONValue) -> [UInt8]? {
        guard value.kind == .string else { return nil }
        guard bytes[value.content].contains(UInt8(ascii: "\\")) else { return Array(bytes[value.content]) }
        let span = bytes.span
        var unescaped = UnescapedBytes(value.content)
        var out: [UInt8] = []
        out.reserveCapacity(value.content.count)
        while let byte = unescaped.next(span) { out.append(byte) }
        return out
    }

    /// Whether the value is a string that means exactly these bytes. Allocates nothing.
    package func isString(_ value: JSONValue, _ expected: Span<UInt8>) -> Bool {
        let content = value.content
        guard value.kind == .string, content.count >= expected.count else { return false }
        let span = bytes.span
        // Every escape is longer than what it means: a string of just this length has the same bytes and no escape.
        if content.count == expected.count {
            for index in expected.indices {
                let byte = span[content.lowerBound + index]
                guard byte == expected[index], byte != UInt8(ascii: "\\") else { return false }
            }
            return true
        }
        var unescaped = UnescapedBytes(content)
        for index in expected.indices where unescaped.next(span) != expected[index] { return false }
        return unescaped.next(span) == nil
    }

    /// Whether the value is a string that means exactly this text, compared as UTF-8. Allocates nothing.
    package func isString(_ value: JSONValue, _ expected: String) -> Bool {
        let expected = expected.utf8
        // Most names are told apart by their lengths.
        guard value.kind == .string, value.content.count >= expected.count else { return false }
        return isString(value, expected.span)
    }

    /// Nil for everything but `true` and `false`.
    package func bool(_ value: JSONValue) -> Bool? {
        switch value.kind {
        case .true: true
        case .false: false
        default: nil
        }
    }

    /// Nil for everything but a number, and for numbers that are absurd (see `JSONNumber`).
    package func number(_ value: JSONValue) -> JSONNumber? {
        guard value.kind == .number else { return nil }
        return JSONNumber(digits: bytes.span.extracting(value.start..<value.end)) ?? JSONNumber(text: bytes[value.start..<value.end])
    }

    /// The value as it is written, escapes and all.
    package func text(_ value: JSONValue) -> ArraySlice<UInt8> { bytes[value.start..<value.end] }
}
