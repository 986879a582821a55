import Policy
import Testing

@testable import Tokens

/// Tokens that name their user by an alias of the directory's users.
@Suite("tokens with an alias")
struct AliasTokenTests {
    private static let rule = AliasRule(name: "email", field: JSONPointer("/email")!, condition: .always, foldsCase: true)

    private func authority(condition: [String]? = ["email_verified"], rule: AliasRule = Self.rule) throws -> TokenAuthority {
        let claims = ClaimMap(
            user: ClaimPath(["email"])!, alias: AliasClaim(rule: rule, condition: condition.flatMap { ClaimPath($0) }))
        let key = try World.secretKey(World.secret, [.hs256])
        // Ids are uuids here: what the claim holds never has to look like one.
        return try TokenAuthority(blocks: [World.block("hs", [.hs256], [key], format: .uuid, claims: claims)])
    }

    private static let good: [String: String?] = [
        "email": "\"Ben@Acme.example\"", "email_verified": "true", "tenant_id": "\"a1a1a1a1-0000-4000-8000-00000000ace1\"",
    ]

    @Test("a good one holds the alias as it is compared, and nobody's id until somebody says whose it is")
    func good() throws {
        let token = hs(Self.good)
        let credential = try authority().examine(token.span, directory: 0, now: World.now)
        #expect(credential.alias == UserAlias(rule: Self.rule, value: Array("ben@acme.example".utf8)))
        #expect(credential.userHeader == nil && credential.knownBy == nil)
        let user = UserID(.uuid(UUIDBits(high: 1, low: 2)))
        #expect(credential.user != user && credential.user.id.canonical.isEmpty)
        let known = Credential(credential, of: user)
        #expect(known.user == user && known.alias == nil && known.knownBy == credential.alias)
        #expect(known.userHeader == user.id.canonical && known.userHash != credential.userHash)
        #expect(known.validity == credential.validity && known.scopes == credential.scopes)
        // For rate limits, shares of connections and the log he is the one whom the service's own tokens name.
        let key = try World.secretKey(World.secret, [.hs256])
        let ids = try TokenAuthority(blocks: [World.block("hs", [.hs256], [key], format: .uuid)])
        let named = hs(Self.good.merging(["sub": "\"00000000-0000-0001-0000-000000000002\""]) { $1 })
        let own = try ids.examine(named.span, directory: 0, now: World.now)
        #expect(known.userHash == own.userHash && known.user == own.user)
        // Nothing of a verified token comes to be an alias where the block doesn't say so.
        let plain = try World.authority.examine(hs(["sub": "\"u1\""]).span, directory: 0, now: World.now)
        #expect(plain.alias == nil && plain.knownBy == nil)
    }

    @Test(
        "what can't be an alias, or isn't verified, is no token",
        arguments: [
            (["email": nil], TokenFault.alias), (["email": "7"], .alias), (["email": "\"\""], .alias),
            (["email": "[\"ben@acme.example\"]"], .alias),
            (["email": "\"a\\u0007b\""], .alias), (["email": "\"\(String(repeating: "a", count: 257))\""], .alias),
            (["email_verified": nil], .aliasUnverified), (["email_verified": "false"], .aliasUnverified),
            (["email_verified": "\"true\""], .aliasUnverified), (["email_verified": "1"], .aliasUnverified),
            (["email_verified": "null"], .aliasUnverified),
            (["act": "{\"sub\":\"a1a1a1a1-0000-4000-8000-00000000ace1\"}"], .aliasedActor),
        ] as [([String: String?], TokenFault)])
    func refused(changes: [String: String?], fault: TokenFault) throws {
        let token = hs(Self.good.merging(changes) { $1 })
        let authority = try authority()
        #expect(throws: fault) { () throws(TokenFault) in try authority.examine(token.span, directory: 0, now: World.now) }
        #expect(throws: Denial.invalidToken) { () throws(Denial) in try authority.verify(token.span, directory: 0, now: World.now) }
    }

    @Test("without a condition the issuer's word is taken")
    func unconditional() throws {
        let token = hs(Self.good.merging(["email_verified": "false"]) { $1 })
        let found = try authority(condition: nil).examine(token.span, directory: 0, now: World.now)
        #expect(found.alias?.value == Array("ben@acme.example".utf8))
    }

    @Test("a remembered token is not known by another rule than the one in force")
    func remembered() throws {
        let token = hs(Self.good)
        var memory = TokenMemory(count: 64)
        let first = try authority()
        #expect(try memory.credential(for: token.span, directory: 0, authority: first, now: World.now).alias?.rule == Self.rule)
        let exact = AliasRule(name: "email", field: JSONPointer("/email")!, condition: .always, foldsCase: false)
        let claims = ClaimMap(user: ClaimPath(["email"])!, alias: AliasClaim(rule: exact))
        let key = try World.secretKey(World.secret, [.hs256])
        let next = try TokenAuthority(
            blocks: [World.block("hs", [.hs256], [key], format: .uuid, claims: claims)], after: first)
        let again = try memory.credential(for: token.span, directory: 0, authority: next, now: World.now)
        #expect(again.alias == UserAlias(rule: exact, value: Array("Ben@Acme.example".utf8)))
    }
}
