import Policy
import StrictJSON
import Tokens

/// One of the two identity providers of the demo: an HMAC secret made for this run, and the tokens that it gives.
struct DemoIssuer {
    let issuer: String
    let audience: String
    /// 64 hex digits, as they stand in the secret's file.
    let secret: String

    init(issuer: String, audience: String) {
        self.issuer = issuer
        self.audience = audience
        secret = Self.randomSecret()
    }

    /// 256 random bits in hex.
    static func randomSecret() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<32).map { _ in
            let byte = String(UInt8.random(in: .min ... .max, using: &random), radix: 16)
            return byte.count == 1 ? "0\(byte)" : byte
        }.joined()
    }

    /// A token for eight hours. `now` is in Unix seconds.
    func token(for person: DemoPerson, now: Int64) throws(CommandFailure) -> String {
        var claims = JSONWriter()
        claims.beginObject()
        claims.member("iss", issuer)
        claims.member("aud", audience)
        claims.member("sub", person.id)
        claims.member("tenant_id", person.tenant)
        claims.name("roles")
        claims.raw("[\"\(person.role)\"]".utf8)
        claims.member("iat", now)
        claims.member("exp", now + 8 * 3600)
        claims.endObject()
        do throws(MintError) {
            return String(decoding: try TokenMint.token(claims: claims.bytes, algorithm: .hs256, key: Array(secret.utf8)), as: UTF8.self)
        } catch {
            throw CommandFailure("libjwt makes no token: \(error.rawValue).")
        }
    }
}

/// Somebody whom the demo user services know from the start.
struct DemoPerson {
    let name: String
    let id: String
    let tenant: String
    let role: String
}
