/// Reading field lines (RFC 9112 §5) into a head's table: the same for requests, answers and trailers.
extension MessageHead {
    /// Reads the field line at `line` (without its CRLF), which holds no control character but HTAB. There may be `limit`
    /// fields in all.
    @inline(__always)
    mutating func append(_ line: Range<Int>, of bytes: Span<UInt8>, limit: Int) throws(WireError) {
        guard fields.count < limit else { throw .headersTooLarge }
        guard !bytes[line.lowerBound].isBlank else { throw .foldedLine }
        guard let colon = bytes.first(UInt8(ascii: ":"), in: line) else { throw .missingColon }
        let name = line.lowerBound..<colon
        let known = names.look(up: name, in: bytes)
        if known.id == .other {
            guard name.count <= UInt16.max, bytes.isToken(name) else { throw .malformedFieldName }
        } else {
            try note(known)
        }
        fields.append(
            Field(
                name: name, id: known.id, isVariantSpelling: known.isVariantSpelling,
                value: bytes.trimmed(colon + 1..<line.upperBound), lineEnd: line.upperBound + 2))
    }

    /// Enters a known field into the sets.
    @inline(__always)
    private mutating func note(_ name: FieldName) throws(WireError) {
        if present.contains(name.id), FieldSet.singletons.contains(name.id) { throw .duplicateHeader(name.id) }
        present.insert(name.id)
        guard name.isVariantSpelling else { return }
        variants.insert(name.id)
        if FieldSet.framing.contains(name.id) { throw .variantSpelling(name.id) }
    }
}
