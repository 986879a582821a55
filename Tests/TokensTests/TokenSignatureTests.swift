import Testing

@testable import Tokens

/// RFC 7518 §3, RFC 8725 §3.1 to §3.3: no key is used with another family's algorithm, no signature has a second form.
@Suite struct TokenSignatureTests {
    @Test("every algorithm verifies its own signatures", arguments: good)
    func goodHold(_ row: TokenCase) { row.check() }

    @Test("a public key is no HMAC secret, and no algorithm stands in for another", arguments: confusion)
    func confusionHold(_ row: TokenCase) { row.check() }

    @Test("an ECDSA signature is r and s in full, between 0 and n", arguments: ecdsa)
    func ecdsaHold(_ row: TokenCase) { row.check() }

    @Test("an RSA signature is as long as the modulus and padded as its algorithm says", arguments: rsa)
    func rsaHold(_ row: TokenCase) { row.check() }

    @Test("an HMAC is whole and by the issuer's secret", arguments: hmac)
    func hmacHold(_ row: TokenCase) { row.check() }

    @Test("an Ed25519 signature has one form", arguments: edDSA)
    func edDSAHold(_ row: TokenCase) { row.check() }

    static func make(_ issuer: String, _ alg: String, _ signer: Signer) -> [UInt8] {
        Forge.token("{\"alg\":\"\(alg)\"}", payload(issuer), signer)
    }

    static let good: [TokenCase] = table {
        [
            .good("HS256", make("hs-all", "HS256", .secret(World.longSecret, .hs256))),
            .good("HS384", make("hs-all", "HS384", .secret(World.longSecret, .hs384))),
            .good("HS512", make("hs-all", "HS512", .secret(World.longSecret, .hs512))),
            .good("RS256", make("rs", "RS256", .key(.rsa, .rs256))), .good("RS384", make("rs", "RS384", .key(.rsa, .rs384))),
            .good("RS512", make("rs", "RS512", .key(.rsa, .rs512))), .good("PS256", make("rs", "PS256", .key(.rsa, .ps256))),
            .good("PS384", make("rs", "PS384", .key(.rsa, .ps384))), .good("PS512", make("rs", "PS512", .key(.rsa, .ps512))),
            .good("ES256", make("es", "ES256", .key(.p256, .es256))), .good("ES384", make("es384", "ES384", .key(.p384, .es384))),
            .good("ES512", make("es512", "ES512", .key(.p521, .es512))), .good("EdDSA", make("ed", "EdDSA", .key(.ed25519, .edDSA))),
            .good("HS256 with the secret before", make("hs", "HS256", .secret(World.oldSecret, .hs256))),
            .good("HS256 beside RS256", make("mixed", "HS256", .secret(World.secret, .hs256))),
            .good("RS256 beside HS256", make("mixed", "RS256", .key(.rsa, .rs256))),
        ]
    }

    static let publicForms: [(String, [UInt8])] = [
        ("PEM", SigningKey.rsa.publicPEM), ("PEM without its newline", Array(SigningKey.rsa.publicPEM.dropLast())),
        ("PEM with CRLF", SigningKey.rsa.publicPEM.flatMap { $0 == 10 ? [13, 10] : [$0] }), ("DER", SigningKey.rsa.publicDER),
        ("PEM and a NUL", SigningKey.rsa.publicPEM + [0]), ("certificate", SigningKey.rsa.certificatePEM),
        ("modulus", SigningKey.rsa.number("n")), ("modulus in base64url", Base64URL.encode(SigningKey.rsa.number("n").span)),
        ("JWK", Array(JWKText.rsa(.rsa).utf8)), ("nothing", []), ("one zero", [0]), ("32 zeros", [UInt8](repeating: 0, count: 32)),
    ]

    static let confusion: [TokenCase] = table {
        bytes(publicForms) {
            .bad("HS256 by the RSA key's \($0.0) where RS256 is allowed", .algorithm, make("rs", "HS256", .secret($0.1, .hs256)))
        }
        bytes(publicForms) { .bad("the same where both are, \($0.0)", .signature, make("mixed", "HS256", .secret($0.1, .hs256))) }
        bytes(publicForms) { .bad("RS256 that is an HMAC by it, \($0.0)", .signature, make("rs", "RS256", .secret($0.1, .hs256))) }
        [
            .bad("HS256 by the EC key's PEM", .algorithm, make("es", "HS256", .secret(SigningKey.p256.publicPEM, .hs256))),
            .bad("ES256 that is an HMAC", .signature, make("es", "ES256", .secret(SigningKey.p256.publicPEM, .hs512))),
            .bad("HS256 by the Ed25519 key", .algorithm, make("ed", "HS256", .secret(SigningKey.ed25519.rawPublic, .hs256))),
            .bad("RS256 named PS256", .signature, make("rs", "PS256", .key(.rsa, .rs256))),
            .bad("PS256 named RS256", .signature, make("rs", "RS256", .key(.rsa, .ps256))),
            .bad("RS256 named RS512", .signature, make("rs", "RS512", .key(.rsa, .rs256))),
            .bad("PS256 where only RS256 is allowed", .algorithm, make("rs-only", "PS256", .key(.rsa, .ps256))),
            .bad("ES256 where RS256 is", .algorithm, make("rs", "ES256", .key(.p256, .es256))),
            .bad("ES384 named ES256", .signature, make("es", "ES256", .key(.p384, .es384))),
            .bad("HS256 named HS384", .signature, make("hs-all", "HS384", .secret(World.longSecret, .hs256))),
            .bad("HS512 cut to HS256's length", .signature, make("hs-all", "HS256", .bytes(Array(macOf("HS256").prefix(32))))),
        ]
    }

