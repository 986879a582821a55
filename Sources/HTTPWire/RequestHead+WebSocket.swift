/// The client's side of a WebSocket's opening (RFC 6455 §4.1), as far as a proxy is answerable for it.
extension RequestHead {
    /// The request asks to speak WebSocket on this connection: `Upgrade: websocket`, named by `Connection`.
    ///
    /// Any other protocol is no upgrade to this gateway: the field is dropped with the hop and the request is like any other.
    package var asksForWebSocket: Bool {
        guard requestsUpgrade, let field = message.first(.upgrade) else { return false }
        return message.bytes.readableBytesUInt8Span.equalsIgnoringCase(field.value, "websocket")
    }

    /// The value of `Sec-WebSocket-Key`, if the opening is well-formed: GET without a body, and a nonce of 16 bytes in base64.
    ///
    /// The version is the server's to judge: it answers 426 with those that it speaks (§4.4).
    package var webSocketKey: Range<Int>? {
        guard method == .get, framing == .none, let field = message.first(.secWebSocketKey), !field.isVariantSpelling else { return nil }
        let value = field.value
        guard value.count == 24 else { return nil }
        let bytes = message.bytes.readableBytesUInt8Span
        for index in value.lowerBound..<value.lowerBound + 22 where !bytes[index].isBase64 { return nil }
        guard bytes[value.upperBound - 2] == UInt8(ascii: "="), bytes[value.upperBound - 1] == UInt8(ascii: "=") else { return nil }
        return value
    }
}

extension ResponseHead {
    /// Whether the answer opens the WebSocket that was asked for (RFC 6455 §4.2.2): 101, both fields of the upgrade, and `accept`.
    package func opensWebSocket(accept: [UInt8]) -> Bool {
        let bytes = message.bytes.readableBytesUInt8Span
        guard status == 101, message.connection.named.contains(.upgrade), let upgrade = message.first(.upgrade),
            bytes.equalsIgnoringCase(upgrade.value, "websocket"), let field = message.first(.secWebSocketAccept),
            !field.isVariantSpelling
        else { return false }
        return field.value.count == accept.count && field.value.indices.allSatisfy { bytes[$0] == accept[$0 - field.value.lowerBound] }
    }
}

extension UInt8 {
    /// Of the alphabet of RFC 4648 §4.
    fileprivate var isBase64: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
