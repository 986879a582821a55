import HTTPWire
import Policy

/// What stage 1 asks of every head beyond its syntax: nothing in it may be read as another tenant's, user's, method's or host's by
/// somebody less strict.
enum RequestRules {
    /// Fields that `Connection` must not name: whoever obeys it would drop what was judged.
    private static let identity: [FieldID] = [.authorization, .xTenantID, .xUserID, .xUserRoles, .cookie, .proxyAuthorization, .xAPIKey]

    /// Throws `.badRequest`, or what `RequestQuery` throws.
    static func check(_ head: borrowing RequestHead) throws(Denial) {
        if head.variants.contains(.xTenantID) { throw .badRequest }
        for id in identity where head.connectionNames(id) { throw .badRequest }
        let bytes = head.bytes.readableBytesUInt8Span
        if let query = head.queryRange, !query.isEmpty { try RequestQuery.check(bytes.extracting(query)) }
    }
}

/// `Authorization: Bearer` (RFC 6750 §2.1).
enum BearerToken {
    /// Where the token stands in the field's value: after the scheme in any case and one space.
    ///
    /// Throws `.unauthenticated` for another scheme, `.invalidToken` where no token or more than one word follows.
    static func range(in value: Span<UInt8>) throws(Denial) -> Range<Int> {
        let scheme: StaticString = "bearer"
        let length = scheme.utf8CodeUnitCount
        guard value.count >= length else { throw .unauthenticated }
        for index in 0..<length where unsafe value[index] | 0x20 != scheme.utf8Start[index] { throw .unauthenticated }
        guard value.count > length else { throw .invalidToken }
        guard value[length] == UInt8(ascii: " ") else { throw value[length] == UInt8(ascii: "\t") ? .invalidToken : .unauthenticated }
        guard value.count > length + 1, value[length + 1] != UInt8(ascii: " ") else { throw .invalidToken }
        return length + 1..<value.count
    }
}
