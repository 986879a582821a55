package import NIOCore

/// Reads answers' heads in place, interim ones included, with the same strictness as `RequestParser` has for requests.
///
/// A value for one connection on its loop. HTTP/1.0 answers are taken, but end their connection.
package struct ResponseParser: Sendable {
    private let limits: WireLimits
    private var cursor = LineCursor()
    private var isAfterStatusLine = false
    private var version = HTTPVersion.http11
    private var interimAnswers = 0
    private var failure: WireError?

    package init(limits: WireLimits) {
        self.limits = limits
    }

    /// Whether a part of a head has been seen.
    package var isInsideHead: Bool { cursor != LineCursor() }

    /// Goes on reading at `input`'s reader index. `head` must be the same from the first call for a message to the last.
    ///
    /// `method` is that of the request which is answered: an answer to HEAD has no body. A 101 is refused unless `upgradeRequested`.
    package mutating func parse(
        _ input: inout ByteBuffer, into head: inout ResponseHead, answering method: RequestMethod, upgradeRequested: Bool = false
    ) -> ParseStep {
        if let failure { return .failed(failure) }
        do throws(WireError) {
            guard try advance(input.readableBytesUInt8Span, &head) else { return .needMore }
            try head.finish(input.readableBytesUInt8Span, answering: method, version: version)
            if head.status == 101, !upgradeRequested { throw .unexpectedUpgrade }
            interimAnswers = head.isInterim ? interimAnswers + 1 : 0
            if interimAnswers > WireLimits.interimAnswers { throw .tooManyInterimAnswers }
        } catch {
            failure = error
            return .failed(error)
        }
        // `advance` saw that many readable bytes.
        head.message.bytes = input.readSlice(length: cursor.lineStart) ?? ByteBuffer()
        cursor = LineCursor()
        isAfterStatusLine = false
        return .complete
    }

    /// Reads the lines that are there; true when the empty line that ends the head was among them.
    private mutating func advance(_ bytes: Span<UInt8>, _ head: inout ResponseHead) throws(WireError) -> Bool {
        while let line = try cursor.next(in: bytes, limit: limits.head, excess: .headersTooLarge) {
            if !isAfterStatusLine {
                head.clear()
                version = try head.readStatusLine(line, bytes)
                isAfterStatusLine = true
            } else if line.isEmpty {
                return true
            } else {
                try head.message.append(line, of: bytes, limit: limits.fieldCount)
            }
        }
        return false
    }
}
