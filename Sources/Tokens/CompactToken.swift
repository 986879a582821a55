import StrictJSON

/// A JWS in compact form (RFC 7515 §7.1), taken apart and decoded; nothing of it is believed yet.
struct CompactToken {
    let header: JSONDocument
    let payload: JSONDocument
    let signature: [UInt8]
    /// Bytes of the token that are signed: header, dot, payload.
    let signedCount: Int

    /// The token is at most as long as the authority allows: checked before.
    init(_ token: Span<UInt8>) throws(TokenFault) {
        let dots = try Self.dots(token)
        guard let header = Base64URL.decode(token.extracting(0..<dots.first)), !header.isEmpty,
            let payload = Base64URL.decode(token.extracting(dots.first + 1..<dots.second)), !payload.isEmpty,
            let signature = Base64URL.decode(token.extracting(dots.second + 1..<token.count)), !signature.isEmpty
        else { throw .form }
        self.header = try Self.object(header, otherwise: .header)
        self.payload = try Self.object(payload, otherwise: .payload)
        self.signature = signature
        signedCount = dots.second
    }

    /// Exactly two. Five parts are a JWE (RFC 7516 §7.1).
    private static func dots(_ token: Span<UInt8>) throws(TokenFault) -> (first: Int, second: Int) {
        var first: Int?
        var second: Int?
        for index in token.indices where token[index] == UInt8(ascii: ".") {
            if first == nil { first = index } else if second == nil { second = index } else { throw .form }
        }
        guard let first, let second else { throw .form }
        return (first, second)
    }

    private static func object(_ bytes: [UInt8], otherwise fault: TokenFault) throws(TokenFault) -> JSONDocument {
        guard let document = try? JSONDocument(bytes, limits: .token), document.root.kind == .object else { throw fault }
        return document
    }
}
