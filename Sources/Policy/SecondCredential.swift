/// Finds a second credential beside the judged one (SPEC §2): the upstream might act for somebody whom the gateway never judged.
///
/// One per route that verifies a token, made at load. Form bodies are not searched.
package struct SecondCredential: Sendable {
    private let headers: [NameSpelling]
    private let parameters: [NameSpelling]
    /// A token among the names of WebSocket subprotocols is one, too.
    package let countsSubprotocols: Bool

    package static let defaultHeaders = ["X-API-Key", "Cookie", "Proxy-Authorization"]
    package static let defaultParameters = ["access_token"]
    /// A field of which only what looks like a token is one.
    package static let subprotocols = "Sec-WebSocket-Protocol"

    /// `others` are the dialect's `other_credentials`, fields and query parameters alike; `allowed` is what the route allows by name.
    package init(others: [String] = [], allowed: [String] = []) {
        let allowed = Set(allowed.map { NameSpelling($0) })
        headers = (Self.defaultHeaders + others).map { NameSpelling($0) }.filter { !allowed.contains($0) }
        parameters = (Self.defaultParameters + others).map { NameSpelling($0) }.filter { !allowed.contains($0) }
        countsSubprotocols = !allowed.contains(NameSpelling(Self.subprotocols))
    }

    /// Whether a field of this name is one: 400 `ambiguous_credential`. Allocates nothing.
    package func isHeader(_ name: Span<UInt8>) -> Bool {
        for header in headers where header.matches(name) { return true }
        return false
    }

    /// Checks the query, without its `?`. Throws `.ambiguousCredential`. Allocates nothing.
    package func check(query: Span<UInt8>) throws(Denial) {
        for parameter in parameters where parameter.isParameter(of: query) { throw .ambiguousCredential }
    }
}

/// What every query is held to, whatever its route's credential.
package enum RequestQuery {
    private static let method = NameSpelling("_method")

    /// Throws `.badRequest` for a `_method` parameter, which could change the method after the route was chosen, and `.ambiguousPath` for
    /// a fragment. `query` is without its `?`; it goes on byte for byte. Allocates nothing.
    package static func check(_ query: Span<UInt8>) throws(Denial) {
        for index in query.indices where query[index] == UInt8(ascii: "#") { throw .ambiguousPath }
        if method.isParameter(of: query) { throw .badRequest }
    }
}
