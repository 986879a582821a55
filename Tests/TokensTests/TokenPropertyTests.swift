import CJWT
import Policy
import Testing

@testable import Tokens

/// Invariants over many tokens, and libjwt's `jwt_decode` as a judge of its own.
@Suite struct TokenPropertyTests {
    static let tokens: [(String, [UInt8])] = [
        ("HS256", hs([:])), ("RS256", TokenSignatureTests.make("rs", "RS256", .key(.rsa, .rs256))),
        ("PS256", TokenSignatureTests.make("rs", "PS256", .key(.rsa, .ps256))),
        ("ES256", TokenSignatureTests.make("es", "ES256", .key(.p256, .es256))),
        ("EdDSA", TokenSignatureTests.make("ed", "EdDSA", .key(.ed25519, .edDSA))),
    ]

    @Test("every change of one byte makes a valid token invalid", arguments: tokens)
    func oneByte(_ name: String, _ token: [UInt8]) throws {
        _ = try World.authority.verify(token.span, directory: 0, now: World.now)
        var taken = 0
        for index in token.indices {
            for bit in 0..<8 {
                var changed = token
                changed[index] ^= 1 << UInt8(bit)
                if (try? World.authority.verify(changed.span, directory: 0, now: World.now)) != nil { taken += 1 }
            }
            var shorter = token
            shorter.remove(at: index)
            if (try? World.authority.verify(shorter.span, directory: 0, now: World.now)) != nil { taken += 1 }
        }
        #expect(taken == 0)
    }

    @Test("whoever differs in composed letters is somebody else")
    func composition() throws {
        let (composed, decomposed) = (hs(["sub": "\"\u{e9}\""]), hs(["sub": "\"e\u{301}\""]))
        let first = try World.authority.verify(composed.span, directory: 0, now: World.now)
        let second = try World.authority.verify(decomposed.span, directory: 0, now: World.now)
        #expect(first.user != second.user)
        #expect(first.userHeader == nil)
    }

    @Test("a credential holds what the token says")
    func credential() throws {
        let token = hs([
            "act": "{\"sub\":\"u2\",\"act\":{\"sub\":\"u3\"}}", "tenant_id": "[\"t1\",\"t2\"]",
            "roles": "[\"a\",\"b c\",\"d,e\",\" f\",\"\u{e9}\"]",
        ])
        let credential = try World.authority.verify(token.span, directory: 0, now: World.now)
        #expect(credential.userHeader == World.id("u1"))
        #expect(credential.actors.map(\.id.canonical) == [World.id("u2"), World.id("u3")])
        #expect(credential.tenants == .many([World.tenant("t1"), World.tenant("t2")]))
        #expect(credential.rolesHeader(in: nil) == World.id("a,b c"))
        #expect(credential.scopes == [World.id("read"), World.id("write")])
        #expect(credential.expires == World.now + 630 && credential.issuedAt == World.now - 10)
    }

    @Test("a token of a block that wants fresh ones is as old as the second that iat began in")
    func freshFrom() throws {
        func freshFrom(_ issued: String, _ issuer: String) throws -> Int64? {
            try World.authority.verify(hs(["iat": issued], issuer: issuer).span, directory: 0, now: World.now).freshFrom
        }
        #expect(try freshFrom("\(World.now - 10).999", "fresh") == World.now - 10)
        #expect(try freshFrom("\(World.now - 10)", "fresh") == World.now - 10)
        #expect(try freshFrom("\(World.now - 10)", "hs") == nil)
    }

    @Test("roles by tenant go upstream for their tenant only")
    func rolesByTenant() throws {
        let token = TokenClaimTests.deep([:])
        let credential = try World.authority.verify(token.span, directory: 0, now: World.now)
        #expect(credential.rolesHeader(in: World.tenant("t1")) == World.id("admin"))
        #expect(credential.rolesHeader(in: World.tenant("t2")) == nil)
        #expect(credential.rolesHeader(in: nil) == nil)
    }

    @Test("an empty list of tenants is no tenant")
    func noTenants() throws {
        let token = hs(["tenant_id": "[]"])
        #expect(try World.authority.verify(token.span, directory: 0, now: World.now).tenants == .none)
    }

