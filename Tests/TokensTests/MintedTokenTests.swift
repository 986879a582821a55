import Policy
import Testing

@testable import Tokens

@Suite struct MintedTokenTests {
    @Test("a token minted by libjwt is verified, and a changed one is not")
    func minted() throws {
        let secret = Array("0123456789abcdef0123456789abcdef".utf8)
        let claims = #"{"iss":"https://id.example","sub":"u1","aud":"api","tenant_id":"t1","exp":2000,"roles":["a","b c"],"scope":"x y"}"#
        let token = try TokenMint.token(claims: Array(claims.utf8), algorithm: .hs256, key: secret)
        let block = try CredentialBlock(
            issuer: Array("https://id.example".utf8), directory: 0, userFormat: .string, tenantFormat: .string,
            audiences: [Array("api".utf8)], algorithms: [.hs256],
            keys: [KeyLoader.secret(secret, encoding: .utf8, allowed: [.hs256])])
        let authority = try TokenAuthority(blocks: [block])
        let credential = try authority.examine(token.span, directory: 0, now: 1000)
        #expect(credential.user.id.canonical == Array("u1".utf8))
        #expect(credential.rolesHeader(in: nil) == Array("a,b c".utf8))
        #expect(credential.scopes == [Array("x".utf8), Array("y".utf8)])
        #expect(credential.expires == 2030)
        var changed = token
        changed[token.count - 5] ^= 1
        #expect(throws: Denial.invalidToken) { try authority.verify(changed.span, directory: 0, now: 1000) }
        #expect(throws: Denial.tokenExpired) { try authority.verify(token.span, directory: 0, now: 2030) }
    }
}
