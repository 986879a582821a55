import Policy
import TestSupport
import Testing

/// The tenant rule (SPEC §3), in tables.
@Suite struct TenantDecisionTests {
    private static let lower = "0f8fad5b-d9cb-469f-a165-70867728950e"
    private static let upper = "0F8FAD5B-D9CB-469F-A165-70867728950E"
    private static let other = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

    /// What is decided: the selected tenant's spelling and whether it goes upstream, or the refusal.
    private enum Outcome: Equatable { case tenant(String, upstream: Bool), noTenant, refused(Denial) }

    private func decide(_ rule: TenantRule, _ header: String?, _ claim: TenantClaim, _ format: IDFormat) -> Outcome {
        do throws(Denial) {
            let value = header.map { bytes($0) }
            let selection =
                if let value {
                    try TenantDecision.decide(rule: rule, header: value.span, claim: claim, format: format)
                } else {
                    try TenantDecision.decide(rule: rule, header: nil, claim: claim, format: format)
                }
            guard let tenant = selection.tenant else { return selection.goesUpstream ? .tenant("", upstream: true) : .noTenant }
            return .tenant(text(tenant.spelling), upstream: selection.goesUpstream)
        } catch {
            return .refused(error)
        }
    }

    @Test("one tenant in the credential: the header must be it", arguments: TenantRule.allCases)
    func oneTenant(rule: TenantRule) {
        let claim = TenantClaim.one(tenant("acme"))
        let selected = Outcome.tenant("acme", upstream: rule != .none)
        #expect(decide(rule, "acme", claim, .string) == selected)
        #expect(decide(rule, nil, claim, .string) == (rule == .required ? .refused(.tenantRequired) : selected))
        for wrong in ["Acme", "acm", "acme2", "globex"] { #expect(decide(rule, wrong, claim, .string) == .refused(.tenantMismatch)) }
    }

    @Test("several tenants in the credential: the header picks one of them, without it there is none", arguments: TenantRule.allCases)
    func severalTenants(rule: TenantRule) {
        let claim = TenantClaim.many([tenant("acme"), tenant("globex")])
        for held in ["acme", "globex"] {
            #expect(decide(rule, held, claim, .string) == (rule == .none ? .noTenant : .tenant(held, upstream: true)))
        }
        #expect(decide(rule, nil, claim, .string) == (rule == .required ? .refused(.tenantRequired) : .noTenant))
        #expect(decide(rule, "initech", claim, .string) == .refused(.tenantMismatch))
        #expect(decide(rule, "acme,globex", claim, .string) == .refused(.invalidTenantID))
    }

    @Test("an array of one is that tenant, an empty one is none", arguments: TenantRule.allCases)
    func arrays(rule: TenantRule) {
        let one = TenantClaim.many([tenant("acme")])
        #expect(
            decide(rule, nil, one, .string) == (rule == .required ? .refused(.tenantRequired) : .tenant("acme", upstream: rule != .none)))
        #expect(decide(rule, "acme", .many([]), .string) == .refused(.tenantMismatch))
        #expect(decide(rule, nil, .many([]), .string) == (rule == .required ? .refused(.tenantRequired) : .noTenant))
    }

    @Test("a credential without a tenant matches no header", arguments: TenantRule.allCases)
    func noTenant(rule: TenantRule) {
        #expect(decide(rule, "acme", .none, .string) == .refused(.tenantMismatch))
        #expect(decide(rule, nil, .none, .string) == (rule == .required ? .refused(.tenantRequired) : .noTenant))
    }

    @Test("a uuid is compared without regard to case, and sent in the credential's spelling")
    func uuids() {
        for (claimed, sent) in [(Self.lower, Self.upper), (Self.upper, Self.lower), (Self.lower, Self.lower)] {
            let claim = TenantClaim.one(tenant(claimed, .uuid))
            #expect(decide(.required, sent, claim, .uuid) == .tenant(claimed, upstream: true))
            #expect(decide(.required, Self.other, claim, .uuid) == .refused(.tenantMismatch))
        }
        let strings = TenantClaim.one(tenant(Self.lower, .string))
        #expect(decide(.required, Self.upper, strings, .string) == .refused(.tenantMismatch))
    }

    @Test(
        "what is no uuid is invalid where tenants are uuids, before it is compared",
        arguments: [
            "", "acme", "{\(lower)}", "urn:uuid:\(lower)", lower + "0", String(lower.dropLast()), lower.replacing("-", with: ""),
            "\(lower),\(lower)", "\(lower), \(other)", " \(lower)", "\(lower) ", lower.replacing("f", with: "g"),
            lower.replacing("-", with: "_"),
            "00000000-0000-0000-0000-00000000000\u{E9}",
        ])
    func notUUIDs(header: String) {
        for claim in [TenantClaim.none, .one(tenant(Self.lower, .uuid)), .many([tenant(Self.lower, .uuid), tenant(Self.other, .uuid)])] {
            #expect(decide(.required, header, claim, .uuid) == .refused(.invalidTenantID))
            #expect(decide(.optional, header, claim, .uuid) == .refused(.invalidTenantID))
        }
    }

    @Test(
        "a tenant is visible ASCII, one, and of bounded length",
        arguments: [
            "", " ", "a b", "a,b", "acme,", ",", "acm\u{E9}", "a\tb", "a\u{7F}", "\u{0}", String(repeating: "x", count: Limits.idBytes + 1),
        ])
    func notStrings(header: String) {
        #expect(decide(.optional, header, .one(tenant("acme")), .string) == .refused(.invalidTenantID))
    }

