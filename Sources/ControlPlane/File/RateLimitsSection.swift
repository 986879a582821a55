import Policy

/// `rate_limits:` of the file and of a route.
enum RateLimitsSection {
    static let perUser = Key(
        "per_user", .section(RateLimitSection.shape), .optional("no limit"), "Requests of one user of a directory, in whatever tenant.")
    static let perTenant = Key(
        "per_tenant", .section(RateLimitSection.shape), .optional("no limit"), "Requests in one tenant of a directory, of all its users.")
    static let shape = SectionShape("rate_limits", [perUser.declaration, perTenant.declaration])

    /// Users before tenants: whoever is over their own limit takes nothing from their tenant's.
    static func read(_ section: Section, isRoutesOwn: Bool) -> [RateRule] {
        if !section.has(perUser), !section.has(perTenant) {
            section.reading.problems.error(section.place, "`rate_limits` limits nothing", fix: "name `per_user` or `per_tenant`")
        }
        let (user, tenant) = (section[perUser].flatMap(RateLimitSection.read), section[perTenant].flatMap(RateLimitSection.read))
        return [
            user.map { RateRule(.user, $0, isRoutesOwn: isRoutesOwn) }, tenant.map { RateRule(.tenant, $0, isRoutesOwn: isRoutesOwn) },
        ].compactMap(\.self)
    }

    /// What a route's requests count for. `file` are the file's own limits.
    static func read(of section: Section, _ route: Route, file: [RateRule]) -> [RateRule] {
        let own = section[RouteSection.rateLimits]
        guard route.credential == .jwt else {
            if section.has(RouteSection.rateLimits) {
                section.refuse(
                    RouteSection.rateLimits, "without a token nobody is known to be limited (`credential: \(route.credential.rawValue)`)",
                    fix: "remove it; `limits.connections_per_source` bounds every client")
            }
            return []
        }
        return switch own {
        case .first(let limits)?: read(limits, isRoutesOwn: true) + file
        case .second?: []
        case nil: file
        }
    }
}

/// `{requests, per, burst}`
enum RateLimitSection {
    static let requests = Key("requests", .integer(1...1_000_000), .required, "So many within `per`, on average.")
    static let per = Key("per", .duration("1s", "24h"), .byDefault("1s"), "The time that they are counted in.")
    static let burst = Key(
        "burst", .integer(1...1_000_000), .optional("`requests`"), "So many at once after a pause; they come back one by one.")
    static let shape = SectionShape("rate_limit", [requests.declaration, per.declaration, burst.declaration])

    static func read(_ section: Section) -> RateLimit? {
        let (requests, per, burst) = (section[requests], section[per], section[burst])
        guard let requests, let per, burst != nil || !section.has(Self.burst) else { return nil }
        if let limit = RateLimit(requests: requests, milliseconds: per, burst: burst ?? requests) { return limit }
        section.refuse(Self.burst, "a burst of \(burst ?? requests) would take more than a day to come back", fix: "lower it")
        return nil
    }
}
