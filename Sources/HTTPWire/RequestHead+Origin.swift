/// What a browser says about the page that a request comes from (Fetch §3.2, §4.8).
extension RequestHead {
    /// The value of the one `Origin`; nil without one, and with several, of which readers could pick different ones.
    package var originRange: Range<Int>? {
        guard present.contains(.origin) else { return nil }
        var found: Range<Int>?
        for field in fields where field.id == .origin {
            guard found == nil else { return nil }
            found = field.value
        }
        return found
    }

    /// The method that a CORS preflight asks for: the value of the one `Access-Control-Request-Method`. Nil for every other request.
    package var preflightMethod: Range<Int>? {
        guard method == .options, present.contains(.origin), present.contains(.accessControl), originRange != nil else { return nil }
        let bytes = bytes.readableBytesUInt8Span
        let name: StaticString = "access-control-request-method"
        var found: Range<Int>?
        for field in fields where field.id == .accessControl && !field.isVariantSpelling {
            // Of the known names of this length the other one goes on with `expose`.
            guard field.name.count == name.utf8CodeUnitCount, bytes[field.name.lowerBound + 15] | 0x20 == UInt8(ascii: "r") else {
                continue
            }
            guard found == nil else { return nil }
            found = field.value
        }
        return found
    }
}
