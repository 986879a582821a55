import Foundation

/// An issuer of the tests' own: a real server that publishes a key set, and the tokens that its keys sign.
package final class FetchedIssuer: Sendable {
    /// The `iss` of its tokens.
    package let name: String
    package let server: RecordingUpstream
    private let certificate: TestCertificate?

    /// Listens with TLS where a certificate is given. It publishes no key yet.
    package init(_ name: String, certificate: TestCertificate? = nil) throws {
        self.name = name
        self.certificate = certificate
        server = try RecordingUpstream(certificate: certificate) { _ in [.json(#"{"keys":[]}"#), .close] }
    }

    /// The key set's address.
    package var url: String { "\(certificate == nil ? "http" : "https")://localhost:\(server.port)/keys" }

    /// An Ed25519 key pair, by number.
    package static func key(_ number: UInt8) -> TokenForge.Key { .ed25519(seed: Array(repeating: number, count: 32)) }

    /// A key as a set has it.
    package static func jwk(_ kid: String, _ number: UInt8) -> String {
        #"{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"\#(kid)","x":"\#(base64URL(key(number).publicBytes ?? []))"}"#
    }

    /// A set of these members.
    package static func set(_ members: [String]) -> String { "{\"keys\":[\(members.joined(separator: ","))]}" }

    /// Publishes these keys, by `kid` and number, from the next fetch on.
    package func publish(_ keys: [(kid: String, number: UInt8)]) {
        let text = Self.set(keys.map { Self.jwk($0.kid, $0.number) })
        server.answer { _ in [.json(text), .close] }
    }

    /// A token for a user of Rinne's directory.
    package func token(_ kid: String?, _ number: UInt8, user: String = TestIssuers.northAdmin) -> String {
        let forge = TokenForge(issuer: name, audience: "core-api", key: Self.key(number))
        let now = Int(Date().timeIntervalSince1970)
        var header: [String: Any] = ["alg": "EdDSA", "typ": "JWT"]
        if let kid { header["kid"] = kid }
        return forge.sign(
            header: header,
            payload: [
                "iss": name, "aud": "core-api", "sub": user, "tenant_id": TestIssuers.north, "iat": now, "exp": now + 3600,
            ])
    }

    /// The entry of `credentials` that takes its tokens. `keys` are further settings of `keys`; its own certificate is trusted, or another.
    package func entry(_ keys: String = "refresh: 1s", source: String? = nil, trusting other: TestCertificate? = nil) -> String {
        let trust = (other ?? certificate).map { ", ca_file: \($0.chainFile)" } ?? ""
        let source = source ?? "jwks_url: \"\(url)\""
        return "- {issuer: \"\(name)\", directory: rinne, audience: [core-api], algorithms: [EdDSA], keys: {\(source), \(keys)\(trust)}}"
    }
}

/// A request that any token of Rinne's directory may make.
package func rinneRequest(_ token: String) -> String {
    "GET /core/v1/things HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer \(token)\r\n\r\n"
}
