package import NIOCore

/// Writes the chunked transfer coding (RFC 9112 §7.1): `writeSize`, the data, `writeEnd` for each chunk, `writeLast` once.
package enum ChunkEncoder {
    /// The size line of a chunk. `size` is above 0: a chunk of size 0 would end the body.
    package static func writeSize(_ size: Int, into buffer: inout ByteBuffer) {
        precondition(size > 0, "an empty chunk ends the body")
        buffer.writeHex(size)
        buffer.writeStaticString("\r\n")
    }

    /// What follows a chunk's data.
    package static func writeEnd(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("\r\n")
    }

    /// The last chunk and an empty trailer section.
    package static func writeLast(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("0\r\n\r\n")
    }

    /// The last chunk and the trailer fields that `keep` picks, copied as they were received.
    package static func writeLast(trailers: MessageHead, keeping keep: (Field) -> Bool, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("0\r\n")
        buffer.writeLines(of: trailers, keeping: keep)
        buffer.writeStaticString("\r\n")
    }
}
