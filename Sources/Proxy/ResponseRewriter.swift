import HTTPWire
import NIOCore

/// Makes the head that goes to the client: the upstream's lines as they came, less what is hop by hop or the gateway's own to say.
enum ResponseRewriter {
    /// Bytes that the added lines take besides the request's id.
    private static let fixedSize = 128

    /// The upstream's own answer, ready to be followed by its body; with room for so many bytes of it.
    static func answer(_ head: borrowing ResponseHead, _ state: Exchange.Message, id: RequestID, cors: CORSFields, room: Int)
        -> ByteBuffer
    {
        compose(head, room: id.count + cors.size + room) { head, line in
            // RFC 9110 §8.6: no Content-Length in a 204.
            put(head, without: head.status == 204 ? dropped(cors).union(FieldSet([.contentLength])) : dropped(cors), into: &line)
            if state.isChunked { line.put("Transfer-Encoding: chunked\r\n") }
            if state.isLast { line.put("Connection: close\r\n") }
            put(id, into: &line)
            cors.put(into: &line)
            line.put("\r\n")
        }
    }

    /// The head of an answer that opens a WebSocket.
    static func upgraded(_ head: borrowing ResponseHead, id: RequestID) -> ByteBuffer {
        compose(head, room: id.count) { head, line in
            put(head, without: always.union(FieldSet([.contentLength])), into: &line)
            line.put("Connection: Upgrade\r\nUpgrade: websocket\r\n")
            put(id, into: &line)
            line.put("\r\n")
        }
    }

    /// An interim answer: nothing of ours.
    static func interim(_ head: borrowing ResponseHead) -> ByteBuffer {
        compose(head, room: 0) { head, line in
            put(head, without: always.union(FieldSet([.contentLength])), into: &line)
            line.put("\r\n")
        }
    }

    /// Status line and fields without the end: the length and what the gateway says are added when the outcome is known.
    static func held(_ head: borrowing ResponseHead, id: RequestID, cors: CORSFields) -> ByteBuffer {
        compose(head, room: id.count + cors.size) { head, line in
            put(head, without: dropped(cors).union(FieldSet([.contentLength])), into: &line)
            put(id, into: &line)
            cors.put(into: &line)
        }
    }

    private static func compose(
        _ head: borrowing ResponseHead, room: Int, _ body: (borrowing ResponseHead, inout Composer) -> Void
    ) -> ByteBuffer {
        let bound = head.message.bytes.readableBytes + fixedSize + room
        var out = ByteBufferAllocator().buffer(capacity: bound)
        out.compose(atMost: bound) { line in body(head, &line) }
        return out
    }

    /// Status line and the fields that pass.
    private static func put(_ head: borrowing ResponseHead, without dropped: FieldSet, into line: inout Composer) {
        line.put("HTTP/1.1 ")
        line.put(decimal: Int(head.status))
        line.put(byte: UInt8(ascii: " "))
        line.put(head.message.bytes.readableBytesUInt8Span.extracting(head.reasonRange))
        line.put("\r\n")
        let dropped = self.dropped(head, dropped)
        line.put(linesOf: head.message) { field in !field.isHopByHop && (field.id == .other || !dropped.contains(field.id)) }
    }

    private static func dropped(_ head: borrowing ResponseHead, _ dropped: FieldSet) -> FieldSet {
        var dropped = dropped
        if head.message.present.contains(.proxyStatus), claimsToBeUs(head.message) { dropped.insert(.proxyStatus) }
        return dropped
    }

    /// Which of an answer's fields go to an HTTP/2 client.
    static func passes(_ head: borrowing ResponseHead) -> PassingFields {
        let hasNoLength = head.status < 200 || head.status == 204
        return PassingFields(dropped: dropped(head, hasNoLength ? always.union(FieldSet([.contentLength])) : always))
    }

    /// The fields that pass.
    struct PassingFields {
        fileprivate let dropped: FieldSet

        func picks(_ field: Field) -> Bool { !field.isHopByHop && (field.id == .other || !dropped.contains(field.id)) }
    }

    private static func put(_ id: RequestID, into line: inout Composer) {
        line.put("X-Request-ID: ")
        line.put(id)
        line.put("\r\n")
    }

    /// Whether a `Proxy-Status` from upstream names this gateway: nobody else may speak in its name.
    private static func claimsToBeUs(_ head: borrowing MessageHead) -> Bool {
        for field in head.fields where field.id == .proxyStatus {
            let text = head.withBytes(field.value) { String(decoding: Array($0), as: UTF8.self) }
            if text.lowercased().contains("tenantgate") { return true }
        }
        return false
    }

    /// On a route with CORS the gateway has the one word on it.
    private static func dropped(_ cors: CORSFields) -> FieldSet {
        cors.isAbsent ? always : always.union(FieldSet([.accessControl]))
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