    @Test("an id that a header would not carry exactly is not sent", arguments: [" u", "u ", "u\u{a0}", "\u{e9}"])
    func unsafeUser(_ user: String) throws {
        let token = hs(["sub": "\"\(user)\""])
        #expect(try World.authority.verify(token.span, directory: 0, now: World.now).userHeader == nil)
    }

    // MARK: libjwt as oracle

    struct Family: Sendable, CustomTestStringConvertible {
        let algorithm: Algorithm
        let issuer: String
        let signing: [UInt8]
        let checking: [UInt8]
        var testDescription: String { "\(algorithm.name)" }
    }

    static let families: [Family] =
        [Algorithm.hs256, .hs384, .hs512].map {
            Family(algorithm: $0, issuer: "hs-all", signing: World.longSecret, checking: World.longSecret)
        }
        + [Algorithm.rs256, .rs384, .rs512].map {
            Family(algorithm: $0, issuer: "rs", signing: SigningKey.rsa.privatePEM, checking: SigningKey.rsa.publicPEM)
        } + [
            Family(algorithm: .es256, issuer: "es", signing: SigningKey.p256.privatePEM, checking: SigningKey.p256.publicPEM),
            Family(algorithm: .es384, issuer: "es384", signing: SigningKey.p384.privatePEM, checking: SigningKey.p384.publicPEM),
            Family(algorithm: .es512, issuer: "es512", signing: SigningKey.p521.privatePEM, checking: SigningKey.p521.publicPEM),
        ]

    @Test("jwt_decode and the gateway agree on tokens of HS, RS and ES, whole and damaged", arguments: families)
    func agrees(_ family: Family) throws {
        var random = SplitMix(seed: UInt64(family.algorithm.rawValue))
        for round in 0..<40 {
            let claims = payload(family.issuer, ["jti": "\"\(round)\"", "exp": "\(World.now + Int64(random.next() % 1000) + 1)"])
            var token = try TokenMint.token(claims: Array(claims.utf8), algorithm: family.algorithm, key: family.signing)
            if round % 2 == 1 { damage(&token, &random) }
            let ours = (try? World.authority.verify(token.span, directory: 0, now: World.now)) != nil
            #expect(ours == Self.isTakenByLibjwt(token, family), "round \(round)")
        }
    }

    /// Changes a letter of the signature: one that carries six bits, and the alphabet stays.
    private func damage(_ token: inout [UInt8], _ random: inout SplitMix) {
        let first = token.lastIndex(of: 46)! + 1
        let index = first + Int(random.next() % UInt64(token.count - first - 1))
        token[index] = token[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
    }

    static func isTakenByLibjwt(_ token: [UInt8], _ family: Family) -> Bool {
        var jwt: OpaquePointer?
        let text = token.map { CChar(bitPattern: $0) } + [0]
        // jwt_decode reads PEM up to a NUL.
        let key = family.checking + [0]
        guard unsafe jwt_decode(&jwt, text, key, Int32(family.checking.count)) == 0 else { return false }
        defer { unsafe jwt_free(jwt) }
        return unsafe String(cString: jwt_alg_str(jwt_get_alg(jwt))) == "\(family.algorithm.name)"
    }

    @Test("the mint refuses what it can't sign")
    func mint() {
        let claims = Array("{}".utf8)
        func error(_ claims: [UInt8], _ algorithm: Algorithm, _ key: [UInt8]) -> MintError? {
            Result { () throws(MintError) in try TokenMint.token(claims: claims, algorithm: algorithm, key: key) }.failure
        }
        #expect(error(claims, .ps256, SigningKey.rsa.privatePEM) == .algorithm)
        #expect(error(claims, .hs256, [1, 2, 3]) == .shortSecret)
        #expect(error(Array("[]".utf8), .hs256, World.secret) == .claims)
        #expect(error(Array("{\"a\":1,\"a\":2}".utf8), .hs256, World.secret) == .claims)
        #expect(error(claims, .rs256, World.secret) == .key)
        #expect(error(claims, .rs256, SigningKey.p256.privatePEM) == .key)
        #expect(error(claims, .es256, SigningKey.p384.privatePEM) == .key)
        #expect(error(claims, .es256, SigningKey.p256.privatePEM) == nil)
    }
}

/// Seeded random numbers (Steele and others, 2014), so that a failure can be had again.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
