import Policy
import StrictJSON

/// The claims of a token whose signature is valid, held to the rules of its credential block.
struct VerifiedClaims {
    let dates: TokenDates
    /// Nil where the token names its user by an alias.
    let user: UserID?
    let alias: UserAlias?
    /// The user claim as the token writes it.
    let userText: [UInt8]
    let actors: [UserID]
    let tenants: TenantClaim
    let roles: HeldRoles
    let scopes: [[UInt8]]

    /// Throws the first rule that is broken. Whether the token has expired is not asked here.
    init(_ claims: ClaimSet, block: CredentialBlock, now: Int64) throws(TokenFault) {
        dates = try TokenDates(claims, block: block, now: now)
        let reader = ClaimReader(claims: claims, block: block)
        try reader.checkAudience()
        guard claims.value("cnf") == nil else { throw .confirmation }
        if let named = block.claims.alias {
            (alias, userText) = try reader.alias(named)
            user = nil
        } else {
            (user, userText) = try reader.user()
            alias = nil
        }
        actors = try reader.actors()
        tenants = try reader.tenants()
        try reader.checkBoundTenants(tenants)
        roles = try reader.roles()
        scopes = try reader.scopes()
    }
}

/// Reads each claim as its block says.
private struct ClaimReader {
    let claims: ClaimSet
    let block: CredentialBlock

    private var document: JSONDocument { claims.document }

    /// A string or an array of strings, of which one must be the block's (RFC 7519 §4.1.3). With `audience: any` it may be absent.
    func checkAudience() throws(TokenFault) {
        guard let value = claims.value("aud") else {
            guard block.audiences == nil else { throw .audience }
            return
        }
        if value.kind == .string {
            if let wanted = block.audiences, !wanted.contains(where: { document.isString(value, $0.span) }) { throw .audience }
        } else {
            let named = try claims.strings(value, limit: Limits.audiencesPerToken, otherwise: .audience)
            if let wanted = block.audiences, !named.contains(where: wanted.contains) { throw .audience }
        }
    }

    /// The directory's own id of the user.
    func user() throws(TokenFault) -> (UserID?, [UInt8]) {
        guard let value = try claims.value(at: block.claims.user, otherwise: .user), let text = document.string(value),
            let user = UserID(text.span, format: block.userFormat)
        else { throw .user }
        return (user, text)
    }

    /// Another name of the user. Who acts for the user would be named by the issuer's own ids, which say nothing here: such a token is refused.
    func alias(_ named: AliasClaim) throws(TokenFault) -> (UserAlias?, [UInt8]) {
        guard let value = try claims.value(at: block.claims.user, otherwise: .alias), let text = document.string(value),
            let alias = named.rule.value(text.span)
        else { throw .alias }
        if let condition = named.condition {
            guard let said = try claims.value(at: condition, otherwise: .aliasUnverified), document.bool(said) == true else {
                throw .aliasUnverified
            }
        }
        guard claims.value("act") == nil else { throw .aliasedActor }
        return (UserAlias(rule: named.rule, value: alias), text)
    }

    /// The chain of `act` (RFC 8693 §4.1), the current actor first: each level is held to the user's rules, and one that names
    /// another issuer than the token's is nobody of the directory.
    func actors() throws(TokenFault) -> [UserID] {
        var actors: [UserID] = []
        var level = claims.value("act")
        while let act = level {
            guard let value = document.member("sub", of: act), let text = document.string(value),
                let actor = UserID(text.span, format: block.userFormat)
            else { throw .actor }
            if let issuer = document.member("iss", of: act) {
                guard let own = block.issuer, document.isString(issuer, own.span) else { throw .actor }
            }
            actors.append(actor)
            level = document.member("act", of: act)
        }
        return actors
    }

    /// A string, or an array for a user of several tenants. An empty array is a credential without a tenant.
    func tenants() throws(TokenFault) -> TenantClaim {
        guard let value = try claims.value(at: block.claims.tenant, otherwise: .tenant) else { return .none }
        if let text = document.string(value) { return .one(try tenant(text, otherwise: .tenant)) }
        var tenants: [TenantID] = []
        for text in try claims.strings(value, limit: Limits.tenantsPerToken, otherwise: .tenant) {
            tenants.append(try tenant(text, otherwise: .tenant))
        }
        return tenants.isEmpty ? .none : .many(tenants)
    }

    private func tenant(_ text: [UInt8], otherwise fault: TokenFault) throws(TokenFault) -> TenantID {
        guard let tenant = TenantID(text.span, format: block.tenantFormat) else { throw fault }
        return tenant
    }

    /// One tenant's key can't vouch for another tenant's user, nor for a user without one.
    func checkBoundTenants(_ claim: TenantClaim) throws(TokenFault) {
        guard let bound = block.boundTenants else { return }
        let isBound =
            switch claim {
            case .none: false
            case .one(let tenant): bound.contains(tenant)
            case .many(let tenants): tenants.allSatisfy(bound.contains)
            }
        guard isBound else { throw .boundTenant }
    }

    func roles() throws(TokenFault) -> HeldRoles {
        switch block.claims.roles {
        case .flat(let path):
            guard let value = try claims.value(at: path, otherwise: .roles) else { return .flat([]) }
            return .flat(try claims.strings(value, limit: Limits.rolesPerToken, otherwise: .roles))
        case .byTenant(let path):
            guard let value = try claims.value(at: path, otherwise: .roles) else { return .byTenant([]) }
            return .byTenant(try rolesByTenant(value))
        }
    }

    /// An object from tenant to roles. Two spellings of one tenant are two answers to one question: refused.
    private func rolesByTenant(_ object: JSONValue) throws(TokenFault) -> [HeldRoles.TenantRoles] {
        guard object.kind == .object else { throw .roles }
        var entries: [HeldRoles.TenantRoles] = []
        var known: Set<TenantID> = []
        try document.forEachMember(of: object) { name, list throws(TokenFault) in
            guard let text = document.string(name), entries.count < Limits.tenantsPerToken else { throw .roles }
            let tenant = try tenant(text, otherwise: .roles)
            guard known.insert(tenant).inserted else { throw .roles }
            let roles = try claims.strings(list, limit: Limits.rolesPerToken, otherwise: .roles)
            entries.append(HeldRoles.TenantRoles(tenant: tenant, roles: roles))
            return true
        }
        return entries
    }

    /// Separated by spaces (RFC 6749 §3.3), or an array.
    func scopes() throws(TokenFault) -> [[UInt8]] {
        guard let value = try claims.value(at: block.claims.scopes, otherwise: .scopes) else { return [] }
        guard let text = document.string(value) else {
            return try claims.strings(value, limit: Limits.rolesPerToken, otherwise: .scopes)
        }
        var scopes: [[UInt8]] = []
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: UInt8(ascii: " ")) ?? text.count
            if end > start { scopes.append(Array(text[start..<end])) }
            start = end + 1
        }
        return scopes
    }
}
