/// Names that servers take for one another: field names in any case with any other separator for `-`, query parameters with `_`, `.`, `[`
/// or a space for it.
///
/// CGI, WSGI and their heirs hand `X-Tenant-ID` and `x_tenant_id` to the application under one name, PHP `X.Tenant.ID`, too, and
/// lighttpd whatever is neither letter nor digit (`X~Tenant~ID`).
package struct NameSpelling: Hashable, Sendable {
    private let folded: [UInt8]

    package init(_ name: String) { folded = name.utf8.map { Self.fold($0) } }

    /// Whether a field name is this name or another spelling of it.
    package func matches(_ name: Span<UInt8>) -> Bool {
        guard name.count == folded.count else { return false }
        for index in folded.indices where Self.foldWidely(name[index]) != Self.foldWidely(folded[index]) { return false }
        return true
    }

    /// Whether one of a query's parameters has this name. `query` is without its `?`.
    ///
    /// A parameter ends at `&` and at `;`, which some servers split at too. Its name is percent-decoded once, `+` being a space; it is
    /// read without leading spaces and question marks, and up to a `[` behind the name or a NUL, as servers do that make lists or C strings
    /// of it. One within the name is a separator, as it is where no `]` follows.
    package func isParameter(of query: Span<UInt8>) -> Bool {
        var start = 0
        while start < query.count {
            if isName(query, start) { return true }
            while start < query.count, !Self.endsParameter(query[start]) { start += 1 }
            start += 1
        }
        return false
    }

    /// Whether the parameter at `start` has this name.
    private func isName(_ query: Span<UInt8>, _ start: Int) -> Bool {
        var index = start
        var matched = 0
        while index < query.count, !Self.endsName(query[index]) {
            let byte = Self.nextDecoded(query, &index)
            if byte == 0 || byte == UInt8(ascii: "[") && matched == folded.count { break }
            if matched == 0, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "?") { continue }
            guard matched < folded.count, Self.fold(byte) == folded[matched] else { return false }
            matched += 1
        }
        return matched == folded.count
    }

    @inline(__always)
    private static func nextDecoded(_ query: Span<UInt8>, _ index: inout Int) -> UInt8 {
        if let byte = escapedByte(query, at: index) {
            index += 3
            return byte
        }
        index += 1
        return query[index - 1] == UInt8(ascii: "+") ? UInt8(ascii: " ") : query[index - 1]
    }

    @inline(__always)
    private static func endsParameter(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";") }

    @inline(__always)
    private static func endsName(_ byte: UInt8) -> Bool { endsParameter(byte) || byte == UInt8(ascii: "=") }

    @inline(__always)
    private static func fold(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: " "), UInt8(ascii: "["): UInt8(ascii: "-")
        default: lowercased(byte)
        }
    }

    /// As in a field's name, where nothing else than separators stands beside letters and digits.
    @inline(__always)
    private static func foldWidely(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), 0x80...: byte
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        default: UInt8(ascii: "-")
        }
    }
}
