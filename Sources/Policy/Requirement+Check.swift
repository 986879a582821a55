/// The roles that a verified token gives its user.
package enum HeldRoles: Hashable, Sendable {
    /// The same in every tenant of the token.
    case flat([[UInt8]])
    /// `roles: {by_tenant: […]}`
    case byTenant([TenantRoles])

    package struct TenantRoles: Hashable, Sendable {
        package let tenant: TenantID
        package let roles: [[UInt8]]

        package init(tenant: TenantID, roles: [[UInt8]]) {
            self.tenant = tenant
            self.roles = roles
        }
    }

    /// Whether the user has this role in the request's tenant. A role by tenant counts in its tenant alone: none where none is selected.
    package func contains(_ role: [UInt8], in tenant: TenantID?) -> Bool {
        switch self {
        case .flat(let roles): roles.contains(role)
        case .byTenant(let entries): entries.contains { $0.tenant == tenant && $0.roles.contains(role) }
        }
    }
}

extension Requirement {
    /// Stage 6: any one of the roles and every one of the scopes, compared by their bytes.
    ///
    /// Throws `.insufficientRole`, `.insufficientScope`. Allocates nothing.
    package func check(roles held: HeldRoles, scopes heldScopes: [[UInt8]], tenant: TenantID?) throws(Denial) {
        guard case .credential(let roles, let scopes) = self else { return }
        if !roles.isEmpty, !roles.contains(where: { held.contains($0, in: tenant) }) { throw .insufficientRole }
        for scope in scopes where !heldScopes.contains(scope) { throw .insufficientScope }
    }
}
