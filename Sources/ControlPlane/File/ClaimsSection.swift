import Tokens

/// `claims:` of a credential entry.
enum ClaimsSection {
    static let user = Key("user", .userClaim, .byDefault("[sub]"), "The directory's own user id, in its `id_format`.")
    static let tenant = Key("tenant", .claimPath, .byDefault("[tenant_id]"), "A string, or an array for a user of several tenants.")
    static let roles = Key(
        "roles", Kind.claimPath.or(.section(RolesSection.shape)), .byDefault("[roles]"), "An array of strings, or roles by tenant.")
    static let scopes = Key("scopes", .claimPath, .byDefault("[scope]"), "Separated by spaces, or an array.")
    static let shape = SectionShape("claims", [user.declaration, tenant.declaration, roles.declaration, scopes.declaration])

    static func read(_ section: Section) -> ClaimMap? {
        let (user, tenant, roles, scopes) = (
            section[user].flatMap(ClaimPath.init), section[tenant].flatMap(ClaimPath.init), readRoles(section),
            section[scopes].flatMap(ClaimPath.init)
        )
        guard let user, let tenant, let roles, let scopes else { return nil }
        return ClaimMap(user: user, tenant: tenant, roles: roles, scopes: scopes)
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

extension Kind where Value == [String] {
    /// A claim path; a map is what a later version makes of it.
    fileprivate static var userClaim: Kind {
        let path = claimPath
        return Kind(name: path.name, bound: path.bound, schema: path.schema, forms: path.forms) { node, reading in
            guard case .map(let entries, let place) = node, entries.contains(where: { $0.key == "alias" }) else {
                return path.read(node, reading)
            }
            reading.problems.error(
                place, "`alias` is not supported by this version", fix: "name the claim that holds the directory's own user id: `[sub]`")
            return nil
        }
    }
}
