import COpenSSL
import Foundation

/// Makes compact JWS of the tests' own, good and bad, without any code of the gateway's.
package struct TokenForge: Sendable {
    package enum Key: Sendable {
        case hs256(secret: [UInt8])
        /// Ed25519, by its 32-byte seed.
        case ed25519(seed: [UInt8])

        var algorithm: String {
            switch self {
            case .hs256: "HS256"
            case .ed25519: "EdDSA"
            }
        }
    }

    package let issuer: String
    package let audience: String
    package let key: Key

    package init(issuer: String, audience: String, key: Key) {
        self.issuer = issuer
        self.audience = audience
        self.key = key
    }

    /// A token that is valid for an hour; `claims` are added to, or replace, the usual ones. JSON null takes a claim away.
    package func token(user: String, _ claims: [String: Any] = [:], expiresIn seconds: Int = 3600) -> String {
        let now = Int(Date().timeIntervalSince1970)
        var payload: [String: Any] = ["iss": issuer, "aud": audience, "sub": user, "iat": now, "exp": now + seconds]
        payload.merge(claims) { $1 }
        payload = payload.filter { !($0.value is NSNull) }
        return sign(header: ["alg": key.algorithm, "typ": "JWT"], payload: payload)
    }

    /// Any header and payload, signed with this key.
    package func sign(header: [String: Any], payload: [String: Any]) -> String {
        let signed = [header, payload].map { base64URL(json($0)) }.joined(separator: ".")
        return "\(signed).\(base64URL(signature(Array(signed.utf8))))"
    }

    private func json(_ object: [String: Any]) -> [UInt8] {
        (try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])).map { Array($0) } ?? []
    }

    private func signature(_ message: [UInt8]) -> [UInt8] {
        switch key {
        case .hs256(let secret):
            var out = [UInt8](repeating: 0, count: 32)
            _ = unsafe HMAC(EVP_sha256(), secret, Int32(secret.count), message, message.count, &out, nil)
            return out
        case .ed25519(let seed):
            let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)
            let context = unsafe EVP_MD_CTX_new()
            defer {
                unsafe EVP_MD_CTX_free(context)
                unsafe EVP_PKEY_free(key)
            }
            var out = [UInt8](repeating: 0, count: 64)
            var size = out.count
            _ = unsafe EVP_DigestSignInit(context, nil, nil, nil, key)
            _ = unsafe EVP_DigestSign(context, &out, &size, message, message.count)
            return out
        }
    }
}

extension TokenForge.Key {
    /// The 32 bytes of the public half. Nil for secrets.
    package var publicBytes: [UInt8]? {
        guard case .ed25519(let seed) = self else { return nil }
        var raw = [UInt8](repeating: 0, count: 32)
        var size = raw.count
        let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)
        defer { unsafe EVP_PKEY_free(key) }
        _ = unsafe EVP_PKEY_get_raw_public_key(key, &raw, &size)
        return raw
    }

    /// The public half as a PEM file, as the gateway's `pem_file` takes it. Nil for secrets.
    package var publicPEM: String? {
        guard let raw = publicBytes else { return nil }
        // SubjectPublicKeyInfo of RFC 8410 §4: a fixed prefix, then the key.
        let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
        return "-----BEGIN PUBLIC KEY-----\n\(Data(prefix + raw).base64EncodedString())\n-----END PUBLIC KEY-----\n"
    }
}

/// Base64url without padding (RFC 7515 §2).
package func base64URL(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
}
