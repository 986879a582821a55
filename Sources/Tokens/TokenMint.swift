import CJWT
import Glibc
import StrictJSON

/// Makes tokens with libjwt: for `tenantgate token`, the demo and tests. The gateway itself never signs anything.
package enum TokenMint {
    /// A compact JWS over `claims`, the JSON text of an object; its header is `alg`, `typ: JWT` and `kid` if given.
    ///
    /// `key` is the secret's bytes for HS, an unencrypted private key in PEM for RS and ES. libjwt knows neither PS nor EdDSA.
    package static func token(claims: [UInt8], algorithm: Algorithm, key: [UInt8], kid: String? = nil) throws(MintError) -> [UInt8] {
        let method = try check(claims, algorithm, key)
        var made: OpaquePointer?
        guard unsafe jwt_new(&made) == 0, let jwt = unsafe made else { throw .refused }
        defer { unsafe jwt_free(jwt) }
        if let kid, unsafe jwt_add_header(jwt, "kid", kid) != 0 { throw .refused }
        let hasClaims = unsafe (claims + [0]).withUnsafeBytes {
            unsafe jwt_add_grants_json(jwt, $0.assumingMemoryBound(to: CChar.self).baseAddress)
        }
        guard hasClaims == 0 else { throw .claims }
        guard unsafe jwt_set_alg(jwt, method, key, Int32(key.count)) == 0 else { throw .key }
        guard let text = unsafe jwt_encode_str(jwt) else { throw .key }
        defer { unsafe free(text) }
        let token = unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
        try checkCurve(token, algorithm)
        return token
    }

    private static func check(_ claims: [UInt8], _ algorithm: Algorithm, _ key: [UInt8]) throws(MintError) -> jwt_alg_t {
        guard let method = method(algorithm) else { throw .algorithm }
        guard let document = try? JSONDocument(claims), document.root.kind == .object else { throw .claims }
        if algorithm.keyType == .secret {
            guard let width = algorithm.hash?.width, key.count >= width else { throw .shortSecret }
        } else if String(decoding: key, as: UTF8.self).contains("ENCRYPTED") {
            // libcrypto would ask for its password on the terminal.
            throw .encryptedKey
        }
        return method
    }

    private static func method(_ algorithm: Algorithm) -> jwt_alg_t? {
        switch algorithm {
        case .hs256: JWT_ALG_HS256
        case .hs384: JWT_ALG_HS384
        case .hs512: JWT_ALG_HS512
        case .rs256: JWT_ALG_RS256
        case .rs384: JWT_ALG_RS384
        case .rs512: JWT_ALG_RS512
        case .es256: JWT_ALG_ES256
        case .es384: JWT_ALG_ES384
        case .es512: JWT_ALG_ES512
        case .ps256, .ps384, .ps512, .edDSA: nil
        }
    }

    /// libjwt signs with a key on whichever curve; the length of the signature tells.
    private static func checkCurve(_ token: [UInt8], _ algorithm: Algorithm) throws(MintError) {
        guard case .ec(let curve) = algorithm.keyType else { return }
        let signature = token.split(separator: UInt8(ascii: ".")).last.map(Array.init) ?? []
        guard Base64URL.decode(signature.span)?.count == 2 * curve.width else { throw .key }
    }
}

/// Why a token can't be made.
package enum MintError: String, Error, Sendable, CaseIterable {
    case algorithm = "libjwt signs with HS, RS and ES algorithms only"
    case claims = "the claims are not a JSON object without duplicate names"
    case shortSecret = "the secret is shorter than the algorithm's hash"
    case encryptedKey = "the private key is encrypted"
    case key = "the key does not fit the algorithm; RS and ES take a private key in PEM"
    case refused = "libjwt refused"
}
