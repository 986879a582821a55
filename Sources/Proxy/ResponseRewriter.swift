import HTTPWire
import NIOCore

/// Makes the head that goes to the client: the upstream's lines as they came, less what is hop by hop or the gateway's own to say.
struct ResponseRewriter {
    let head: ResponseHead
    let exchange: Exchange

    /// Bytes that the added lines take: so much is reserved.
    private static let added = 128

    /// The upstream's own answer, ready to be followed by its body; `reserving` so many bytes of it.
    func rewritten(reserving body: Int) -> ByteBuffer {
        var out = begun(reserving: body, without: Self.always)
        if exchange.answer.isChunked { out.writeField("Transfer-Encoding", "chunked") }
        if exchange.answer.isLast { out.writeField("Connection", "close") }
        writeID(into: &out)
        out.writeStaticString("\r\n")
        return out
    }

    /// An interim answer: nothing of ours.
    func interim() -> ByteBuffer {
        var out = begun(reserving: 0, without: Self.always)
        out.writeStaticString("\r\n")
        return out
    }

    /// Status line and fields without the end: the length and what the gateway says are added when the outcome is known.
    func held() -> ByteBuffer {
        var out = begun(reserving: 0, without: Self.always.union(FieldSet([.contentLength])))
        writeID(into: &out)
        return out
    }

    private func begun(reserving body: Int, without dropped: FieldSet) -> ByteBuffer {
        var out = ByteBufferAllocator().buffer(capacity: head.bytes.readableBytes + Self.added + body)
        let bytes = head.bytes.readableBytesUInt8Span
        out.writeStaticString("HTTP/1.1 ")
        out.writeDecimal(Int(head.status))
        out.writeStaticString(" ")
        out.writeBytes(bytes.extracting(head.reasonRange))
        out.writeStaticString("\r\n")
        out.writeLines(of: head.message) { field in
            !field.isHopByHop && (field.id == .other || !(dropped.contains(field.id) || (field.id == .proxyStatus && claimsToBeUs(field))))
        }
        return out
    }

    private func writeID(into out: inout ByteBuffer) {
        out.writeStaticString("X-Request-ID: ")
        out.writeRequestID(exchange.record.id)
        out.writeStaticString("\r\n")
    }

    /// Whether a `Proxy-Status` from upstream names this gateway: nobody else may speak in its name.
    private func claimsToBeUs(_ field: Field) -> Bool {
        head.withBytes(field.value) { String(decoding: Array($0), as: UTF8.self) }.lowercased().contains("tenantgate")
    }

    /// What only the gateway says, and what belongs to the upstream's connection.
    private static let always = FieldSet([.transferEncoding, .xRequestID, .suspensionReach, .connection, .keepAlive, .altSvc])
}

extension Array where Element == UInt8 {
    /// The bytes of a span.
    init(_ span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
