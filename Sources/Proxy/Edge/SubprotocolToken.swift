import HTTPWire
import Policy

/// The token of a browser's WebSocket, which can send no `Authorization`: `Sec-WebSocket-Protocol: bearer.TOKEN, chat.v1`.
///
/// A JWT's characters are all of a token's (RFC 9110 §5.6.2), so that it can stand there as it is. The other names are the subprotocols
/// that the page offers to the service.
enum SubprotocolToken {
    private static let prefix: StaticString = "bearer."

    /// Where the token stands in the head.
    ///
    /// Throws `.badRequest` where the page's origin is not among the route's, `.ambiguousCredential` where there is more than one token,
    /// here or in `Authorization`, and `.unauthenticated` where there is none, or no WebSocket is asked for.
    static func find(in head: borrowing RequestHead, _ cors: CORSAnswers?) throws(Denial) -> Range<Int> {
        guard head.asksForWebSocket else { throw .unauthenticated }
        guard let cors, cors.allows(head) else { throw .badRequest }
        guard !head.present.contains(.authorization) else { throw .ambiguousCredential }
        var found: Range<Int>?
        for name in names(head) where isToken(head, name) {
            guard found == nil else { throw .ambiguousCredential }
            found = name
        }
        guard let found else { throw .unauthenticated }
        return found.lowerBound + prefix.utf8CodeUnitCount..<found.upperBound
    }

    /// The names without any token, as they go upstream; empty for none.
    static func others(in head: borrowing RequestHead) -> [UInt8] {
        let bytes = head.bytes.readableBytesUInt8Span
        var list: [UInt8] = []
        for name in names(head) where !isToken(head, name) {
            if !list.isEmpty { list += Array(", ".utf8) }
            list += Array(bytes.extracting(name))
        }
        return list
    }

    /// The elements of all `Sec-WebSocket-Protocol` fields in their true spelling (RFC 9110 §5.6.1).
    private static func names(_ head: borrowing RequestHead) -> [Range<Int>] {
        let bytes = head.bytes.readableBytesUInt8Span
        var names: [Range<Int>] = []
        for field in head.fields where field.id == .secWebSocketProtocol && !field.isVariantSpelling {
            var start = field.value.lowerBound
            for index in field.value.lowerBound...field.value.upperBound {
                guard index == field.value.upperBound || bytes[index] == UInt8(ascii: ",") else { continue }
                let name = bytes.trimmed(start..<index)
                if !name.isEmpty { names.append(name) }
                start = index + 1
            }
        }
        return names
    }

    /// Whatever the case of its letters: no token may slip through to the service as a name.
    private static func isToken(_ head: borrowing RequestHead, _ name: Range<Int>) -> Bool {
        let length = prefix.utf8CodeUnitCount
        guard name.count >= length else { return false }
        return head.bytes.readableBytesUInt8Span.equalsIgnoringCase(name.lowerBound..<name.lowerBound + length, prefix)
    }
}
