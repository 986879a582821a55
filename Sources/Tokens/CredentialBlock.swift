package import Policy

/// A way to a claim: names of members from the payload's root, never a dotted string. Not empty.
package struct ClaimPath: Hashable, Sendable {
    package let steps: [[UInt8]]

    /// Nil for no steps, more than tokens are deep, an empty name, or one with a NUL (no token can have it).
    package init?(_ steps: [String]) {
        guard (1...Limits.tokenDepth).contains(steps.count), steps.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(0) }) else { return nil }
        self.steps = steps.map { Array($0.utf8) }
    }

    /// A single step.
    init(_ name: StaticString) { steps = [name.withUTF8Buffer { unsafe Array($0) }] }
}

/// What a user claim means that names its user by an alias.
package struct AliasClaim: Hashable, Sendable {
    /// The dialect's.
    package let rule: AliasRule
    /// The boolean claim that must be true: that the issuer has verified the alias, too. Nil where the issuer's word is taken without.
    package let condition: ClaimPath?

    package init(rule: AliasRule, condition: ClaimPath? = nil) {
        self.rule = rule
        self.condition = condition
    }
}

/// Which claims say who the caller is.
package struct ClaimMap: Hashable, Sendable {
    /// Where the roles are.
    package enum Roles: Hashable, Sendable {
        /// An array of strings, for whichever tenant.
        case flat(ClaimPath)
        /// An object from tenant to array.
        case byTenant(ClaimPath)
    }

    package var user: ClaimPath
    /// Set where the user claim is no id of the directory but an alias.
    package var alias: AliasClaim?
    package var tenant: ClaimPath
    package var roles: Roles
    package var scopes: ClaimPath

    /// The defaults of SPEC §2.
    package init(
        user: ClaimPath = ClaimPath("sub"), alias: AliasClaim? = nil, tenant: ClaimPath = ClaimPath("tenant_id"),
        roles: Roles = .flat(ClaimPath("roles")), scopes: ClaimPath = ClaimPath("scope")
    ) {
        self.alias = alias
        self.user = user
        self.tenant = tenant
        self.roles = roles
        self.scopes = scopes
    }
}

/// One entry of the file's `credentials`: whose tokens a directory takes, and by which keys (SPEC §2).
///
/// Everything about a token is decided here and nothing by the token itself.
package struct CredentialBlock: Sendable {
    /// The exact bytes of `iss`; nil serves tokens without one.
    package var issuer: [UInt8]?
    package var directory: DirectoryIndex
    /// The directory's formats.
    package var userFormat: IDFormat
    package var tenantFormat: IDFormat
    /// `aud` must meet one of them; nil takes any.
    package var audiences: [[UInt8]]?
    package var algorithms: AlgorithmSet
    /// The file's own keys; empty where they are fetched.
    package var keys: [VerificationKey]
    /// Where they are fetched from; nil where the file has them.
    package var origin: KeyOrigin?
    package var claims: ClaimMap
    /// The only tenants that these keys can vouch for; the claim is then required. Nil doesn't bind.
    package var boundTenants: Set<TenantID>?
    /// Seconds of clock difference.
    package var leeway: Int64
    /// Seconds from `iat` to `exp` at most, `iat` then being required; nil for no bound.
    package var maximumLifetime: Int64?
    /// Tokens must be newer than their user's last reactivation, `iat` then being required.
    package var wantsFreshTokens: Bool

    /// Throws where the block could never take a token, or could take one that nobody meant.
    package init(
        issuer: [UInt8]?, directory: DirectoryIndex, userFormat: IDFormat, tenantFormat: IDFormat, audiences: [[UInt8]]?,
        algorithms: AlgorithmSet, keys: [VerificationKey] = [], origin: KeyOrigin? = nil, claims: ClaimMap = ClaimMap(),
        boundTenants: Set<TenantID>? = nil, leeway: Int64 = Int64(Limits.leeway), maximumLifetime: Int64? = nil,
        wantsFreshTokens: Bool = false
    ) throws(CredentialBlockError) {
        self.issuer = issuer
        self.directory = directory
        self.userFormat = userFormat
        self.tenantFormat = tenantFormat
        self.audiences = audiences
        self.algorithms = algorithms
        self.keys = keys
        self.origin = origin
        self.claims = claims
        self.boundTenants = boundTenants
        self.leeway = leeway
        self.maximumLifetime = maximumLifetime
        self.wantsFreshTokens = wantsFreshTokens
        try check()
        try checkKeys()
    }

    /// Those of `keys` that a token with this header may be verified by, at most `Limits.keysTried`.
    ///
    /// A `kid` picks the keys of that name; keys without a name of their own (secrets, PEM files) can't be picked and are tried
    /// whatever the token calls its key.
    static func fitting(_ header: TokenHeader, of keys: [VerificationKey]) -> [VerificationKey] {
        guard let kid = header.kid else { return fitting(header, of: keys) { _ in true } }
        let named = fitting(header, of: keys) { $0.kid == kid }
        return named.isEmpty ? fitting(header, of: keys) { $0.kid == nil } : named
    }

    private static func fitting(
        _ header: TokenHeader, of keys: [VerificationKey], _ isPicked: (VerificationKey) -> Bool
    ) -> [VerificationKey] {
        var fitting: [VerificationKey] = []
        for key in keys where key.algorithms.contains(header.algorithm) && isPicked(key) {
            fitting.append(key)
            if fitting.count == Limits.keysTried { break }
        }
        return fitting
    }
}

