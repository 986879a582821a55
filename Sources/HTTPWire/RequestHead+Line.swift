/// Reading the request line (RFC 9112 §3): `method SP target SP HTTP/1.1`, one space each.
extension RequestHead {
    /// Reads `line` (without its CRLF), which holds no control character but HTAB.
    mutating func readRequestLine(_ line: Range<Int>, _ bytes: Span<UInt8>, limits: WireLimits) throws(WireError) {
        guard let methodEnd = bytes.first(.space, in: line) else { throw .malformedRequestLine }
        methodRange = line.lowerBound..<methodEnd
        guard methodRange.count <= WireLimits.method, bytes.isToken(methodRange) else { throw .malformedRequestLine }
        guard let targetEnd = bytes.first(.space, in: methodEnd + 1..<line.upperBound) else { throw .malformedRequestLine }
        targetRange = methodEnd + 1..<targetEnd
        guard targetRange.count <= limits.target else { throw .uriTooLong }
        try readVersion(bytes, targetEnd + 1..<line.upperBound)
        method = RequestMethod(bytes, methodRange)
        try readTarget(bytes)
    }

    private func readVersion(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(WireError) {
        guard let version = HTTPVersion(bytes, range) else { throw .malformedRequestLine }
        guard version == .http11 else { throw .versionNotSupported }
    }

    private mutating func readTarget(_ bytes: Span<UInt8>) throws(WireError) {
        guard !targetRange.isEmpty else { throw .malformedTarget }
        if let index = bytes.firstForbiddenInTarget(targetRange) {
            throw bytes[index] == UInt8(ascii: "#") ? .fragmentInTarget : .malformedTarget
        }
        if method == .connect {
            targetForm = .authority
            authority = try Authority(bytes, targetRange, fault: .malformedTarget)
            guard authority.port != nil else { throw .malformedTarget }
            pathRange = targetRange.upperBound..<targetRange.upperBound
        } else if bytes[targetRange.lowerBound] == UInt8(ascii: "/") {
            targetForm = .origin
            splitPath(bytes, targetRange)
        } else if targetRange.count == 1, bytes[targetRange.lowerBound] == UInt8(ascii: "*") {
            guard method == .options else { throw .malformedTarget }
            targetForm = .asterisk
            pathRange = targetRange
        } else {
            try readAbsoluteForm(bytes)
        }
    }

    /// `http://authority/path?query`, or with `https`; the authority is held against `Host` in `finish`.
    private mutating func readAbsoluteForm(_ bytes: Span<UInt8>) throws(WireError) {
        targetForm = .absolute
        guard let start = bytes.endOfHTTPScheme(targetRange) else { throw .malformedTarget }
        let rest = start..<targetRange.upperBound
        let end = bytes.firstAfterAuthority(rest)
        authority = try Authority(bytes, start..<end, fault: .malformedTarget)
        splitPath(bytes, end..<targetRange.upperBound)
    }

    private mutating func splitPath(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard let mark = bytes.first(UInt8(ascii: "?"), in: range) else {
            pathRange = range
            return
        }
        pathRange = range.lowerBound..<mark
        queryRange = mark + 1..<range.upperBound
    }
}

extension Span where Element == UInt8 {
    /// One past `http://` or `https://` (any ASCII case) at the start of `range`; nil for every other scheme.
    fileprivate func endOfHTTPScheme(_ range: Range<Int>) -> Int? {
        for (scheme, length) in [("http://", 7), ("https://", 8)] as [(StaticString, Int)] where range.count >= length {
            let end = range.lowerBound + length
            if equalsIgnoringCase(range.lowerBound..<end, scheme) { return end }
        }
        return nil
    }

    /// Where the authority at the start of `range` ends.
    fileprivate func firstAfterAuthority(_ range: Range<Int>) -> Int {
        for index in range where self[index] == UInt8(ascii: "/") || self[index] == UInt8(ascii: "?") { return index }
        return range.upperBound
    }
}
