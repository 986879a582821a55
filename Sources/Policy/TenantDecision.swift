/// The tenants that a verified token speaks for.
package enum TenantClaim: Hashable, Sendable {
    /// The token has no tenant claim.
    case none
    /// The claim is a string.
    case one(TenantID)
    /// The claim is an array, of any number.
    case many([TenantID])

    /// The tenant, where there is exactly one.
    package var only: TenantID? {
        switch self {
        case .none: nil
        case .one(let tenant): tenant
        case .many(let tenants): tenants.count == 1 ? tenants[0] : nil
        }
    }

    /// The tenant that `header` spells, if the token has it.
    func tenant(spelled header: Span<UInt8>) -> TenantID? {
        switch self {
        case .none: return nil
        case .one(let tenant): return tenant.id.matches(header) ? tenant : nil
        case .many(let tenants):
            let bits = UUIDBits(header)
            for tenant in tenants where tenant.id.matches(header, uuid: bits) { return tenant }
            return nil
        }
    }
}

/// What stage 4 decides.
package struct TenantSelection: Hashable, Sendable {
    /// The request's tenant: for suspension, roles by tenant, limits and the log. Nil where none is selected; then all that the
    /// credential has are meant.
    package let tenant: TenantID?
    /// Whether `tenant` is sent on as `X-Tenant-ID`, in the credential's spelling. Otherwise the upstream gets none.
    package let goesUpstream: Bool
}

/// Stage 4: holds `X-Tenant-ID` to the credential's tenant (SPEC §3).
package enum TenantDecision {
    /// Decides for a verified credential. `header` is the value of the one `X-Tenant-ID` line, nil where none was sent.
    ///
    /// Throws `.tenantRequired`, `.invalidTenantID`, `.tenantMismatch`. Allocates nothing.
    package static func decide(
        rule: TenantRule, header: Span<UInt8>?, claim: TenantClaim, format: IDFormat
    ) throws(Denial) -> TenantSelection {
        guard let header else {
            if rule == .required { throw .tenantRequired }
            return selection(claim.only, rule)
        }
        guard let held = claim.tenant(spelled: header) else {
            throw isTenantID(header, format) ? .tenantMismatch : .invalidTenantID
        }
        // Under `tenant: none` the upstream never learns which of several tenants was asked for, so asking selects none.
        return selection(rule == .none ? claim.only : held, rule)
    }

    /// Decides where no token is verified (`credential: none` or `upstream`): whether the client's own header goes on, as
    /// `tenant: unverified` says. One that goes on must at least be a tenant id. Throws `.invalidTenantID`.
    package static func passesUnverified(_ header: Span<UInt8>?, allowed: Bool, format: IDFormat) throws(Denial) -> Bool {
        guard allowed, let header else { return false }
        guard isTenantID(header, format) else { throw .invalidTenantID }
        return true
    }

    private static func selection(_ tenant: TenantID?, _ rule: TenantRule) -> TenantSelection {
        TenantSelection(tenant: tenant, goesUpstream: tenant != nil && rule != .none)
    }

    /// Whether a header's value could be some tenant's id, as `TenantID` would read it: visible ASCII, no comma (a list), of its format.
    private static func isTenantID(_ value: Span<UInt8>, _ format: IDFormat) -> Bool {
        guard (1...Limits.idBytes).contains(value.count) else { return false }
        for index in value.indices where value[index] < 0x21 || value[index] > 0x7E || value[index] == UInt8(ascii: ",") { return false }
        return format == .string || UUIDBits(value) != nil
    }
}
