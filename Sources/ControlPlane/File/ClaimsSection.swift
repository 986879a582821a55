import Policy
import Tokens

/// `claims:` of a credential entry.
enum ClaimsSection {
    static let user = Key(
        "user", .userClaim, .byDefault("[sub]"),
        "The directory's own user id, in its `id_format`; or another name of the user, by an alias of the dialect.")
    static let tenant = Key("tenant", .claimPath, .byDefault("[tenant_id]"), "A string, or an array for a user of several tenants.")
    static let roles = Key(
        "roles", Kind.claimPath.or(.section(RolesSection.shape)), .byDefault("[roles]"), "An array of strings, or roles by tenant.")
    static let scopes = Key("scopes", .claimPath, .byDefault("[scope]"), "Separated by spaces, or an array.")
    static let shape = SectionShape("claims", [user.declaration, tenant.declaration, roles.declaration, scopes.declaration])

    static func read(_ section: Section, dialect: Dialect?) -> ClaimMap? {
        let (user, tenant, roles, scopes) = (
            readUser(section, dialect: dialect), section[tenant].flatMap(ClaimPath.init), readRoles(section),
            section[scopes].flatMap(ClaimPath.init)
        )
        guard let user, let tenant, let roles, let scopes else { return nil }
        return ClaimMap(user: user.user, alias: user.alias, tenant: tenant, roles: roles, scopes: scopes)
    }

    private static func readUser(_ section: Section, dialect: Dialect?) -> (user: ClaimPath, alias: AliasClaim?)? {
        switch section[user] {
        case .first(let path)?: ClaimPath(path).map { ($0, nil) }
        case .second(let map)?: UserClaimSection.read(map, dialect: dialect).map { ($0.user, $0.alias) }
        case nil: nil
        }
    }

    private static func readRoles(_ section: Section) -> ClaimMap.Roles? {
        switch section[roles] {
        case .first(let path)?: ClaimPath(path).map(ClaimMap.Roles.flat)
        case .second(let map)?: map[RolesSection.byTenant].flatMap(ClaimPath.init).map(ClaimMap.Roles.byTenant)
        case nil: nil
        }
    }
}

/// `roles: {by_tenant: …}`
enum RolesSection {
    static let byTenant = Key("by_tenant", .claimPath, .required, "An object from tenant to an array of roles.")
    static let shape = SectionShape("roles", [byTenant.declaration])
}

extension Kind where Value == Either<[String], Section> {
    /// A claim path, or a map that says what the claim holds.
    fileprivate static var userClaim: Kind {
        let path = Kind<[String]>.claimPath
        var kind = path.or(.section(UserClaimSection.shape))
        let read = kind.read
        kind.read = { node, reading in
            if case .scalar = node { return path.read(node, reading).map(Either.first) }
            return read(node, reading)
        }
        return kind
    }
}