    @Test("odd but visible tenants pass", arguments: ["~", "a;b", "\"acme\"", "urn:x:1", String(repeating: "x", count: Limits.idBytes)])
    func strings(header: String) {
        #expect(decide(.required, header, .one(tenant(header)), .string) == .tenant(header, upstream: true))
    }

    @Test("an unverified header goes on only where the route says so, and only as a tenant id")
    func unverified() throws {
        #expect(try !TenantDecision.passes("acme", allowed: false, format: .string))
        #expect(try !TenantDecision.passes("a,b", allowed: false, format: .string))
        #expect(try !TenantDecision.passes(nil, allowed: true, format: .string))
        #expect(try TenantDecision.passes("acme", allowed: true, format: .string))
        for bad in ["a,b", "", "acme"] {
            #expect(throws: Denial.invalidTenantID) {
                try TenantDecision.passes(bad, allowed: true, format: .uuid)
            }
        }
    }

    @Test("whatever is decided, a tenant that goes upstream is one that the credential has and the header doesn't contradict")
    func property() throws {
        var numbers = SeededRandom(seed: 0x7E4A47)
        let names = ["a", "b", "A", "a,b", "", "c"]
        var upstream = 0
        for _ in 0..<20_000 {
            let held = (0..<Int.random(in: 0...3, using: &numbers)).map { _ in
                tenant(["a", "b", "A"].randomElement(using: &numbers) ?? "a")
            }
            let claim: TenantClaim = held.count == 1 && Bool.random(using: &numbers) ? .one(held[0]) : held.isEmpty ? .none : .many(held)
            let header = Bool.random(using: &numbers) ? names.randomElement(using: &numbers) : nil
            let rule = TenantRule.allCases.randomElement(using: &numbers) ?? .none
            guard case .tenant(let name, true) = decide(rule, header, claim, .string) else { continue }
            upstream += 1
            try #require(rule != .none && held.contains(tenant(name)))
            try #require(header == nil ? rule == .optional && held.count == 1 : header == name)
        }
        #expect(upstream > 2_000)
    }
}

/// Roles and scopes (stage 6).
@Suite struct RequirementTests {
    private func check(
        _ requirement: Requirement, _ roles: HeldRoles, scopes: [String] = [], tenant selected: TenantID? = nil
    ) -> Denial? {
        do throws(Denial) {
            try requirement.check(roles: roles, scopes: scopes.map { bytes($0) }, tenant: selected)
            return nil
        } catch {
            return error
        }
    }

    private func required(roles: [String] = [], scopes: [String] = []) -> Requirement {
        .credential(roles: roles.map { bytes($0) }, scopes: scopes.map { bytes($0) })
    }

    @Test("any one of the roles is enough")
    func roles() {
        let requirement = required(roles: ["admin", "owner"])
        #expect(check(requirement, .flat([bytes("owner")])) == nil)
        #expect(check(requirement, .flat([bytes("user"), bytes("admin")])) == nil)
        for wrong in ["Admin", "admi", "admin ", "", "user"] {
            #expect(check(requirement, .flat([bytes(wrong)])) == .insufficientRole)
        }
        #expect(check(requirement, .flat([])) == .insufficientRole)
    }

    @Test("roles are compared by their bytes, not as characters")
    func roleBytes() {
        #expect(check(required(roles: ["\u{E9}"]), .flat([bytes("e\u{301}")])) == .insufficientRole)
    }

    @Test("every one of the scopes is needed")
    func scopes() {
        let requirement = required(scopes: ["read", "write"])
        #expect(check(requirement, .flat([]), scopes: ["write", "x", "read"]) == nil)
        #expect(check(requirement, .flat([]), scopes: ["read"]) == .insufficientScope)
        #expect(check(requirement, .flat([]), scopes: ["read write"]) == .insufficientScope)
        #expect(check(required(roles: ["admin"], scopes: ["read"]), .flat([]), scopes: ["read"]) == .insufficientRole)
        #expect(check(required(roles: ["admin"], scopes: ["read"]), .flat([bytes("admin")])) == .insufficientScope)
    }

    @Test("a role by tenant counts in its own tenant alone")
    func rolesByTenant() {
        let held = HeldRoles.byTenant([
            .init(tenant: tenant("acme"), roles: [bytes("admin")]), .init(tenant: tenant("globex"), roles: [bytes("user")]),
            .init(tenant: tenant("globex"), roles: [bytes("auditor")]),
        ])
        #expect(check(required(roles: ["admin"]), held, tenant: tenant("acme")) == nil)
        #expect(check(required(roles: ["auditor"]), held, tenant: tenant("globex")) == nil)
        #expect(check(required(roles: ["admin"]), held, tenant: tenant("globex")) == .insufficientRole)
        #expect(check(required(roles: ["admin"]), held, tenant: tenant("Acme")) == .insufficientRole)
        #expect(check(required(roles: ["admin"]), held, tenant: nil) == .insufficientRole)
    }

    @Test("nothing, and what the upstream decides, requires nothing here", arguments: [Requirement.nothing, .upstream])
    func nothing(requirement: Requirement) {
        #expect(check(requirement, .flat([])) == nil)
    }
}