    /// HS512's value over the token that says this alg.
    static func macOf(_ alg: String) -> [UInt8] {
        let whole = make("hs-all", alg, .bytes([1]))
        return SigningKey.hmac(Array(whole[..<whole.lastIndex(of: 46)!]), secret: World.longSecret, .hs512)
    }

    static let order = SigningKey.p256.number("order", width: 32)
    static let zero = [UInt8](repeating: 0, count: 32)
    static let one = [UInt8](repeating: 0, count: 31) + [1]
    static let ones = [UInt8](repeating: 255, count: 32)

    static func es(_ signature: [UInt8]) -> [UInt8] { make("es", "ES256", .bytes(signature)) }

    /// The signature of the ES256 token that all these rows carry, and its two halves.
    static let signingInput = { (token: [UInt8]) in Array(token[..<token.lastIndex(of: 46)!]) }(es([1]))
    static let signature = SigningKey.p256.signature(over: signingInput, .es256)
    static let (r, s) = (Array(signature[..<32]), Array(signature[32...]))

    /// n − s: the other signature of the same message that ECDSA has by nature.
    static let negated = subtracted(order, s)

    static func subtracted(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        var out = a
        var borrow = 0
        for index in a.indices.reversed() {
            let difference = Int(a[index]) - Int(b[index]) - borrow
            borrow = difference < 0 ? 1 : 0
            out[index] = UInt8(difference & 255)
        }
        return out
    }

    static let ecdsa: [TokenCase] = table {
        bytes([
            ("all zero: the psychic signature (CVE-2022-21449)", zero + zero), ("r = 0", zero + s), ("s = 0", r + zero),
            ("r = n", order + s), ("s = n", r + order), ("r = s = n", order + order), ("r = n, s = 0", order + zero),
            ("all bits set", ones + ones), ("r = s = 1", one + one), ("swapped", s + r),
            ("DER", SigningKey.p256.rawSignature(over: signingInput, .es256)), ("one byte short", Array(signature.dropLast())),
            ("one byte long", signature + [0]), ("a zero in front", [0] + signature),
            ("both halves with a zero in front", [0] + r + [0] + s),
            ("r alone", r), ("twice", signature + signature), ("empty DER", [0x30, 0x00]),
            ("DER of two zeros", [0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00]),
        ]) { .bad($0.0, .signature, es($0.1)) }
        [
            .bad("by another key", .signature, make("es", "ES256", .key(.otherP256, .es256))),
            .bad("on secp256k1", .signature, make("es", "ES256", .key(.secp256k1, .es256))),
            .bad("ES384: all zero", .signature, make("es384", "ES384", .bytes(zero + zero + zero))),
            .bad("ES512: all zero", .signature, make("es512", "ES512", .bytes([UInt8](repeating: 0, count: 132)))),
            .bad("ES512: all bits set", .signature, make("es512", "ES512", .bytes([UInt8](repeating: 255, count: 132)))),
            .bad("ES512 in 64 bytes", .signature, make("es512", "ES512", .bytes(signature))),
            .good("as it should be", es(signature)), .good("its mirror image n - s", es(r + negated)),
        ]
    }

    static let rsInput = { (token: [UInt8]) in Array(token[..<token.lastIndex(of: 46)!]) }(make("rs", "RS256", .bytes([1])))
    static let rsSignature = SigningKey.rsa.signature(over: rsInput, .rs256)

    static func rs(_ signature: [UInt8]) -> [UInt8] { make("rs", "RS256", .bytes(signature)) }

    static func pss(salt: Int32) -> [UInt8] {
        let whole = make("rs", "PS256", .bytes([1]))
        let input = Array(whole[..<whole.lastIndex(of: 46)!])
        return make("rs", "PS256", .bytes(SigningKey.rsa.rawSignature(over: input, .ps256, salt: salt)))
    }

