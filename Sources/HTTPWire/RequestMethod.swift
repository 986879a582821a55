/// The methods that somebody here treats apart; methods are case-sensitive (RFC 9110 §9.1).
package enum RequestMethod: Sendable, CaseIterable {
    case get, head, post, put, patch, delete, options, trace, connect, other

    /// `range` holds a token.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard range.count <= 8 else {
            self = .other
            return
        }
        self =
            switch bytes.word(at: range.lowerBound, count: range.count) {
            case UInt64(letters: "GET"): .get
            case UInt64(letters: "HEAD"): .head
            case UInt64(letters: "POST"): .post
            case UInt64(letters: "PUT"): .put
            case UInt64(letters: "PATCH"): .patch
            case UInt64(letters: "DELETE"): .delete
            case UInt64(letters: "OPTIONS"): .options
            case UInt64(letters: "TRACE"): .trace
            case UInt64(letters: "CONNECT"): .connect
            default: .other
            }
    }
}

extension UInt64 {
    /// At most eight ASCII letters as `Span.word` gives them. Folded to a constant by the compiler.
    @inline(__always)
    fileprivate init(letters: StaticString) {
        self = 0
        for offset in 0..<letters.utf8CodeUnitCount {
            // unsafe: the pointer to a literal's bytes is valid for ever and `offset` is below its count.
            self |= unsafe UInt64(letters.utf8Start[offset]) << UInt64(offset * 8)
        }
    }
}
