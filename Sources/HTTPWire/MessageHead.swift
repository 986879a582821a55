package import NIOCore

/// One field line of a head: where it stands in the head's bytes, and what is known of its name.
package struct Field: Hashable, Sendable {
    /// The line's first byte, which is the name's first, too.
    package let lineStart: UInt32
    /// One past the line's CRLF: where the next line starts.
    package let lineEnd: UInt32
    private let valueStart: UInt32
    private let valueEnd: UInt32
    private let nameLength: UInt16
    package let id: FieldID
    private var flags: UInt8

    @inline(__always)
    init(name: Range<Int>, id: FieldID, isVariantSpelling: Bool, value: Range<Int>, lineEnd: Int) {
        lineStart = UInt32(name.lowerBound)
        self.lineEnd = UInt32(lineEnd)
        valueStart = UInt32(value.lowerBound)
        valueEnd = UInt32(value.upperBound)
        nameLength = UInt16(name.count)
        self.id = id
        flags = (isVariantSpelling ? 1 : 0) | (FieldSet.hopByHop.contains(id) ? 2 : 0)
    }

    /// The name with another separator for `-` (`_`, `.`, …): some servers read it as the known one.
    package var isVariantSpelling: Bool { flags & 1 != 0 }

    /// Not to be forwarded: hop by hop by its name, or named by `Connection`.
    package var isHopByHop: Bool { flags & 2 != 0 }

    package var name: Range<Int> { Int(lineStart)..<Int(lineStart) + Int(nameLength) }

    /// The value without the spaces and tabs around it; may be empty.
    package var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }

    package var line: Range<Int> { Int(lineStart)..<Int(lineEnd) }

    mutating func markHopByHop() { flags |= 2 }
}

/// The received bytes of a head (or a trailer section) and a small table of its fields: nothing is copied out of them.
///
/// All ranges count from the first byte of `bytes`. To look at several: `let all = head.bytes.readableBytesUInt8Span`, then
/// `all.extracting(range)`.
package struct MessageHead: Sendable {
    /// The head as received, from the start line to the empty line (without it a `RequestHead` isn't complete). A slice: it keeps the
    /// buffer that it came in alive until `clear()`.
    package internal(set) var bytes = ByteBuffer()
    /// Every field line in order, known or not.
    package internal(set) var fields: [Field] = []
    /// The known fields that are there, in any spelling.
    package internal(set) var present = FieldSet()
    /// The known fields of which a variant spelling (`X_Tenant_ID`, `X.Tenant.ID`) is there.
    package internal(set) var variants = FieldSet()
    /// What the `Connection` fields say.
    package internal(set) var connection = ConnectionOptions()
    let names = FieldNameTable.shared

    package init() {}

    /// Forgets everything but its tables' memory, and lets go of the received buffer.
    package mutating func clear() {
        bytes = ByteBuffer()
        fields.removeAll(keepingCapacity: true)
        present = FieldSet()
        variants = FieldSet()
        connection.clear()
    }

    /// The first field with this id, in any spelling; nil if there is none.
    package func first(_ id: FieldID) -> Field? {
        guard present.contains(id) else { return nil }
        for field in fields where field.id == id { return field }
        return nil
    }

    /// Gives the bytes of a range of the head to `body`, in place.
    package func withBytes<Result, Failure: Error>(
        _ range: Range<Int>, _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(bytes.readableBytesUInt8Span.extracting(range))
    }

    /// Gives the value of the first field with this id to `body`, in place; nil if there is none.
    package func withValue<Result, Failure: Error>(
        _ id: FieldID, _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let field = first(id) else { return nil }
        return try withBytes(field.value, body)
    }
}
