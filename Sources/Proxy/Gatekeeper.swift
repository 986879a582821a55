import HTTPWire
package import Policy
import Suspensions
package import Tokens

/// Stages 2 to 6 in the life of a request (SPEC §1): read `admit` first.
///
/// One per event loop, because it remembers verified tokens. Every refusal is a `Denial`; what is let through is an `Admission`.
package struct Gatekeeper: ~Copyable {
    package private(set) var snapshot: Snapshot
    private var tokens = TokenMemory()
    var aliases = AliasMemory()
    /// For people who ask why: what the book knows is asked for here and now, and nobody else.
    var asksAtOnce = false

    package init(snapshot: Snapshot) {
        self.snapshot = snapshot
    }

    var tokenFigures: TokenFigures { tokens.figures }

    /// Judges the request with this head at `now` (Unix seconds). `found` keeps what was found out, for the log, also when it throws.
    mutating func admit(_ head: borrowing RequestHead, peer: Peer, now: Int64, found: inout Findings) throws(Denial) -> Admission {
        try RequestRules.check(head)
        let path = try canonicalPath(head)
        let route = try self.route(head, path, method: head.methodRange, peer: peer, &found)
        found.route = route
        let rules = snapshot.rules[route]
        let target = try Target(path, head: head, rules: rules)
        var tenant = TenantVerdict()
        do {
            found.credential = try authenticate(head, rules, now, &found)
            tenant = try decideTenant(head, rules, found.credential)
            found.tenant = tenant.selection?.tenant
            if found.credential?.alias != nil { try identify(rules, found.tenant, now, &found) }
            try refuseSuspended(rules, tenant.selection?.tenant, &found)
            try authorize(rules, found.credential, tenant.selection?.tenant)
            try limitRate(rules, tenant.selection?.tenant, &found)
        } catch {
            guard rules.observes(target, at: now), found.waitsFor == nil else { throw error }
            found.observed = error
            // Nobody is known by what the token says.
            if found.credential?.alias != nil { found.credential = nil }
        }
        return try Admission(
            head, route: route, target: target, tenant: tenant, credential: found.credential, peer: peer,
            isObserved: rules.observes(target, at: now), by: self)
    }

    /// Judges by `next` from now on. Remembered tokens are kept where the credentials are the same.
    mutating func take(_ next: Snapshot) {
        snapshot = next
        tokens.take(next.authority)
    }

    /// These fetched keys are in force from now on.
    package mutating func use(_ keys: KeyTable) { tokens.use(keys) }
}

/// What stages 2 to 4 have found out about a request.
package struct Findings {
    /// Index of the chosen route in the snapshot.
    package var route: Int?
    package var credential: Credential?
    package var tenant: TenantID?
    /// The `Allow` field of a 405.
    package var allow: String?
    /// What stages 3 to 6 would have refused with, on a route that only observes.
    package var observed: Denial?
    /// The number of the credential block whose `fresh_token_after_reactivation` the token doesn't meet.
    package var staleFor: Int?
    /// A `.badRequest` is for the page's origin, which is none of the route's.
    package var isOriginRefused = false
    /// Set where the token names its user by an alias that the loop doesn't know.
    package internal(set) var alias: AliasCase?
    /// The rate limit that a `.rateLimited` is for.
    var rate: RateRules.Refused?

    package init() {}
}

// MARK: 2 route

extension Gatekeeper {
    /// The path in its normal form; nil where that is what was received.
    func canonicalPath(_ head: borrowing RequestHead) throws(Denial) -> [UInt8]? {
        guard head.targetForm != .asterisk && head.targetForm != .authority else { return Array("/".utf8) }
        guard !head.pathRange.isEmpty else { return Array("/".utf8) }
        return switch try head.withBytes(head.pathRange, { (path) throws(Denial) in try RequestPath.canonical(path) }) {
        case .asReceived: nil
        case .rewritten(let bytes): bytes
        }
    }

    /// The route for a method: the request's own, or the one that a preflight asks for.
    func route(
        _ head: borrowing RequestHead, _ path: [UInt8]?, method: Range<Int>, peer: borrowing Peer, _ found: inout Findings
    ) throws(Denial) -> Int {
        let bytes = head.bytes.readableBytesUInt8Span
        let host = bytes.extracting(head.authority.host)
        let method = bytes.extracting(method)
        let match =
            if let path { snapshot.table.match(host: host, path: path.span, method: method) } else {
                snapshot.table.match(host: host, path: bytes.extracting(head.pathRange), method: method)
            }
        if case .route(let index) = match, let client = peer.client, !client.serves(host) {
            found.route = index
            throw .misdirectedRequest
        }
        switch match {
        case .route(let index) where head.targetForm == .origin || head.targetForm == .absolute: return index
        case .route, .notFound: throw .routeNotFound
        case .ambiguousPath: throw .ambiguousPath
        case .methodNotAllowed(let allow):
            found.allow = allow
            throw .methodNotAllowed
        }
    }
}

// MARK: 3 authenticate

extension Gatekeeper {
    private mutating func authenticate(
        _ head: borrowing RequestHead, _ rules: RouteRules, _ now: Int64, _ found: inout Findings
    ) throws(Denial) -> Credential? {
        guard rules.route.credential == .jwt else { return nil }
        // The file is refused without one.
        guard let directory = rules.route.directory else { throw .internalError }
        if rules.route.tokenSource == .subprotocol {
            let allows = rules.cors?.allows(head) == true
            found.isOriginRefused = head.asksForWebSocket && !allows
            let token = head.bytes.readableBytesUInt8Span.extracting(try SubprotocolToken.find(in: head, isAllowed: allows))
            try rules.refuseSecondCredential(head)
            return try tokens.credential(for: token, directory: directory, authority: snapshot.authority, now: now)
        }
        guard let field = head.message.first(.authorization) else { throw .unauthenticated }
        let value = head.bytes.readableBytesUInt8Span.extracting(field.value)
        let token = value.extracting(try BearerToken.range(in: value))
        try rules.refuseSecondCredential(head)
        return try tokens.credential(for: token, directory: directory, authority: snapshot.authority, now: now)
    }
}

