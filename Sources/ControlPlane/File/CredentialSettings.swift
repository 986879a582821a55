package import Policy

/// One entry of `credentials`: whose tokens are taken for a directory, and what of them is believed (SPEC §2).
package struct CredentialSettings: Sendable {
    /// Its place in the file's list: `credentials[2]`.
    package var index: Int
    /// Nil means `issuer: absent`: tokens without `iss`.
    package var issuer: String?
    package var directory: DirectoryIndex
    /// Nil means `audience: any`.
    package var audience: [String]?
    /// Names of RFC 7518 as written: `HS256`.
    package var algorithms: [String]
    package var keys: KeySource
    package var claims: ClaimPaths
    /// The only tenants that these keys can vouch for; nil where the block isn't bound.
    package var tenants: [TenantID]?
    /// Seconds of clock difference.
    package var leeway: Int64
    /// Seconds from `iat` to `exp` at most; nil for no bound.
    package var maximumLifetime: Int64?
}

/// Where the keys of a credential block come from: files that exist and can be read.
package enum KeySource: Sendable {
    case secrets(files: [String], encoding: SecretEncoding)
    case pem(String)
    case jwks(String)
}

/// How a secret file writes its bytes; one trailing newline is not part of them.
package enum SecretEncoding: String, Sendable, CaseIterable {
    case utf8, base64, hex
}

/// Which claims say what: paths of object steps.
package struct ClaimPaths: Sendable {
    package var user: [String] = ["sub"]
    package var tenant: [String] = ["tenant_id"]
    package var roles: RolesClaim = .flat(["roles"])
    package var scopes: [String] = ["scope"]
}

/// Where the roles are.
package enum RolesClaim: Sendable, Equatable {
    /// One list for whichever tenant.
    case flat([String])
    /// `by_tenant`: an object from tenant to list.
    case byTenant([String])
}
