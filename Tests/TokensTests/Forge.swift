import Policy

@testable import Tokens

/// Who signs a forged token, and how.
enum Signer {
    case secret([UInt8], Algorithm)
    case key(SigningKey, Algorithm)
    /// These bytes instead of a signature.
    case bytes([UInt8])
}

/// Puts tokens together from raw text, so that no library tidies up what a test wants broken.
enum Forge {
    static func token(_ header: String, _ payload: String, _ signer: Signer) -> [UInt8] {
        token(Array(header.utf8), Array(payload.utf8), signer)
    }

    static func token(_ header: [UInt8], _ payload: [UInt8], _ signer: Signer) -> [UInt8] {
        signed(Base64URL.encode(header.span) + [UInt8(ascii: ".")] + Base64URL.encode(payload.span), signer)
    }

    /// Signs text that may be no base64url at all.
    static func signed(_ input: [UInt8], _ signer: Signer) -> [UInt8] {
        let signature =
            switch signer {
            case .secret(let secret, let algorithm): SigningKey.hmac(input, secret: secret, algorithm)
            case .key(let key, let algorithm): key.signature(over: input, algorithm)
            case .bytes(let bytes): bytes
            }
        return input + [UInt8(ascii: ".")] + Base64URL.encode(signature.span)
    }

    /// The JSON text of an object from raw members, in the order of their names; nil leaves one out.
    static func object(_ members: [String: String?]) -> String {
        "{" + members.compactMap { name, value in value.map { "\"\(name)\":\($0)" } }.sorted().joined(separator: ",") + "}"
    }
}

/// The gateway of the tests: issuers, their keys and what they are believed. The time is `now`.
enum World {
    static let now: Int64 = 1_700_000_000
    static let secret = Array("a secret of the issuer, 32 bytes!".utf8)
    static let oldSecret = Array("the secret before it, just as long".utf8)
    static let longSecret = [UInt8](repeating: 0x5A, count: 64)
    static let otherSecret = Array("a secret that nobody here knows..".utf8)

    static let authority: TokenAuthority = try! TokenAuthority(blocks: blocks())

    static func id(_ text: String) -> [UInt8] { Array(text.utf8) }
    static func tenant(_ text: String) -> TenantID { TenantID(id(text).span, format: .string)! }

    /// A block of directory 0, where ids are strings, for `https://NAME.example`.
    static func block(
        _ name: String?, _ algorithms: AlgorithmSet, _ keys: [VerificationKey], directory: Int = 0, format: IDFormat = .string,
        audiences: [String]? = ["api", "api-2"], claims: ClaimMap = ClaimMap(), tenants: Set<TenantID>? = nil, lifetime: Int64? = nil,
        fresh: Bool = false
    ) throws -> CredentialBlock {
        try CredentialBlock(
            issuer: name.map { id("https://\($0).example") }, directory: directory, userFormat: format, tenantFormat: format,
            audiences: audiences?.map(id), algorithms: algorithms, keys: keys, claims: claims, boundTenants: tenants,
            maximumLifetime: lifetime, wantsFreshTokens: fresh)
    }

    static func secretKey(_ secret: [UInt8], _ allowed: AlgorithmSet) throws -> VerificationKey {
        try KeyLoader.secret(secret, encoding: .utf8, allowed: allowed)
    }

    private static func blocks() throws -> [CredentialBlock] {
        let hs = try secretKey(secret, [.hs256])
        let deep = ClaimMap(
            user: ClaimPath(["profile", "id"])!, tenant: ClaimPath(["https://example.com/tenant"])!,
            roles: .byTenant(ClaimPath(["org", "roles"])!), scopes: ClaimPath(["scp"])!)
        let nestedTenant = ClaimMap(tenant: ClaimPath(["org", "ids"])!)
        let rsaAlgorithms: AlgorithmSet = [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512]
        return try [
            block("hs", [.hs256], [hs, secretKey(oldSecret, [.hs256])]),
            block("hs-all", [.hs256, .hs384, .hs512], [secretKey(longSecret, [.hs256, .hs384, .hs512])]),
            block("rs", rsaAlgorithms, [KeyLoader.pem(SigningKey.rsa.publicPEM, allowed: rsaAlgorithms)]),
            block("rs-only", [.rs256], [KeyLoader.pem(SigningKey.rsa.publicPEM, allowed: [.rs256])]),
            block("mixed", [.hs256, .rs256], [hs, KeyLoader.pem(SigningKey.rsa.publicPEM, allowed: [.rs256])]),
            block("es", [.es256], [KeyLoader.pem(SigningKey.p256.publicPEM, allowed: [.es256])]),
            block("es384", [.es384], [KeyLoader.pem(SigningKey.p384.publicPEM, allowed: [.es384])]),
            block("es512", [.es512], [KeyLoader.pem(SigningKey.p521.publicPEM, allowed: [.es512])]),
            block("ed", [.edDSA], [KeyLoader.pem(SigningKey.ed25519.publicPEM, allowed: [.edDSA])]),
            block("set", [.rs256, .es256, .edDSA], KeyLoader.keySetFile(JWKText.set, allowed: [.rs256, .es256, .edDSA])),
            block("any", [.hs256], [hs], audiences: nil),
            block("bound", [.hs256], [hs], tenants: [tenant("t1"), tenant("t2")]),
            block("short", [.hs256], [hs], lifetime: 3_600),
            block("deep", [.hs256], [hs], claims: deep),
            block("nested", [.hs256], [hs], claims: nestedTenant),
            block("\u{e9}", [.hs256], [hs]),
            block(nil, [.hs256], [hs]),
            block("hs", [.hs256], [secretKey(longSecret, [.hs256])], directory: 1, format: .uuid),
            block("fresh", [.hs256], [hs], fresh: true),
        ]
    }
}

/// Key sets in JSON.
enum JWKText {
    static func encoded(_ bytes: [UInt8]) -> String { "\"" + String(decoding: Base64URL.encode(bytes.span), as: UTF8.self) + "\"" }

    static func rsa(_ key: SigningKey, _ more: [String: String?] = [:]) -> String {
        Forge.object(
            ["kty": "\"RSA\"", "n": encoded(key.number("n")), "e": encoded(key.number("e"))].merging(more) { $1 })
    }

    static func ec(_ key: SigningKey, _ curve: String, width: Int, _ more: [String: String?] = [:]) -> String {
        Forge.object(
            [
                "kty": "\"EC\"", "crv": "\"\(curve)\"", "x": encoded(key.number("qx", width: width)),
                "y": encoded(key.number("qy", width: width)),
            ].merging(more) { $1 })
    }

    static func okp(_ key: SigningKey, _ curve: String, _ more: [String: String?] = [:]) -> String {
        Forge.object(["kty": "\"OKP\"", "crv": "\"\(curve)\"", "x": encoded(key.rawPublic)].merging(more) { $1 })
    }

    static func oct(_ secret: [UInt8], _ more: [String: String?] = [:]) -> String {
        Forge.object(["kty": "\"oct\"", "k": encoded(secret)].merging(more) { $1 })
    }

    static func set(_ keys: String...) -> [UInt8] { Array("{\"keys\":[\(keys.joined(separator: ","))]}".utf8) }

    /// The keys r1, e1 and d1.
    static let set = set(
        rsa(.rsa, ["kid": "\"r1\"", "use": "\"sig\""]), ec(.p256, "P-256", width: 32, ["kid": "\"e1\"", "alg": "\"ES256\""]),
        okp(.ed25519, "Ed25519", ["kid": "\"d1\"", "key_ops": "[\"verify\"]"]))
}
