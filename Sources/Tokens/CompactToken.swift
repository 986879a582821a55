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

    /// The first two. A third, as in the five parts of a JWE (RFC 7516 §7.1), is no base64url: the signature's decoding refuses it.
    private static func dots(_ token: Span<UInt8>) throws(TokenFault) -> (first: Int, second: Int) {
        guard let first = dot(token, from: 0), let second = dot(token, from: first + 1) else { throw .form }
        return (first, second)
    }

    private static func dot(_ token: Span<UInt8>, from start: Int) -> Int? {
        let bytes = unsafe token.bytes
        let dots: UInt64 = 0x2E2E_2E2E_2E2E_2E2E
        var index = start
        while index + 8 <= token.count {
            // The load checks its bounds, and every pattern of 64 bits is a UInt64.
            let word = unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ dots
            // The lowest top bit that is set is that of the first byte that is 0.
            let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if zeros != 0 { return index + zeros.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < token.count {
            if token[index] == UInt8(ascii: ".") { return index }
            index += 1
        }
        return nil
    }

    private static func object(_ bytes: [UInt8], otherwise fault: TokenFault) throws(TokenFault) -> JSONDocument {
        guard let document = try? JSONDocument(bytes, limits: .token), document.root.kind == .object else { throw fault }
        return document
    }
}
