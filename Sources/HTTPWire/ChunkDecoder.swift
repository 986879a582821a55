import NIOCore

/// The chunked transfer coding (RFC 9112 §7.1): size lines, data, trailers.
///
/// Extensions are checked and dropped: nobody uses them but smugglers. Lines end in CRLF only, in extensions and trailers too.
struct ChunkDecoder: Sendable {
    private enum Stage { case sizeLine, data(Int), dataEnd, trailers }

    private let limits: WireLimits
    private var stage = Stage.sizeLine
    private var cursor = LineCursor()
    private var trailers: MessageHead?
    /// By how many bytes size lines have outweighed data, so that a body of one-byte chunks with long extensions doesn't cost many
    /// times what is counted of it. Small chunks in plain framing never add to it.
    private var overhead = 0

    init(limits: WireLimits) {
        self.limits = limits
    }

    mutating func next(_ input: inout ByteBuffer) throws(WireError) -> BodyPiece {
        while true {
            switch stage {
            case .sizeLine:
                guard let size = try readSizeLine(input.readableBytesUInt8Span) else { return .needMore }
                takeLines(from: &input)
                stage = size == 0 ? .trailers : .data(size)
            case .data(let remaining):
                guard let piece = input.readPiece(atMost: remaining) else { return .needMore }
                let rest = remaining - piece.readableBytes
                stage = rest == 0 ? .dataEnd : .data(rest)
                return .data(piece)
            case .dataEnd:
                guard try isAtDataEnd(input.readableBytesUInt8Span) else { return .needMore }
                input.moveReaderIndex(forwardBy: 2)
                stage = .sizeLine
            case .trailers:
                guard try readTrailers(input.readableBytesUInt8Span) else { return .needMore }
                let section = takeLines(from: &input)
                trailers?.bytes = section
                return .end(trailers: trailers)
            }
        }
    }

    /// The size, once its line is all there.
    private mutating func readSizeLine(_ bytes: Span<UInt8>) throws(WireError) -> Int? {
        let limit = limits.chunkLine + 2
        guard let line = try cursor.next(in: bytes, limit: limit, excess: .malformedChunkExtension) else { return nil }
        let size = try bytes.chunkSize(line)
        overhead = max(0, overhead + line.count - WireLimits.chunkSizeDigits - 2 * min(size, WireLimits.chunkOverhead))
        guard overhead <= WireLimits.chunkOverhead else { throw .chunkOverhead }
        return size
    }

    /// Whether the CRLF after the data is all there.
    private func isAtDataEnd(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        guard bytes.count >= 1 else { return false }
        guard bytes[0] == .cr else { throw .malformedChunkEnd }
        guard bytes.count >= 2 else { return false }
        guard bytes[1] == .lf else { throw .malformedChunkEnd }
        return true
    }

    /// Reads the trailer lines that are there; true when the empty line that ends them was among them.
    private mutating func readTrailers(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        while let line = try cursor.next(in: bytes, limit: limits.trailers, excess: .headersTooLarge) {
            if line.isEmpty { return true }
            if trailers == nil { trailers = MessageHead() }
            try trailers?.appendTrailer(line, of: bytes, limit: limits.fieldCount)
        }
        return false
    }

    /// Consumes the lines that the cursor has found.
    @discardableResult
    private mutating func takeLines(from input: inout ByteBuffer) -> ByteBuffer {
        let length = cursor.lineStart
        cursor = LineCursor()
        // The cursor saw that many readable bytes.
        return input.readSlice(length: length) ?? ByteBuffer()
    }
}

extension MessageHead {
    fileprivate mutating func appendTrailer(_ line: Range<Int>, of bytes: Span<UInt8>, limit: Int) throws(WireError) {
        try append(line, of: bytes, limit: limit)
        guard let id = fields.last?.id, FieldSet.forbiddenInTrailers.contains(id) else { return }
        throw .forbiddenTrailer(id)
    }
}
