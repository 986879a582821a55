import Policy
import StrictJSON
import Tokens

/// `tenantgate token`: makes a JWT with libjwt, for trying things out.
package struct TokenCommand: Sendable {
    /// What signs.
    package enum Key: Sendable {
        /// An HMAC secret; the second word is `utf8`, `base64` or `hex`, as in the gateway's file.
        case secretFile(String, encoding: String)
        /// An unencrypted private key in PEM.
        case privateKeyFile(String)
    }

    package var key: Key
    /// `HS256` where it is nil and the key a secret; a private key needs one.
    package var algorithm: String?
    package var kid: String?
    /// Each `name=value`; the value is JSON, or else a plain string.
    package var claims: [String] = []
    package var issuer: String?
    /// One becomes a string, several an array.
    package var audiences: [String] = []
    package var subject: String?
    /// `1h`, `90s`, `-5m` for a token that has expired already; `never` leaves `exp` out.
    package var expiresIn = "1h"

    package init(key: Key) { self.key = key }

    /// The token. `now` is in Unix seconds.
    package func run(now: Int64) throws(CommandFailure) -> String {
        let algorithm = try readAlgorithm()
        let claims = try claimsJSON(now: now)
        let key = try readKey()
        do throws(MintError) {
            return String(decoding: try TokenMint.token(claims: claims, algorithm: algorithm, key: key, kid: kid), as: UTF8.self)
        } catch {
            throw CommandFailure("No token was made: \(error.rawValue).")
        }
    }

    private func readAlgorithm() throws(CommandFailure) -> Algorithm {
        guard let name = algorithm else {
            if case .secretFile = key { return .hs256 }
            throw .usage("--key needs --alg: RS256, RS384, RS512, ES256, ES384 or ES512, whichever fits the key.")
        }
        guard let known = Algorithm(Array(name.utf8).span) else {
            throw .usage(
                "--alg \(name) is not an algorithm. These are: \(Algorithm.allCases.map { "\($0.name)" }.joined(separator: ", ")).")
        }
        return known
    }

    private func readKey() throws(CommandFailure) -> [UInt8] {
        switch key {
        case .privateKeyFile(let path): return try FileBytes.read(path, limit: 64 * 1024, called: "The key file")
        case .secretFile(let path, let name):
            guard let encoding = SecretEncoding(rawValue: name) else { throw .usage("--encoding takes utf8, base64 or hex.") }
            let file = try FileBytes.read(path, limit: 64 * 1024, called: "The secret file")
            do throws(KeyError) { return try KeyLoader.secretBytes(file, encoding: encoding) } catch {
                throw CommandFailure("The secret file \(path) can't be used: \(error).")
            }
        }
    }

    private func claimsJSON(now: Int64) throws(CommandFailure) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        if let issuer { writer.member("iss", issuer) }
        if let subject { writer.member("sub", subject) }
        writeAudience(&writer)
        writer.member("iat", now)
        if expiresIn != "never" { writer.member("exp", now + (try seconds())) }
        for claim in claims { try write(claim, &writer) }
        writer.endObject()
        return writer.bytes
    }

    private func writeAudience(_ writer: inout JSONWriter) {
        guard let first = audiences.first else { return }
        guard audiences.count > 1 else { return writer.member("aud", first) }
        writer.name("aud")
        writer.beginArray()
        for audience in audiences { writer.string(audience) }
        writer.endArray()
    }

    private func seconds() throws(CommandFailure) -> Int64 {
        let isPast = expiresIn.hasPrefix("-")
        guard let milliseconds = Quantity.duration.value(String(isPast ? expiresIn.dropFirst() : expiresIn[...])) else {
            throw .usage("--expires-in \(expiresIn) is not a duration. Write 90s, 15m, 8h, or --expires-in=-5m for an expired token.")
        }
        return (isPast ? -milliseconds : milliseconds) / 1000
    }

    private func write(_ claim: String, _ writer: inout JSONWriter) throws(CommandFailure) {
        guard let equals = claim.firstIndex(of: "="), equals != claim.startIndex else {
            throw .usage("--claim \(claim) is not name=value. Write --claim tenant_id=acme or --claim 'roles=[\"admin\"]'.")
        }
        let value = Array(claim[claim.index(after: equals)...].utf8)
        writer.name(String(claim[..<equals]))
        if (try? JSONDocument(value, limits: .token)) != nil { writer.raw(value) } else { writer.string(value) }
    }
}
