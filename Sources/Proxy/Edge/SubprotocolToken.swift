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
    /// Throws `.badRequest` where the page's origin is not among the route's (`isAllowed`), `.ambiguousCredential` where there is more than one token,
    /// here or in `Authorization`, and `.unauthenticated` where there is none, or no WebSocket is asked for.
    static func find(in head: borrowing RequestHead, isAllowed: Bool) throws(Denial) -> Range<Int> {
        guard head.asksForWebSocket else { throw .unauthenticated }
        guard isAllowed else { throw .badRequest }
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

    /// Whether anything in a `Sec-WebSocket-Protocol` field of any spelling looks like a token, for routes that take theirs elsewhere: an
    /// element with `bearer.` in it, as browsers' clients write it (Kubernetes' `base64url.bearer.authorization.k8s.io.…` among them), or a
    /// bare JWT.
    static func isAny(in head: borrowing RequestHead) -> Bool {
        let bytes = head.bytes.readableBytesUInt8Span
        for name in names(head, inAnySpelling: true) {
            for start in name where start + prefix.utf8CodeUnitCount <= name.upperBound {
                if bytes.equalsIgnoringCase(start..<start + prefix.utf8CodeUnitCount, prefix) { return true }
            }
            // `{"` in base64url, and the dots between its parts.
            if name.count > 3, bytes.equalsIgnoringCase(name.lowerBound..<name.lowerBound + 3, "eyj"),
                name.count(where: { bytes[$0] == UInt8(ascii: ".") }) >= 2
            {
                return true
            }
        }
        return false
    }

    /// The elements of all `Sec-WebSocket-Protocol` fields (RFC 9110 §5.6.1), by default of those in their true spelling.
    private static func names(_ head: borrowing RequestHead, inAnySpelling: Bool = false) -> [Range<Int>] {
        let bytes = head.bytes.readableBytesUInt8Span
        var names: [Range<Int>] = []
        for field in head.fields where field.id == .secWebSocketProtocol && (inAnySpelling || !field.isVariantSpelling) {
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
