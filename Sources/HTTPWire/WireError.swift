/// Everything for which a message is refused: closed, so that whoever answers has a row for each.
///
/// After any of these the connection can't be used again: where the next message starts is not known.
package enum WireError: Error, Hashable, Sendable {
    // MARK: lines (RFC 9112 §2.2)

    /// A line that ends in LF alone.
    case bareLF
    /// A CR that no LF follows.
    case bareCR
    /// NUL or another control character.
    case controlCharacter
    /// An empty line where a start line is due (one is skipped before a request).
    case emptyLine

    // MARK: start line (RFC 9112 §3, §4)

    case malformedRequestLine
    case malformedStatusLine
    /// A well-formed version, but not one that is spoken here.
    case versionNotSupported
    case uriTooLong
    case malformedTarget
    /// A `#` in the target: RFC 9112 §3.2 has none, and servers differ in what they do with it.
    case fragmentInTarget

    // MARK: fields (RFC 9112 §5)

    /// The head or trailer section is over `WireLimits.head`, `.trailers` or `.fieldCount`.
    case headersTooLarge
    /// A line that starts with a space or tab (obs-fold).
    case foldedLine
    /// A line without a colon.
    case missingColon
    /// A field name that is empty or isn't a token (also: space before the colon).
    case malformedFieldName
    /// A field that may be sent once was sent again, in this or another spelling.
    case duplicateHeader(FieldID)
    /// A framing field with `_` for `-`: some servers read it as the real one.
    case variantSpelling(FieldID)
    case missingHost
    case malformedHost
    /// The target's authority and `Host` differ.
    case hostMismatch
    /// `Expect` with something else than `100-continue`.
    case unknownExpectation
    /// A `Connection` field that isn't a list of tokens or has too many.
    case malformedConnection
    /// `Connection` names a field that frames or routes the message, so that whoever obeys it reads another message.
    case connectionNames(FieldID)

    // MARK: framing (RFC 9112 §6, §7)

    case malformedContentLength
    /// `Transfer-Encoding` without a coding.
    case malformedTransferEncoding
    /// Another transfer coding than `chunked` alone.
    case unknownTransferCoding
    /// Both `Content-Length` and `Transfer-Encoding`.
    case conflictingFraming
    /// `Transfer-Encoding` in an HTTP/1.0 message, or framing fields in an answer that can't have a body.
    case forbiddenFraming(FieldID)
    case malformedChunkSize
    case malformedChunkExtension
    /// Chunk data that isn't followed by CRLF.
    case malformedChunkEnd
    /// Far more framing than data.
    case chunkOverhead
    /// A field that must not come after the body: framing, routing or identity.
    case forbiddenTrailer(FieldID)
    /// The connection was closed before the message was whole.
    case truncated

    // MARK: answers

    /// 101 that nobody asked for.
    case unexpectedUpgrade
    case tooManyInterimAnswers
}

extension WireError {
    /// What a client may be told: one value for each answer that SPEC §1 has for stage `parse`.
    package enum Kind: Sendable, CaseIterable {
        case badRequest, ambiguousPath, duplicateHeader, uriTooLong, headersTooLarge, notImplemented, versionNotSupported
    }

    /// Which answer this is when a request had it.
    package var kind: Kind {
        switch self {
        case .fragmentInTarget: .ambiguousPath
        case .duplicateHeader: .duplicateHeader
        case .uriTooLong: .uriTooLong
        case .headersTooLarge: .headersTooLarge
        case .unknownTransferCoding: .notImplemented
        case .versionNotSupported: .versionNotSupported
        default: .badRequest
        }
    }

    /// A few words for the log. Never echoes anything of the message.
    package var reason: StaticString {
        switch self {
        case .bareLF: "line ends in LF alone"
        case .bareCR: "CR without LF"
        case .controlCharacter: "control character"
        case .emptyLine: "empty line before the start line"
        case .malformedRequestLine: "malformed request line"
        case .malformedStatusLine: "malformed status line"
        case .versionNotSupported: "HTTP version not supported"
        case .uriTooLong: "target too long"
        case .malformedTarget: "malformed target"
        case .fragmentInTarget: "fragment in target"
        case .headersTooLarge: "header section too large"
        case .foldedLine: "folded line"
        case .missingColon: "field without a colon"
        case .malformedFieldName: "malformed field name"
        case .duplicateHeader: "duplicate field"
        case .variantSpelling: "framing field in another spelling"
        case .missingHost: "no Host"
        case .malformedHost: "malformed Host"
        case .hostMismatch: "target and Host differ"
        case .unknownExpectation: "unknown expectation"
        case .malformedConnection: "malformed Connection"
        case .connectionNames: "Connection names a framing field"
        case .malformedContentLength: "malformed Content-Length"
        case .malformedTransferEncoding: "malformed Transfer-Encoding"
        case .unknownTransferCoding: "unknown transfer coding"
        case .conflictingFraming: "Content-Length beside Transfer-Encoding"
        case .forbiddenFraming: "framing field where there is no body"
        case .malformedChunkSize: "malformed chunk size"
        case .malformedChunkExtension: "malformed chunk extension"
        case .malformedChunkEnd: "chunk data without CRLF"
        case .chunkOverhead: "too much chunk framing"
        case .forbiddenTrailer: "forbidden trailer field"
        case .truncated: "connection closed inside a message"
        case .unexpectedUpgrade: "switch of protocols that was not asked for"
        case .tooManyInterimAnswers: "too many interim answers"
        }
    }
}
