package import NIOCore

/// Reads request heads in place, one after the other on a connection (RFC 9112 §3, §5), and refuses all that two readers could
/// understand differently.
///
/// A value for one connection on its loop. It looks at every byte once, wherever reads cut the head, and its outcome doesn't depend on
/// where they did.
package struct RequestParser: Sendable {
    /// What the head may have; a change counts from the next line on.
    package var limits: WireLimits
    private var cursor = LineCursor()
    private var stage = Stage.beforeStartLine
    private var failure: WireError?

    private enum Stage { case beforeStartLine, startLine, fields }

    package init(limits: WireLimits) {
        self.limits = limits
    }

    /// Whether a part of a head has been seen: a closing connection is then a truncated request, not an idle one.
    package var isInsideHead: Bool { stage == .fields || cursor != LineCursor() }

    /// Whether the request line has been read: the head's method is this message's.
    package var hasRequestLine: Bool { stage == .fields }

    /// Goes on reading at `input`'s reader index. `head` must be the same from the first call for a message to the last.
    package mutating func parse(_ input: inout ByteBuffer, into head: inout RequestHead) -> ParseStep {
        if let failure { return .failed(failure) }
        do throws(WireError) {
            guard try advance(&input, &head) else { return .needMore }
        } catch {
            failure = error
            return .failed(error)
        }
        // `advance` saw that many readable bytes.
        head.message.bytes = input.readSlice(length: cursor.lineStart) ?? ByteBuffer()
        cursor = LineCursor()
        stage = .beforeStartLine
        return .complete
    }

    /// Reads the lines that are there; true when the empty line that ends the head was among them.
    private mutating func advance(_ input: inout ByteBuffer, _ head: inout RequestHead) throws(WireError) -> Bool {
        if stage != .fields {
            guard let line = try startLine(&input) else { return false }
            head.clear()
            try head.readRequestLine(line, input.readableBytesUInt8Span, limits: limits)
            stage = .fields
        }
        let bytes = input.readableBytesUInt8Span
        while let line = try cursor.next(in: bytes, limit: limits.head, excess: .headersTooLarge) {
            if line.isEmpty {
                try head.finish(bytes)
                return true
            }
            try head.message.append(line, of: bytes, limit: limits.fieldCount)
        }
        return false
    }

    /// The request line. One empty line before it is skipped (RFC 9112 §2.2: old clients send one after a body).
    private mutating func startLine(_ input: inout ByteBuffer) throws(WireError) -> Range<Int>? {
        let limit = min(limits.target + WireLimits.startLineSlack, limits.head)
        guard let line = try cursor.next(in: input.readableBytesUInt8Span, limit: limit, excess: .uriTooLong) else { return nil }
        guard line.isEmpty else { return line }
        guard stage == .beforeStartLine else { throw .emptyLine }
        stage = .startLine
        input.moveReaderIndex(forwardBy: cursor.lineStart)
        cursor = LineCursor()
        return try startLine(&input)
    }
}
