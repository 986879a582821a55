/// What routes reach, told from the file alone: which of them carry which of the dialects' calls, and which must not (SPEC §2, §4).
package struct RouteAudit: Sendable {
    private let routes: [Route]
    private let bases: [[UInt8]]
    private let calls: [[DialectCall]]

    /// `bases` by upstream, as in `UpstreamPath`; `calls` by directory, none for one without a dialect.
    package init(routes: [Route], bases: [[UInt8]], calls: [[DialectCall]]) {
        self.routes = routes
        self.bases = bases
        self.calls = calls
    }

    /// A reason to refuse the file.
    package struct Finding: Equatable, Sendable {
        /// Places in the list of routes, and in the list of calls of the route's directory.
        package let route: Int
        package let call: Int?
        package let problem: Problem
    }

    package enum Problem: Equatable, Sendable {
        /// It reaches an intent call and says neither `require: {roles: […]}` nor `require: upstream`.
        case requirementMissing
        /// It reaches an intent call with `credential: none`.
        case intentWithoutCredential
        /// It reaches an intent call with `suspended: allow`.
        case intentOfSuspended
        /// Roles or scopes are required where no token is verified.
        case requirementWithoutToken
        /// `strip_prefix` isn't what every path of the route begins with.
        case prefixOutsidePattern
    }

    /// Every reason, route by route.
    package var findings: [Finding] { routes.indices.flatMap { findings(ofRoute: $0) } }

    /// The dialect calls that requests of a route can be: places in its directory's list.
    package func callsReached(byRoute index: Int) -> [Int] {
        let route = routes[index]
        guard let directory = route.directory, let own = upstreamPattern(of: route) else { return [] }
        return calls[directory].indices.filter { call in
            let call = calls[directory][call]
            guard route.methods.isEmpty || route.methods.contains(call.method) else { return false }
            guard let reached = own.meet(call.pattern) else { return false }
            return !isShadowed(clientPattern(of: reached, route), index)
        }
    }

    private func findings(ofRoute index: Int) -> [Finding] {
        let route = routes[index]
        var findings: [Finding] = []
        if upstreamPattern(of: route) == nil { findings.append(Finding(route: index, call: nil, problem: .prefixOutsidePattern)) }
        if case .credential = route.requirement, route.credential != .jwt {
            findings.append(Finding(route: index, call: nil, problem: .requirementWithoutToken))
        }
        guard let directory = route.directory else { return findings }
        for call in callsReached(byRoute: index) where calls[directory][call].intent != nil {
            findings += problems(ofIntentOn: route).map { Finding(route: index, call: call, problem: $0) }
        }
        return findings
    }

    private func problems(ofIntentOn route: Route) -> [Problem] {
        var problems: [Problem] = []
        switch route.requirement {
        case .upstream: break
        case .credential(let roles, _) where !roles.isEmpty: break
        case .nothing, .credential: problems.append(.requirementMissing)
        }
        if route.credential == .none { problems.append(.intentWithoutCredential) }
        if route.allowsSuspended { problems.append(.intentOfSuspended) }
        return problems
    }

    /// Whether another route of the same host is taken for all of these paths. Its methods don't matter: there is no falling through.
    private func isShadowed(_ paths: PathPattern, _ index: Int) -> Bool {
        routes.contains { other in
            other.host == routes[index].host && other.pattern.isMoreSpecific(than: routes[index].pattern) && other.pattern.covers(paths)
        }
    }

    /// The route's pattern as the upstream knows it; nil where the prefix to strip isn't its beginning.
    private func upstreamPattern(of route: Route) -> PathPattern? {
        let prefix = literals(route.stripPrefix)
        guard route.pattern.segments.starts(with: prefix) else { return nil }
        return PathPattern(segments: literals(bases[route.upstream]) + route.pattern.segments.dropFirst(prefix.count))
    }

    /// Back again: what clients call the paths that the upstream knows by `pattern`, which begins with its base.
    private func clientPattern(of pattern: PathPattern, _ route: Route) -> PathPattern {
        let base = literals(bases[route.upstream])
        return PathPattern(segments: literals(route.stripPrefix) + pattern.segments.dropFirst(base.count))
    }

    private func literals(_ path: [UInt8]) -> [PathPattern.Segment] {
        path.split(separator: UInt8(ascii: "/")).map { .literal(Array($0)) }
    }
}