/// Why a credential block can't be used.
package enum CredentialBlockError: String, Error, Sendable, CaseIterable {
    case emptyIssuer = "the issuer is empty; write `issuer: absent` for tokens without `iss`"
    case noAudience = "no audience; write `audience: any` to take every one"
    case noAlgorithm = "no algorithm is allowed"
    case noKey = "no key, or keys beside fetched ones"
    case unusedKey = "a key that serves none of the allowed algorithms"
    case tooManyKeys = "more keys without a `kid` for one algorithm than are tried for a token (4)"
    case noBoundTenant = "the list of tenants is empty"
    case leeway = "the leeway is not between 0 and 300 seconds"
    case maximumLifetime = "the maximum lifetime is not positive"
}

extension CredentialBlock {
    /// Whether it says of every token exactly what `other` says. The same keys may have been loaded another time, and fetched ones be
    /// fetched at other times.
    package func judges(as other: CredentialBlock) -> Bool {
        issuer == other.issuer && directory == other.directory && userFormat == other.userFormat && tenantFormat == other.tenantFormat
            && audiences == other.audiences && algorithms == other.algorithms && claims == other.claims
            && boundTenants == other.boundTenants && leeway == other.leeway && maximumLifetime == other.maximumLifetime
            && wantsFreshTokens == other.wantsFreshTokens && hasKeys(of: other)
    }

    private func hasKeys(of other: CredentialBlock) -> Bool {
        if let origin, let theirs = other.origin { return origin.document == theirs.document }
        return origin == nil && other.origin == nil && keys.count == other.keys.count
            && zip(keys, other.keys).allSatisfy { $0.isSame(as: $1) }
    }

    private func check() throws(CredentialBlockError) {
        if let issuer, issuer.isEmpty { throw .emptyIssuer }
        if let audiences, audiences.isEmpty || audiences.contains([]) { throw .noAudience }
        if algorithms.isEmpty { throw .noAlgorithm }
        if let boundTenants, boundTenants.isEmpty { throw .noBoundTenant }
        guard (0...Limits.leewayMaximum).contains(leeway) else { throw .leeway }
        if let maximumLifetime, maximumLifetime <= 0 { throw .maximumLifetime }
    }

    private func checkKeys() throws(CredentialBlockError) {
        guard keys.isEmpty != (origin == nil) else { throw .noKey }
        if let origin, origin.algorithms != algorithms { throw .unusedKey }
        // A key is bound when it is loaded: what it was allowed there must be what the block allows.
        for key in keys where key.algorithms.intersection(algorithms) != key.algorithms { throw .unusedKey }
        for algorithm in algorithms.all {
            guard keys.count(where: { $0.kid == nil && $0.algorithms.contains(algorithm) }) <= Limits.keysTried else { throw .tooManyKeys }
        }
    }
}
