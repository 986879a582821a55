/// Reading the status line (RFC 9112 §4) and what status, version and fields together mean.
extension ResponseHead {
    /// Reads `HTTP/1.x SP status SP reason`. The space before an empty reason may be missing, as many servers have it.
    mutating func readStatusLine(_ line: Range<Int>, _ bytes: Span<UInt8>) throws(WireError) -> HTTPVersion {
        let start = line.lowerBound
        guard line.count >= 12, bytes[start + 8] == .space, let version = HTTPVersion(bytes, start..<start + 8) else {
            throw .malformedStatusLine
        }
        guard version != .other else { throw .versionNotSupported }
        let digits = (bytes[start + 9], bytes[start + 10], bytes[start + 11])
        guard digits.0.isDigit, digits.1.isDigit, digits.2.isDigit else { throw .malformedStatusLine }
        let zero = UInt8(ascii: "0")
        status = UInt16(digits.0 - zero) * 100 + UInt16(digits.1 - zero) * 10 + UInt16(digits.2 - zero)
        guard (100...599).contains(status) else { throw .malformedStatusLine }
        guard line.count == 12 || bytes[start + 12] == .space else { throw .malformedStatusLine }
        reasonRange = min(start + 13, line.upperBound)..<line.upperBound
        return version
    }

    /// RFC 9112 §6.3, and nothing where the RFC lets a recipient repair.
    mutating func finish(_ bytes: Span<UInt8>, answering method: RequestMethod, version: HTTPVersion) throws(WireError) {
        let declared = try message.declaredFraming(bytes)
        if version == .http10, declared == .chunked { throw .forbiddenFraming(.transferEncoding) }
        if status < 200 || status == 204 {
            try refuseBody(declared)
            framing = .none
        } else if method == .head || status == 304 {
            framing = .none
            withholdsBody = declared?.hasBody ?? false
        } else {
            framing = declared ?? .untilClose
        }
        try message.readConnection(bytes)
        keepAlive = version == .http11 && !message.connection.close && framing != .untilClose && status != 101
    }

    /// 1xx and 204 must not have framing fields (RFC 9110 §8.6, RFC 9112 §6.1); `Content-Length: 0`, which many servers send, says
    /// nothing else than the status.
    private func refuseBody(_ declared: BodyFraming?) throws(WireError) {
        switch declared {
        case nil, .length(0): return
        case .chunked: throw .forbiddenFraming(.transferEncoding)
        default: throw .forbiddenFraming(.contentLength)
        }
    }
}