    static let rsa: [TokenCase] = table {
        bytes([
            ("one byte short", Array(rsSignature.dropLast())), ("the first byte missing", Array(rsSignature.dropFirst())),
            ("a zero in front", [0] + rsSignature), ("a zero behind", rsSignature + [0]), ("one byte", [1]),
            ("all zero", [UInt8](repeating: 0, count: 256)), ("the number 1", [UInt8](repeating: 0, count: 255) + [1]),
            ("all bits set: beyond the modulus", [UInt8](repeating: 255, count: 256)), ("the modulus", SigningKey.rsa.number("n")),
            ("modulus less 1", subtracted(SigningKey.rsa.number("n"), [UInt8](repeating: 0, count: 255) + [1])),
            ("the padded hash in the open", [0, 1] + [UInt8](repeating: 255, count: 254)),
        ]) { .bad($0.0, .signature, rs($0.1)) }
        [
            .bad("by another key", .signature, make("rs", "RS256", .key(.otherRSA, .rs256))),
            .bad("by a key of 1024 bits", .signature, make("rs", "RS256", .key(.smallRSA, .rs256))),
            .bad("by a key of 3072 bits", .signature, make("rs", "RS256", .key(.wideRSA, .rs256))),
            .bad("of another token", .signature, rs(SigningKey.rsa.signature(over: rsInput + [65], .rs256))),
            .bad("PSS without salt", .signature, pss(salt: 0)), .bad("PSS with a short salt", .signature, pss(salt: 20)),
            .bad("PSS with the longest salt", .signature, pss(salt: 222)),
            .good("as it should be", rs(rsSignature)), .good("PSS with the hash's length of salt", pss(salt: 32)),
        ]
    }

    static let hsInput = { (token: [UInt8]) in Array(token[..<token.lastIndex(of: 46)!]) }(make("hs", "HS256", .bytes([1])))
    static let mac = SigningKey.hmac(hsInput, secret: World.secret, .hs256)

    static let hmac: [TokenCase] = table {
        bytes([
            ("one byte short", Array(mac.dropLast())), ("half of it", Array(mac[..<16])), ("its first byte", [mac[0]]),
            ("one byte long", mac + [0]), ("all zero", zero),
            ("in hex", mac.flatMap { Array((String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)).utf8) }),
            ("in base64url once more", Base64URL.encode(mac.span)), ("reversed", mac.reversed()),
        ]) { .bad($0.0, .signature, make("hs", "HS256", .bytes($0.1))) }
        bytes([
            ("nothing", []), ("the secret and a newline", World.secret + [10]),
            ("the secret without its last byte", Array(World.secret.dropLast())), ("another secret", World.otherSecret),
            ("a word", Array("secret".utf8)), ("the issuer's name", Array("https://hs.example".utf8)),
        ]) { .bad("by \($0.0)", .signature, make("hs", "HS256", .secret($0.1, .hs256))) }
        [
            .good("as it should be", make("hs", "HS256", .bytes(mac))),
            // HMAC fills a short key up with zeros (RFC 2104 §2): not another key.
            .good("by the secret and a NUL", make("hs", "HS256", .secret(World.secret + [0], .hs256))),
        ]
    }

    static let edInput = { (token: [UInt8]) in Array(token[..<token.lastIndex(of: 46)!]) }(make("ed", "EdDSA", .bytes([1])))
    static let edSignature = SigningKey.ed25519.signature(over: edInput, .edDSA)

    /// S + L, which a verifier that doesn't check the range takes too (RFC 8032 §8.4).
    static let malleated: [UInt8] = {
        let l: [UInt8] =
            [0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14]
            + [UInt8](repeating: 0, count: 15) + [0x10]
        var out = edSignature
        var carry = 0
        for index in 0..<32 {
            carry += Int(edSignature[32 + index]) + Int(l[index])
            out[32 + index] = UInt8(carry & 255)
            carry >>= 8
        }
        return out
    }()

    static let edDSA: [TokenCase] = table {
        bytes([
            ("S + L", malleated), ("one byte short", Array(edSignature.dropLast())), ("one byte long", edSignature + [0]),
            ("all zero", [UInt8](repeating: 0, count: 64)), ("the neutral point and 0", [1] + [UInt8](repeating: 0, count: 63)),
            ("halves swapped", Array(edSignature[32...] + edSignature[..<32])),
        ]) { .bad($0.0, .signature, make("ed", "EdDSA", .bytes($0.1))) }
        [
            .bad("by another key", .signature, make("ed", "EdDSA", .key(.otherEd25519, .edDSA))),
            .bad("by Ed448", .signature, make("ed", "EdDSA", .key(.ed448, .edDSA))),
            .good("as it should be", make("ed", "EdDSA", .bytes(edSignature))),
        ]
    }

}
