import Policy

/// Makes routes of their sections, with the defaults of dialect, upstream and file filled in.
struct RouteReader {
    let upstreams: NameTable
    /// Nil where something of the upstream is wrong: then it is known by name only.
    let upstreamSettings: [UpstreamSettings?]
    let directories: [DirectorySettings?]
    let errors: Envelope
    let bodyLimit: Int
    /// The file's rate limits.
    var rates: [RateRule] = []

    /// A route and the section it was read from. `route` is nil where its path is wrong; its upstream is `upstreams.count` where unknown.
    struct Draft {
        let section: Section
        let route: Route?
        /// Whether its upstream and directory are known, so that what they mean can be checked.
        let isResolved: Bool
    }

    func read(_ section: Section, index: Int) -> Draft {
        let pattern = section[RouteSection.path]
        let upstream = section[RouteSection.upstream].flatMap { upstreams.resolve($0, "upstream", section.reading.problems) }
        let settings = upstream.flatMap { upstreamSettings[$0] }
        let dialect = settings?.directory.flatMap { directories[$0]?.dialect }
        let rule = section[RouteSection.credential]
        let host = section[RouteSection.host]
        var route = Route(
            index: index, host: host ?? .any, pattern: pattern ?? PathPattern(segments: []), methods: section[RouteSection.methods] ?? [],
            upstream: upstream ?? upstreams.names.count, directory: settings?.directory, credential: rule ?? .jwt)
        readRules(section, &route, dialect: dialect)
        readMode(section, &route)
        readTransport(section, &route, settings: settings, dialect: dialect)
        route.rates = RateLimitsSection.read(of: section, route, file: rates)
        route.cors = section[RouteSection.cors].flatMap { CORSSection.read($0, of: route) }
        readTokenSource(section, &route)
        if rule != nil { checkContradictions(section, route) }
        if rule == .jwt, !section.hasUnknownKeys, let settings, settings.directory == nil {
            section.refuse(
                RouteSection.upstream, "tokens can't be verified here: the upstream `\(settings.name)` has no directory",
                fix: "give the upstream a `directory`, or write `credential: none` if everybody may call this")
        }
        let isResolved = settings != nil && settings?.directory.map { directories[$0] != nil } != false
        return Draft(section: section, route: pattern == nil || host == nil ? nil : route, isResolved: isResolved)
    }

    private func readRules(_ section: Section, _ route: inout Route, dialect: Dialect?) {
        let word = section[RouteSection.tenant]
        route.tenantUnverified = word == .unverified
        switch word {
        case .required?: route.tenant = .required
        case .optional?: route.tenant = .optional
        case .none?, .unverified?: route.tenant = .none
        case nil: route.tenant = route.credential == .jwt ? dialect?.tenant ?? .required : .none
        }
        switch section[RouteSection.require] {
        case .first?: route.requirement = .upstream
        case .second(let map)?: route.requirement = RequireSection.read(map)
        case nil: route.requirement = section.has(RouteSection.require) ? .upstream : .nothing
        }
        route.allowsSuspended = section[RouteSection.suspended] == .allow
        route.dropsAuthorization = section[RouteSection.authorization] == .drop
        route.suspendsOnUnknown = section[RouteSection.onUnknown] == .suspend
        route.outlivesToken = section[RouteSection.outliveToken] ?? false
        let defaults = SecondCredential.defaultHeaders + SecondCredential.defaultParameters + [SecondCredential.subprotocols]
        let others = defaults + (dialect?.otherCredentials ?? [])
        for name in section[RouteSection.allowCredentials] ?? [] {
            route.allowedCredentials.append(name.value.lowercased())
            guard route.credential == .jwt, dialect != nil, !others.contains(where: { NameSpelling($0) == NameSpelling(name.value) }) else {
                continue
            }
            section.reading.problems.warning(
                name.place, "`\(name.value)` is not a second credential here, so it passes anyway",
                fix: "remove it; the names are \(others.joined(separator: ", "))")
        }
    }

    private func readMode(_ section: Section, _ route: inout Route) {
        let until = section[RouteSection.until]
        guard section[RouteSection.mode] == .observe else {
            if until != nil { section.refuse(RouteSection.until, "`until` without `mode: observe`", fix: "remove it, or add the mode") }
            return
        }
        if !section.has(RouteSection.until) {
            section.refuse(
                RouteSection.mode, "`mode: observe` without an end",
                fix: "add `until` with the last day on which the route only observes, for example 2027-01-31")
        }
        if route.credential != .jwt {
            section.refuse(
                RouteSection.mode, "nothing is verified here, so there is nothing to observe (`credential: \(route.credential.rawValue)`)",
                fix: "remove `mode` and `until`")
        }
        route.observesUntil = until.map { $0 + 86_400 }
    }

    private func readTokenSource(_ section: Section, _ route: inout Route) {
        guard section[RouteSection.tokenFrom] == .subprotocol else { return }
        route.tokenSource = .subprotocol
        if route.credential != .jwt {
            section.refuse(
                RouteSection.tokenFrom, "no token is looked for here (`credential: \(route.credential.rawValue)`)", fix: "remove it")
        }
        if case .listed? = route.cors?.origins { return }
        if route.cors == nil && section.has(RouteSection.cors) { return }
        section.refuse(
            RouteSection.tokenFrom, "a WebSocket that a browser opens is held to the origin of its page, and no origins are listed",
            fix: "add `cors: {origins: [https://app.example]}`")
    }

    private func readTransport(_ section: Section, _ route: inout Route, settings: UpstreamSettings?, dialect: Dialect?) {
        route.stripPrefix = section[RouteSection.stripPrefix] ?? []
        route.timeoutMilliseconds = section[RouteSection.timeout] ?? settings?.firstByteTimeoutMilliseconds ?? 30_000
        route.bodyLimit = section[RouteSection.bodyLimit].map { Int($0) } ?? bodyLimit
        route.errors = section[RouteSection.errors] ?? dialect?.errors ?? errors
    }

    /// What means nothing together, or the opposite of what somebody might think.
    private func checkContradictions(_ section: Section, _ route: Route) {
        guard route.credential != .jwt else {
            if section[RouteSection.tenant] == .unverified {
                section.refuse(
                    RouteSection.tenant, "`tenant: unverified` on a route that verifies tokens", fix: "write required, optional or none")
            }
            return
        }
        let rule = "`credential: \(route.credential.rawValue)`"
        if section.has(RouteSection.tenant), route.tenant != .none {
            section.refuse(
                RouteSection.tenant, "without a token no tenant can be checked (\(rule))",
                fix: "remove it, or write `tenant: unverified` to pass the header on")
        }
        if route.allowsSuspended {
            section.refuse(RouteSection.suspended, "without a token nobody is known to be suspended (\(rule))", fix: "remove it")
        }
        if section.has(RouteSection.allowCredentials) {
            section.reading.problems.warning(
                section.place(RouteSection.allowCredentials), "second credentials are looked for only beside a token (\(rule))",
                fix: "remove it")
        }
        if route.outlivesToken {
            section.refuse(RouteSection.outliveToken, "there is no token to outlive (\(rule))", fix: "remove it")
        }
        if route.credential == .none, route.requirement == .upstream {
            section.refuse(
                RouteSection.require, "`require: upstream` on a public route",
                fix: "write `credential: upstream` if the upstream judges its callers")
        }
    }
}