// MARK: 4 tenant

extension Gatekeeper {
    /// What stage 4 decided: a selection for a verified credential, or the client's own header where the route passes it on unverified.
    struct TenantVerdict {
        var selection: TenantSelection?
        var unverified: [UInt8]?
    }

    private func decideTenant(
        _ head: borrowing RequestHead, _ rules: RouteRules, _ credential: Credential?
    ) throws(Denial) -> TenantVerdict {
        let field = head.message.first(.xTenantID)
        let bytes = head.bytes.readableBytesUInt8Span
        guard let credential else {
            guard let field, rules.route.tenantUnverified else { return TenantVerdict() }
            let value = bytes.extracting(field.value)
            let passes = try TenantDecision.passesUnverified(value, allowed: true, format: rules.tenantFormat)
            return TenantVerdict(unverified: passes ? Array(value) : nil)
        }
        let rule = rules.route.tenant
        let selection =
            if let field {
                try TenantDecision.decide(
                    rule: rule, header: bytes.extracting(field.value), claim: credential.tenants, format: rules.tenantFormat)
            } else {
                try TenantDecision.decide(rule: rule, header: nil, claim: credential.tenants, format: rules.tenantFormat)
            }
        return TenantVerdict(selection: selection)
    }
}

// MARK: 5 suspension

extension Gatekeeper {
    private func refuseSuspended(_ rules: RouteRules, _ tenant: TenantID?, _ found: inout Findings) throws(Denial) {
        guard let denial = snapshot.objection(rules, found.credential, tenant) else { return }
        if denial == .tokenExpired { found.staleFor = found.credential?.block }
        throw denial
    }
}

extension Snapshot {
    /// Asks again about a request that this snapshot admitted and that had to wait: whether its user has been suspended meanwhile, and
    /// perhaps reactivated too. Nil where it is still admitted.
    func objection(to admission: borrowing Admission) -> Denial? {
        admission.isObserved ? nil : objection(rules[admission.route], admission.credential, admission.selectedTenant)
    }

    /// `.userSuspended`; `.overloaded` where nobody knows, because the process that has the ledger now is not heard; `.tokenExpired` for a token from before its user's reactivation, where the credential block takes none such.
    fileprivate func objection(_ rules: RouteRules, _ credential: Credential?, _ tenant: TenantID?) -> Denial? {
        guard let credential, let directory = rules.route.directory, !rules.route.allowsSuspended else { return nil }
        let leave = suspensions.leave
        let isSuspended = isSuspended(credential, tenant: tenant, directory: directory)
        switch suspensions.standing(of: leave) {
        case .good: if isSuspended { return .userSuspended }
        case .behind: return isSuspended ? .userSuspended : .suspensionsBehind
        case .unheard: return .overloaded
        case .changed: return objection(rules, credential, tenant)
        }
        // In this order: whoever is lifted between the two questions was marked as reactivated before.
        return isStale(credential, tenant: tenant, directory: directory) ? .tokenExpired : nil
    }

    /// Whether the token is from before a reactivation of its user, or of anybody who acts for it.
    private func isStale(_ credential: Credential, tenant: TenantID?, directory: DirectoryIndex) -> Bool {
        guard let issued = credential.freshFrom else { return false }
        let index = suspensions.index
        let question = TenantQuestion(selected: tenant, claim: credential.tenants)
        if index.wasReactivated(since: issued, credential.user, in: directory, asking: question) { return true }
        for actor in credential.actors where index.wasReactivated(since: issued, actor, in: directory, asking: question) { return true }
        return false
    }

    /// Whether the credential's user, or anybody who acts for it, is suspended for a request in `tenant`.
    func isSuspended(_ credential: Credential, tenant: TenantID?, directory: DirectoryIndex) -> Bool {
        let index = suspensions.index
        let question = TenantQuestion(selected: tenant, claim: credential.tenants)
        if index.isSuspended(credential.user, in: directory, asking: question) { return true }
        for actor in credential.actors where index.isSuspended(actor, in: directory, asking: question) { return true }
        return false
    }
}

extension TenantQuestion {
    fileprivate init(selected: TenantID?, claim: TenantClaim) {
        if let selected {
            self = .selected(selected)
        } else {
            switch claim {
            case .none: self = .unknown
            case .one(let tenant): self = .selected(tenant)
            case .many(let tenants): self = tenants.isEmpty ? .unknown : .among(tenants)
            }
        }
    }
}

// MARK: 6 authorize

extension Gatekeeper {
    private func authorize(_ rules: RouteRules, _ credential: Credential?, _ tenant: TenantID?) throws(Denial) {
        guard let credential else { return }
        // Flat roles of a token with several tenants don't say in which of them they hold.
        if case .credential(let roles, _) = rules.route.requirement, !roles.isEmpty, case .flat = credential.roles,
            case .many(let tenants) = credential.tenants, tenants.count > 1
        {
            throw .insufficientRole
        }
        try rules.route.requirement.check(roles: credential.roles, scopes: credential.scopes, tenant: tenant)
    }
}
