/// How a message's body is delimited (RFC 9112 §6.3).
package enum BodyFraming: Equatable, Sendable {
    /// There is no body.
    case none
    /// Exactly that many bytes, 0…2^53.
    case length(Int)
    /// Chunks, then maybe trailers.
    case chunked
    /// All bytes until the connection is closed: answers only.
    case untilClose

    /// Whether any body byte may follow.
    package var hasBody: Bool {
        switch self {
        case .none, .length(0): false
        case .length, .chunked, .untilClose: true
        }
    }
}

extension MessageHead {
    /// What `Content-Length` and `Transfer-Encoding` say; nil if neither is there.
    ///
    /// Each is there at most once (`append` saw to it) and in its true spelling.
    func declaredFraming(_ bytes: Span<UInt8>) throws(WireError) -> BodyFraming? {
        let coding = first(.transferEncoding)
        let length = first(.contentLength)
        guard coding == nil || length == nil else { throw .conflictingFraming }
        if let coding {
            guard !coding.value.isEmpty else { throw .malformedTransferEncoding }
            guard bytes.equalsIgnoringCase(coding.value, "chunked") else { throw .unknownTransferCoding }
            return .chunked
        }
        guard let length else { return nil }
        guard let count = bytes.contentLength(length.value) else { throw .malformedContentLength }
        return .length(count)
    }
}

extension Span where Element == UInt8 {
    /// Digits only, without leading zeros (which some read as octal), at most 2^53.
    fileprivate func contentLength(_ range: Range<Int>) -> Int? {
        guard (1...16).contains(range.count), range.count == 1 || self[range.lowerBound] != UInt8(ascii: "0") else { return nil }
        var number = 0
        for index in range {
            guard self[index].isDigit else { return nil }
            number = number * 10 + Int(self[index] - UInt8(ascii: "0"))
        }
        return number <= WireLimits.length ? number : nil
    }
}
