import HTTPWire
import NIOCore

// How an answer is written to an HTTP/1.1 connection: one head, then the body by length or in chunks.
extension Exchange {
    /// How far the message has come.
    struct Message {
        var isChunked = false
        /// The client's connection closes after it.
        var isLast = false
        /// What waits to be encrypted together: the head and the first bytes of the body.
        var pending = ByteBuffer()
    }

    /// Bytes up to which pieces are joined, so that a small answer is one TLS record and small chunks are one write.
    static let joinBound = 8 * 1024

    /// Bytes of a body that will be joined to its head.
    private static func joinBound(_ framing: BodyFraming) -> Int {
        if case .length(let length) = framing, length <= joinBound { length } else { 0 }
    }

    func beginMessage(_ head: borrowing ResponseHead) {
        message.isLast = request.isLast || !request.isComplete || worker.isDraining
        if case .length = head.framing {} else { message.isChunked = !answer.isBodiless }
        message.pending = ResponseRewriter.answer(
            head, message, id: record.id, cors: admission.cors, room: Self.joinBound(head.framing))
    }

    func addToMessage(_ piece: ByteBuffer, _ client: ClientConnection) {
        var pending = takePending()
        if message.isChunked { ChunkEncoder.writeSize(piece.readableBytes, into: &pending) }
        if pending.readableBytes + piece.readableBytes <= Self.joinBound {
            pending.writeImmutableBuffer(piece)
        } else {
            if pending.readableBytes > 0 { client.write(pending) }
            pending = ByteBuffer()
            client.write(piece)
        }
        if message.isChunked { ChunkEncoder.writeEnd(into: &pending) }
        message.pending = pending
    }

    func flushMessage(_ client: ClientConnection) {
        writePending(client)
        client.flushAnswer()
    }

    func endMessage(trailers: MessageHead?, _ client: ClientConnection) {
        if message.isChunked {
            var pending = takePending()
            writeLast(trailers, into: &pending)
            message.pending = pending
        }
        flushMessage(client)
    }

    private func writePending(_ client: ClientConnection) {
        guard message.pending.readableBytes > 0 else { return }
        client.write(takePending())
    }

    /// What waits to be encrypted, which nothing does then.
    private func takePending() -> ByteBuffer {
        var taken = ByteBuffer()
        swap(&taken, &message.pending)
        return taken
    }
}
