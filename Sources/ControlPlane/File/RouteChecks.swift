import Policy

/// What only shows when all routes are seen together, and with the dialects' calls that they reach.
struct RouteChecks {
    let drafts: [RouteReader.Draft]
    let upstreams: [UpstreamSettings?]
    let directories: [DirectorySettings?]
    let credentials: [CredentialSection.Draft]

    /// Places in `drafts` of those with a path: the audit's routes.
    private let known: [Int]
    private let audit: RouteAudit

    init(
        drafts: [RouteReader.Draft], upstreams: [UpstreamSettings?], directories: [DirectorySettings?],
        credentials: [CredentialSection.Draft]
    ) {
        self.drafts = drafts
        self.upstreams = upstreams
        self.directories = directories
        self.credentials = credentials
        known = drafts.indices.filter { drafts[$0].route != nil }
        // One base more than there are upstreams: that of routes whose upstream isn't known.
        audit = RouteAudit(
            routes: known.compactMap { drafts[$0].route }, bases: upstreams.map { $0?.base ?? [] } + [[]],
            calls: directories.map { $0?.dialect.calls ?? [] })
    }

    func run() {
        for conflict in RouteTable.conflicts(in: known.compactMap { drafts[$0].route }) { report(conflict) }
        reportFindings()
        for index in known.indices {
            guard let route = drafts[known[index]].route else { continue }
            checkRoles(drafts[known[index]], route)
            checkCalls(drafts[known[index]], route, audit.callsReached(byRoute: index))
        }
    }

    private func report(_ conflict: RouteConflict) {
        guard case .overlap(let first, let second, let method) = conflict else { return }
        let (earlier, later) = (drafts[known[first]], drafts[known[second]])
        let what = method == "*" ? "every method" : method
        later.section.refuse(
            RouteSection.path, "this route and the one on line \(earlier.section.place.line) take the same path for \(what)",
            fix: "give them different `methods`, or remove one")
    }

    /// One problem of a route is told once, with all the calls that it is about.
    private func reportFindings() {
        var told: [(route: Int, problem: RouteAudit.Problem)] = []
        let findings = audit.findings.filter { drafts[known[$0.route]].isResolved }
        for finding in findings where !told.contains(where: { $0 == (finding.route, finding.problem) }) {
            told.append((finding.route, finding.problem))
            let draft = drafts[known[finding.route]]
            guard let route = draft.route else { continue }
            let calls = findings.filter { $0.route == finding.route && $0.problem == finding.problem }.compactMap { finding in
                finding.call.flatMap { call in route.directory.flatMap { directories[$0]?.dialect.calls[call].text } }
            }
            report(finding.problem, draft, route, reached: calls.map { "`\($0)`" }.joined(separator: " and "))
        }
    }

    private func report(_ problem: RouteAudit.Problem, _ draft: RouteReader.Draft, _ route: Route, reached calls: String) {
        let reached = "it reaches \(calls), which changes who is suspended"
        switch problem {
        case .requirementMissing:
            guard !draft.section.hasUnknownKeys else { return }
            let place = draft.section.place(draft.section.has(RouteSection.require) ? "require" : "path")
            draft.section.reading.problems.error(
                place, "\(reached), but doesn't say who may",
                fix: "add `require: upstream` (the upstream decides) or `require: {roles: […]}`, or a route of its own for the call")
        case .intentWithoutCredential:
            draft.section.refuse(
                RouteSection.credential, "\(reached), so it can't be public", fix: "remove `credential: none`, or narrow the path")
        case .intentOfSuspended:
            draft.section.refuse(
                RouteSection.suspended, "\(reached), so it can't be open to suspended users",
                fix: "remove `suspended: allow`, or narrow the path")
        case .requirementWithoutToken:
            draft.section.refuse(
                RouteSection.require,
                "roles and scopes are read from a token, which `credential: \(route.credential.rawValue)` doesn't verify",
                fix: "remove `require`, or `credential`")
        case .prefixOutsidePattern:
            draft.section.refuse(
                RouteSection.stripPrefix, "the path doesn't begin with it",
                fix: "write a prefix of `\(route.pattern.text)` that ends at a segment")
        }
    }

    private func checkRoles(_ draft: RouteReader.Draft, _ route: Route) {
        guard route.credential == .jwt, route.requiresRoles, let directory = route.directory else { return }
        for credential in credentials
        where credential.directory == directory && credential.hasFlatRoles && credential.carriesSeveralTenants == true {
            draft.section.refuse(
                RouteSection.require,
                "tokens of the credentials on line \(credential.section.place.line) may carry several tenants, but their roles are not by tenant",
                fix: "write `roles: {by_tenant: […]}` there, or `several_tenants: false` if a token carries one tenant only")
            return
        }
    }

    private func checkCalls(_ draft: RouteReader.Draft, _ route: Route, _ calls: [Int]) {
        guard draft.isResolved else { return }
        let dialect = route.directory.flatMap { directories[$0]?.dialect }
        let intents = calls.filter { dialect?.calls[$0].intent != nil }
        if route.suspendsOnUnknown {
            if intents.isEmpty {
                draft.section.refuse(RouteSection.onUnknown, "this route reaches no suspend call", fix: "remove `on_unknown`")
            } else if !route.requiresRoles {
                draft.section.refuse(
                    RouteSection.onUnknown, "`on_unknown: suspend` would let callers block users whom the upstream might not let them",
                    fix: "add `require: {roles: […]}`, or remove it")
            }
        }
        if route.tokenSource == .subprotocol, route.tenant == .required {
            draft.section.reading.problems.warning(
                draft.section.place(RouteSection.tokenFrom),
                "a browser can't send `X-Tenant-ID` with a WebSocket, so each is refused with `tenant_required`",
                fix: "add `tenant: optional`: the token's tenant is then selected")
        }
        if route.credential == .upstream, let dialect, dialect.reach == .tenant, !intents.isEmpty {
            draft.section.reading.problems.warning(
                draft.section.place(RouteSection.credential),
                "suspend calls that pass here teach nothing: without a token the gateway doesn't know the tenant (reach: tenant)",
                fix: "send suspend calls through a route with `credential: jwt`")
        }
    }
}

extension Route {
    fileprivate var requiresRoles: Bool {
        if case .credential(let roles, _) = requirement { !roles.isEmpty } else { false }
    }
}
