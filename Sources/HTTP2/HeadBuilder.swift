import HTTPWire
import NIOCore

/// Makes the HTTP/1.1 head of a decoded header block (RFC 9113 §8.2, §8.3), so that one parser and one set of rules judge both versions.
///
/// It refuses what HTTP/2 forbids and all that could make one field two lines; the rest is the parser's.
struct HeadBuilder {
    private(set) var bytes = ByteBuffer()
    private(set) var fault: HTTP2Fault?
    /// What `content-length` says; −1 where there is none.
    private(set) var declaredLength = -1
    /// Bytes decoded, as RFC 9113 §6.5.2 counts them.
    private(set) var decoded = 0

    private var stage = Stage.trailers
    /// The values of the pseudo-fields, one behind the other.
    private var pseudo = ByteBuffer()
    private var method = 0..<0
    private var path = 0..<0
    private var authority: Range<Int>?
    private var seen: Set4 = []
    /// Crumbs of `cookie`, joined (§8.2.3).
    private var cookie = ByteBuffer()
    private var limit = 0
    private var targetLimit = 0

    private enum Stage { case pseudo, fields, trailers }

    private struct Set4: OptionSet {
        let rawValue: UInt8
        static let method = Set4(rawValue: 1)
        static let scheme = Set4(rawValue: 2)
        static let path = Set4(rawValue: 4)
        static let authority = Set4(rawValue: 8)
    }

    /// Begins a request's head of at most so many bytes.
    mutating func beginRequest(limit: Int, target: Int) {
        begin(.pseudo, limit: limit)
        targetLimit = target
    }

    /// Begins the trailer fields of a body.
    mutating func beginTrailers(limit: Int) {
        begin(.trailers, limit: limit)
        bytes.writeStaticString("0\r\n")
    }

    private mutating func begin(_ stage: Stage, limit: Int) {
        self.stage = stage
        self.limit = limit
        bytes = ByteBufferAllocator().buffer(capacity: 1536)
        pseudo.clear()
        cookie.clear()
        (fault, declaredLength, decoded, authority, seen) = (nil, -1, 0, nil, [])
    }

    /// Adds a decoded field.
    mutating func add(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        decoded += name.count + value.count + 32
        guard fault == nil else { return }
        guard !name.isEmpty, !value.breaksLines else { return fail(.malformed) }
        if name[0] == UInt8(ascii: ":") {
            guard stage == .pseudo else { return fail(.malformed) }
            addPseudo(name, value)
        } else {
            if stage == .pseudo { writeStart() }
            guard fault == nil, name.isFieldName, !value.isPadded else { return fail(.malformed) }
            addField(name, value)
        }
    }

    /// Ends the head; `isEnded`: no body follows.
    mutating func finish(isEnded: Bool) {
        guard fault == nil else { return }
        if stage == .pseudo { writeStart() }
        guard fault == nil else { return }
        if cookie.readableBytes > 0 {
            bytes.writeStaticString("cookie: ")
            bytes.writeBuffer(&cookie)
            bytes.writeStaticString("\r\n")
        }
        if stage == .fields, !isEnded, declaredLength < 0 { bytes.writeStaticString("transfer-encoding: chunked\r\n") }
        bytes.writeStaticString("\r\n")
        if bytes.readableBytes > limit { fail(.headersTooLarge) }
    }

    /// Gives what was made away.
    mutating func take() -> ByteBuffer {
        defer { bytes = ByteBuffer() }
        return bytes
    }

    private mutating func fail(_ fault: HTTP2Fault) {
        if self.fault == nil { self.fault = fault }
    }
}

// MARK: pseudo-fields (§8.3)

extension HeadBuilder {
    private mutating func addPseudo(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        let field: Set4 =
            switch name.count {
            case 7 where name.equals(":method"): .method
            case 5 where name.equals(":path"): .path
            case 10 where name.equals(":authority"): .authority
            case 7 where name.equals(":scheme"): .scheme
            default: []
            }
        guard !field.isEmpty, !seen.contains(field) else { return fail(.malformed) }
        seen.insert(field)
        let start = pseudo.writerIndex
        switch field {
        case .method:
            guard value.isToken(0..<value.count) else { return fail(.malformed) }
            method = start..<start + value.count
        case .path:
            guard value.count <= targetLimit else { return fail(.uriTooLong) }
            guard value.isTarget else { return fail(.malformed) }
            path = start..<start + value.count
        case .authority:
            guard value.count <= targetLimit, !value.isPadded else { return fail(.malformed) }
            authority = start..<start + value.count
        default:
            if !value.equals("https") { fail(.wrongScheme) }
            return
        }
        pseudo.writeBytes(value)
    }

    /// The request line and `Host`, once no pseudo-field can follow.
    private mutating func writeStart() {
        stage = .fields
        guard seen.contains(.method), let method = pseudo.getSlice(at: method.lowerBound, length: method.count) else {
            return fail(.malformed)
        }
        let host = authority.flatMap { pseudo.getSlice(at: $0.lowerBound, length: $0.count) }
        let isConnect = method.readableBytesUInt8Span.equals("CONNECT")
        bytes.writeImmutableBuffer(method)
        bytes.writeStaticString(" ")
        if isConnect {
            // §8.5
            guard seen == [.method, .authority], let host else { return fail(.malformed) }
            bytes.writeImmutableBuffer(host)
        } else {
            guard seen.isSuperset(of: [.method, .scheme, .path]), let target = target(of: method) else { return fail(.malformed) }
            bytes.writeImmutableBuffer(target)
        }
        bytes.writeStaticString(" HTTP/1.1\r\n")
        guard let host else { return }
        bytes.writeStaticString("host: ")
        bytes.writeImmutableBuffer(host)
        bytes.writeStaticString("\r\n")
    }

    /// §8.3.1: the path, or `*` for OPTIONS; HTTP/1.1's other forms don't exist.
    private func target(of method: ByteBuffer) -> ByteBuffer? {
        guard let target = pseudo.getSlice(at: path.lowerBound, length: path.count), let first = target.readableBytesView.first else {
            return nil
        }
        if first == UInt8(ascii: "/") { return target }
        let isOptions = method.readableBytesUInt8Span.equals("OPTIONS")
        return isOptions && target.readableBytes == 1 && first == UInt8(ascii: "*") ? target : nil
    }
}

// MARK: fields (§8.2)

extension HeadBuilder {
    private mutating func addField(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        if name.isConnectionSpecific(value) { return fail(.malformed) }
        if stage == .fields {
            if name.equals("host"), let authority {
                let agrees = pseudo.readableBytesUInt8Span.extracting(authority).equalsIgnoringCase(value)
                return agrees ? () : fail(.malformed)
            }
            if name.equals("cookie") { return addCookie(value) }
            if name.equals("content-length"), declaredLength < 0 { declaredLength = value.number ?? 0 }
        }
        let size = name.count + value.count + 4
        guard bytes.readableBytes + size <= limit else { return fail(.headersTooLarge) }
        bytes.writeBytes(name)
        bytes.writeStaticString(": ")
        bytes.writeBytes(value)
        bytes.writeStaticString("\r\n")
    }

    private mutating func addCookie(_ crumb: Span<UInt8>) {
        guard bytes.readableBytes + cookie.readableBytes + crumb.count + 12 <= limit else { return fail(.headersTooLarge) }
        if cookie.readableBytes > 0 { cookie.writeStaticString("; ") }
        cookie.writeBytes(crumb)
    }
}
