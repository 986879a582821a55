package import NIOCore

/// What came of giving bytes to a `BodyDecoder`.
package enum BodyPiece: Sendable {
    /// Everything given was consumed, or the rest is an unfinished line: call again with it and more behind it.
    case needMore
    /// Body bytes, a slice of the input (nothing is copied), never empty. There may be more: call again.
    case data(ByteBuffer)
    /// The body is whole; what is left in the input belongs to the next message. With the trailer fields, if there were any.
    case end(trailers: MessageHead?)
}

/// Takes one body out of a connection's bytes (RFC 9112 §6, §7), for requests and answers alike.
///
/// A value for one message. How the bytes were cut into reads changes how the data is cut, never what it is.
package struct BodyDecoder: Sendable {
    private enum State {
        case length(Int)
        case chunked
        case untilClose
        case ended
        case failed(WireError)
    }

    private var state: State
    private var chunks: ChunkDecoder

    package init(_ framing: BodyFraming, limits: WireLimits) {
        chunks = ChunkDecoder(limits: limits)
        switch framing {
        case .none: state = .length(0)
        case .length(let count): state = .length(count)
        case .chunked: state = .chunked
        case .untilClose: state = .untilClose
        }
    }

    /// Whether `.end` was given.
    package var hasEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// The next piece at `input`'s reader index. After `.end`, always `.end` again, and nothing is consumed; after an error, always
    /// the same error.
    package mutating func next(_ input: inout ByteBuffer) throws(WireError) -> BodyPiece {
        switch state {
        case .ended: return .end(trailers: nil)
        case .failed(let error): throw error
        case .untilClose: return input.readPiece(atMost: .max).map(BodyPiece.data) ?? .needMore
        case .length(0):
            state = .ended
            return .end(trailers: nil)
        case .length(let remaining):
            guard let piece = input.readPiece(atMost: remaining) else { return .needMore }
            state = .length(remaining - piece.readableBytes)
            return .data(piece)
        case .chunked: return try nextOfChunks(&input)
        }
    }

    /// The peer has closed its side. Returns if the body is whole with that, throws `.truncated` if not.
    package mutating func inputClosed() throws(WireError) {
        switch state {
        case .ended: return
        case .untilClose, .length(0): state = .ended
        case .failed(let error): throw error
        case .length, .chunked:
            state = .failed(.truncated)
            throw .truncated
        }
    }

    private mutating func nextOfChunks(_ input: inout ByteBuffer) throws(WireError) -> BodyPiece {
        do throws(WireError) {
            let piece = try chunks.next(&input)
            if case .end = piece { state = .ended }
            return piece
        } catch {
            state = .failed(error)
            throw error
        }
    }
}

extension ByteBuffer {
    /// What is readable, at most `count` bytes of it, as a slice; nil if that is nothing.
    mutating func readPiece(atMost count: Int) -> ByteBuffer? {
        readableBytes == 0 ? nil : readSlice(length: min(count, readableBytes))
    }
}
