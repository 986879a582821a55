/// What the fields together mean, once they are all there.
extension RequestHead {
    mutating func finish(_ bytes: Span<UInt8>) throws(WireError) {
        try readHost(bytes)
        framing = try message.declaredFraming(bytes) ?? .none
        try message.readConnection(bytes)
        try readExpectation(bytes)
        // A CONNECT that isn't obeyed leaves open what its bytes after the head are: nothing can follow it.
        keepAlive = !message.connection.close && method != .connect
        requestsUpgrade = message.present.contains(.upgrade) && message.connection.named.contains(.upgrade)
    }

    /// Exactly one `Host`, and the same as an absolute target's (RFC 9112 §3.2.2 lets the target win; refusing is safer).
    private mutating func readHost(_ bytes: Span<UInt8>) throws(WireError) {
        guard let field = message.first(.host) else { throw .missingHost }
        let named = try Authority(bytes, field.value, fault: .malformedHost)
        switch targetForm {
        case .origin, .asterisk: authority = named
        case .absolute:
            guard bytes.equalsIgnoringCase(authority.range, named.range) else { throw .hostMismatch }
        case .authority: break
        }
    }

    private mutating func readExpectation(_ bytes: Span<UInt8>) throws(WireError) {
        guard let field = message.first(.expect) else { return }
        guard bytes.equalsIgnoringCase(field.value, "100-continue") else { throw .unknownExpectation }
        expectsContinue = framing.hasBody
    }
}
