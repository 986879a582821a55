import Foundation
import TestSupport
import Testing

/// Identity providers that others have written, from PyPI. `config/setup --test` installs them.
@Suite("identity providers", .timed, .enabled(if: Provider.python != nil, "the providers are not installed"))
struct ProviderTests {
    private let folder: TemporaryFolder
    private let service: RecordingUpstream

    init() throws {
        folder = try TemporaryFolder()
        service = try RecordingUpstream()
    }

    private func gateway(_ entry: String) throws -> Gateway {
        var file = GatewayFile(jitsudo: service.port, rinne: service.port)
        file.credentials = [entry]
        return try Gateway(file: file.write(to: folder), in: folder)
    }

    private func entry(_ provider: Provider, _ keys: String, tenant: String) -> String {
        "- {issuer: \"\(provider.issuer)\", directory: rinne, audience: [\"\(provider.audience)\"], algorithms: [RS256], "
            + "keys: {\(keys), refresh: 1s}, claims: {tenant: [\"\(tenant)\"]}}"
    }

    /// The token with one character of its signature changed.
    private func forged(_ token: String) -> String {
        let change: Character = token.dropLast(10).last == "A" ? "B" : "A"
        return token.dropLast(11) + String(change) + token.suffix(10)
    }

    @Test("moto's Cognito user pool: its tokens pass by the pool's key set, and go upstream with user and tenant")
    func cognito() throws {
        let provider = try Provider("cognito.py", [], in: folder)
        let url = try #require(provider.facts["jwks_url"] as? String)
        let gateway = try gateway(entry(provider, "jwks_url: \"\(url)\"", tenant: "custom:tenant_id"))
        let answer = try gateway.ask(rinneRequest(provider.token))
        #expect(answer.status == 200, "\(answer.text)\(gateway.process.errorText)")
        let request = try #require(service.takeRequests().first)
        #expect(request.field("x-user-id")?.count == 36)
        #expect(try gateway.ask(rinneRequest(forged(provider.token))).code == "invalid_token")
    }

    @Test("oidc-provider-mock by discovery: its tokens pass, also after it has another key, and the old ones stop")
    func openID() throws {
        let before = try Provider("openid.py", ["0"], in: folder)
        let port = try #require(before.facts["port"] as? Int)
        let gateway = try gateway(entry(before, "discovery: true", tenant: "tenant_id"))
        #expect(try gateway.ask(rinneRequest(before.token)).status == 200, "\(gateway.process.errorText)")
        before.stop()
        // While it is away its keys serve on.
        #expect(try gateway.ask(rinneRequest(before.token)).status == 200)
        let after = try Provider("openid.py", ["\(port)"], in: folder)
        #expect(after.issuer == before.issuer && after.token != before.token)
        let deadline = Date(timeIntervalSinceNow: 20)
        while try gateway.ask(rinneRequest(before.token)).status == 200, Date() < deadline {
            Thread.sleep(forTimeInterval: 0.02)  // between two questions
        }
        #expect(try gateway.ask(rinneRequest(before.token)).code == "invalid_token")
        #expect(try gateway.ask(rinneRequest(after.token)).status == 200, "\(gateway.process.errorText)")
    }
}
