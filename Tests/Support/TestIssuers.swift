/// The issuers that the tests' gateways trust, and the tenants and users that the tests speak of.
package enum TestIssuers {
    package static let jitsudo = TokenForge(
        issuer: "https://id.jitsudo.example", audience: "user-api", key: .hs256(secret: Array("jitsudo-secret-of-the-tests-0123".utf8)))
    package static let rinne = TokenForge(
        issuer: "https://id.rinne.example", audience: "core-api", key: .hs256(secret: Array("rinne-secret-of-the-tests-012345".utf8)))
    /// Speaks for users of JITSudo's tenant Globex only.
    package static let globexOnly = TokenForge(
        issuer: "https://login.globex.example", audience: "user-api", key: .ed25519(seed: Array(repeating: 7, count: 32)))
    /// Speaks for Rinne's users of the company South only.
    package static let southOnly = TokenForge(
        issuer: "https://login.south.example", audience: "core-api", key: .ed25519(seed: Array(repeating: 9, count: 32)))
    /// An identity provider that knows users by their addresses; trusted where a test says so.
    package static let login = TokenForge(
        issuer: "https://login.acme.example", audience: "user-api", key: .ed25519(seed: Array(repeating: 11, count: 32)))
    /// Trusted by nobody.
    package static let stranger = TokenForge(
        issuer: "https://id.jitsudo.example", audience: "user-api", key: .hs256(secret: Array("not-the-secret-of-anybody-0123456".utf8)))

    package static let acme = "a1a1a1a1-0000-4000-8000-00000000ace1"
    package static let globex = "b2b2b2b2-0000-4000-8000-0000000b10b2"
    package static let north = "comp_north"
    package static let south = "comp_south"

    /// An admin of Acme whom nobody suspends in these tests.
    package static let acmeAdmin = "0a000000-0000-4000-8000-000000000001"
    package static let acmeMember = "0b000000-0000-4000-8000-000000000002"
    package static let acmeOwner = "0c000000-0000-4000-8000-000000000003"
    package static let globexAdmin = "0d000000-0000-4000-8000-000000000004"
    package static let northAdmin = "usr_ana"
    package static let northMember = "usr_ben"
    package static let rootUser = "usr_root"

    /// A token of JITSudo's directory.
    package static func jitsudoToken(_ user: String, tenant: String = acme, roles: [String] = [], _ claims: [String: Any] = [:]) -> String {
        jitsudo.token(user: user, ["tenant_id": tenant, "roles": roles].merging(claims) { $1 })
    }

    /// A token that names its user by an address.
    package static func loginToken(_ email: String, tenant: Any = acme, _ claims: [String: Any] = [:]) -> String {
        login.token(
            user: "auth0|1", ["tenant_id": tenant, "email": email, "email_verified": true].merging(claims) { $1 })
    }

    /// A token of Rinne's directory.
    package static func rinneToken(_ user: String, tenant: Any = north, roles: [String] = [], _ claims: [String: Any] = [:]) -> String {
        rinne.token(user: user, ["tenant_id": tenant, "roles": roles].merging(claims) { $1 })
    }
}
