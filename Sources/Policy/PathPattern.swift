/// A pattern of paths: `/v1/users/{user}/suspend`, `/v1/**`. Written in the canonical form of `RequestPath`, without a trailing slash.
package struct PathPattern: Hashable, Sendable {
    /// The pattern as written: the label of logs and metrics.
    package let text: String
    package let segments: [Segment]

    package enum Segment: Hashable, Sendable {
        case literal([UInt8])
        /// One segment of any non-empty value.
        case parameter(name: String)
        /// The rest of the path, nothing included: `/v1/**` matches `/v1` too. Last segment only.
        case rest
    }

    /// Reads a pattern of the file.
    ///
    /// `{name}` is a whole segment, `**` the last one; everything else is literal and must be spelled as requests are after
    /// normalisation, since that is what it is compared with.
    package init(_ text: String) throws(PatternError) {
        var parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Array($0) }
        guard parts.count > 1, parts.removeFirst().isEmpty else { throw .notAbsolute }
        if parts == [[]] { parts = [] }
        guard parts.last != [] else { throw .trailingSlash }
        guard parts.count <= Limits.patternSegments else { throw .tooManySegments }

        var segments: [Segment] = []
        for part in parts {
            guard segments.last != .rest else { throw .restNotLast }
            let segment = try Segment(part)
            if case .parameter(let name) = segment, segments.contains(segment) { throw .duplicateParameter(name) }
            segments.append(segment)
        }
        self.text = text
        self.segments = segments
    }

    /// The place of the parameter of this name among the segments.
    package func segment(named name: String) -> Int? {
        segments.firstIndex(of: .parameter(name: name))
    }
}

/// Why a pattern can't be read; `description` is the sentence for the operator, with its remedy.
package enum PatternError: Error, Equatable, Sendable, CustomStringConvertible {
    case notAbsolute
    case trailingSlash
    case emptySegment
    case tooManySegments
    case restNotLast
    case badParameter(String)
    case duplicateParameter(String)
    case wildcardInSegment(String)
    /// No request could ever match this segment, or it has a canonical spelling that does.
    case notCanonical(String, canonical: String?)

    package var description: String {
        switch self {
        case .notAbsolute: "a path starts with '/'"
        case .trailingSlash: "leave the trailing '/' out: '/a' matches '/a/' too"
        case .emptySegment: "remove the empty segment ('//')"
        case .tooManySegments: "a path has at most \(Limits.patternSegments) segments"
        case .restNotLast: "'**' stands for the rest of a path and can only be its last segment"
        case .badParameter(let text): "'\(text)': a parameter is a whole segment, '{name}', of letters, digits, '_' and '-'"
        case .duplicateParameter(let name): "the parameter '{\(name)}' is used twice"
        case .wildcardInSegment(let text): "'\(text)': write '{name}' for one segment, '**' for the rest"
        case .notCanonical(let text, let canonical?): "'\(text)' never matches, since paths are normalised first: write '\(canonical)'"
        case .notCanonical(let text, nil): "'\(text)' never matches: such paths are refused as ambiguous"
        }
    }
}

extension PathPattern.Segment {
    fileprivate init(_ bytes: [UInt8]) throws(PatternError) {
        let text = String(decoding: bytes, as: UTF8.self)
        if bytes.isEmpty { throw .emptySegment }
        if text == "**" {
            self = .rest
        } else if bytes.contains(UInt8(ascii: "{")) || bytes.contains(UInt8(ascii: "}")) {
            self = .parameter(name: try Self.parameterName(bytes, text))
        } else if bytes.contains(UInt8(ascii: "*")) {
            throw .wildcardInSegment(text)
        } else {
            try Self.checkCanonical(bytes, text)
            self = .literal(bytes)
        }
    }

    private static func parameterName(_ bytes: [UInt8], _ text: String) throws(PatternError) -> String {
        guard bytes.count > 2, bytes.first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") else { throw .badParameter(text) }
        let name = bytes[1..<(bytes.count - 1)]
        for byte in name where !isUnreserved(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "~") { throw .badParameter(text) }
        return String(decoding: name, as: UTF8.self)
    }

    private static func checkCanonical(_ bytes: [UInt8], _ text: String) throws(PatternError) {
        let path = [UInt8(ascii: "/")] + bytes
        let form: RequestPath.Form
        do { form = try RequestPath.canonical(path.span) } catch { throw .notCanonical(text, canonical: nil) }
        if case .rewritten(let canonical) = form {
            throw .notCanonical(text, canonical: String(decoding: canonical.dropFirst(), as: UTF8.self))
        }
    }
}
