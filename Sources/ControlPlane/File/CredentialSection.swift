import Policy
import Tokens

/// One entry of `credentials`.
enum CredentialSection {
    static let issuer = Key(
        "issuer", Kind.text("issuer", bytes: 2048).located, .required, "The exact `iss` of its tokens; `absent` serves tokens without one.")
    static let directory = Key(
        "directory", Kind.text("name of a directory", bytes: 64).located, .required, "Whose users its tokens speak for.")
    static let audience = Key(
        "audience", Kind<[String]>.list(of: .text("audience", bytes: 2048), 1...64).or(.word([("any", Off())])), .required,
        "`aud` must meet one of these; to take every audience, `any` must be written.")
    static let algorithms = Key(
        "algorithms", .list(of: .algorithm, 1...13), .required, "The only ones taken, whatever a token says of itself.")
    static let keys = Key("keys", .section(KeysSection.shape), .required, "What signatures are checked by: exactly one source.")
    static let claims = Key("claims", .section(ClaimsSection.shape), .byDefault("{}"), "Which claims say who the caller is.")
    static let tenants = Key(
        "tenants", .list(of: Kind.text("tenant id", bytes: Limits.idBytes).located, 1...4096), .optional("the keys vouch for every tenant"),
        "The only tenants that these keys can vouch for; the claim is then required and every tenant in it must be listed.")
    static let severalTenants = Key(
        "several_tenants", .boolean,
        .optional("`true` where the dialect's reach is `directory` and `tenants` hasn't just one entry, else `false`"),
        "Whether tokens are expected to carry several tenants: `require: {roles}` then needs `roles: {by_tenant: …}`. One that does where "
            + "it isn't is held to the tenants it carries all the same; roles that it doesn't give by tenant count for none of them.")
    static let leeway = Key(
        "leeway", .duration("0s", "5m"), .byDefault("\(Limits.leeway)s"), "Clock difference allowed for `exp`, `nbf` and `iat`.")
    static let maximumLifetime = Key(
        "max_lifetime", .duration("1s", "8760h"), .optional("no bound"), "The longest time from `iat` to `exp`; `iat` is then required.")
    static let freshTokens = Key(
        "fresh_token_after_reactivation", .boolean, .byDefault("false"),
        "`true`: after a user's reactivation only tokens with a later `iat` are taken; `iat` is then required.")
    static let shape = SectionShape(
        "credential",
        [
            issuer.declaration, directory.declaration, audience.declaration, algorithms.declaration, keys.declaration, claims.declaration,
            tenants.declaration, severalTenants.declaration, leeway.declaration, maximumLifetime.declaration,
            freshTokens.declaration,
        ], later: ["token_from"])

    /// What later checks need beside the block: which is nil where something of it is wrong.
    struct Draft {
        let section: Section
        let issuer: Located<String>?
        let directory: DirectoryIndex?
        let carriesSeveralTenants: Bool?
        let hasFlatRoles: Bool
        let block: CredentialBlock?
        /// Nil where the file has the keys.
        let fetched: FetchedKeys?
    }

    static func read(_ section: Section, directories: [DirectorySettings?], names: NameTable) -> Draft {
        let issuer = section[issuer]
        let directory = section[directory].flatMap { names.resolve($0, "directory", section.reading.problems) }
        let audience = section[audience]
        let algorithms = section[algorithms].map(AlgorithmSet.init)
        let keys = section[keys].flatMap { KeysSection.read($0, issuer: issuer, allowed: algorithms) }
        let dialect = directory.flatMap { directories[$0]?.dialect }
        let claims = section[claims].flatMap { ClaimsSection.read($0, dialect: dialect) }
        let (leeway, lifetime) = (section[leeway], section[maximumLifetime])
        let tenants = readTenants(section, dialect: dialect)
        let (several, fresh) = (section[severalTenants], section[freshTokens])
        if case .loaded(let keys)? = keys { checkUnserved(section, algorithms, keys) }

        var block: CredentialBlock?
        if let issuer, let directory, let audience, let algorithms, let keys, let claims, let leeway, let fresh,
            tenants != nil || !section.has(Self.tenants)
        {
            block = make(section) { () throws(CredentialBlockError) in
                try CredentialBlock(
                    issuer: issuer.value == "absent" ? nil : Array(issuer.value.utf8), directory: directory,
                    userFormat: dialect?.idFormat ?? .string, tenantFormat: dialect?.tenantFormat ?? .string,
                    audiences: audiences(audience), algorithms: algorithms, keys: keys.loaded,
                    origin: keys.fetched?.origin, claims: claims, boundTenants: tenants, leeway: leeway / 1000,
                    maximumLifetime: lifetime.map { $0 / 1000 }, wantsFreshTokens: fresh)
            }
        }
        let isFlat = if case .flat? = claims?.roles { true } else { false }
        let defaultSeveral = dialect.map { $0.reach == .directory && tenants?.count != 1 }
        return Draft(
            section: section, issuer: issuer, directory: directory, carriesSeveralTenants: several ?? defaultSeveral, hasFlatRoles: isFlat,
            block: block, fetched: keys?.fetched)
    }

    private static func make(_ section: Section, _ make: () throws(CredentialBlockError) -> CredentialBlock) -> CredentialBlock? {
        do {
            return try make()
        } catch {
            section.reading.problems.error(section.place, "these credentials can't be used: \(error.rawValue)", fix: "correct this entry")
            return nil
        }
    }

    private static func audiences(_ audience: Either<[String], Off>) -> [[UInt8]]? {
        if case .first(let list) = audience { list.map { Array($0.utf8) } } else { nil }
    }

    /// Nil where none are listed or one doesn't fit the directory's format (reported).
    private static func readTenants(_ section: Section, dialect: Dialect?) -> Set<TenantID>? {
        guard let written = section[tenants] else { return nil }
        guard let dialect else { return [] }
        var tenants: Set<TenantID> = []
        for text in written {
            let bytes = Array(text.value.utf8)
            guard let tenant = TenantID(bytes.span, format: dialect.tenantFormat) else {
                section.reading.problems.error(
                    text.place, "`\(text.value)` is not a tenant id of this directory (\(dialect.tenantFormat.rawValue))",
                    fix: dialect.tenantFormat == .uuid ? "write a hyphenated uuid" : "write visible ASCII without commas")
                continue
            }
            if !tenants.insert(tenant).inserted {
                section.reading.problems.error(text.place, "this tenant is listed twice", fix: "remove one")
            }
        }
        return tenants.count == written.count ? tenants : nil
    }

    private static func checkUnserved(_ section: Section, _ algorithms: AlgorithmSet?, _ keys: [VerificationKey]) {
        guard let algorithms else { return }
        for algorithm in algorithms.all where !keys.contains(where: { $0.algorithms.contains(algorithm) }) {
            section.reading.problems.warning(
                section.place(Self.algorithms), "no key of this entry serves \(algorithm.name)",
                fix: "remove it from `algorithms`, or add the key")
        }
    }
}

extension Kind where Value == Algorithm {
    /// The exact names of RFC 7518 and RFC 8037.
    fileprivate static var algorithm: Kind {
        var kind = word(Algorithm.allCases.map { ("\($0.name)", $0) })
        kind.name = "algorithm"
        return kind
    }
}
