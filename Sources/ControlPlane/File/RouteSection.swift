import Policy

/// One entry of `routes`.
enum RouteSection {
    static let host = Key("host", .host, .byDefault("\"*\""), "`api.example.com`, `*.example.com` or `*` for any; without a port.")
    static let path = Key("path", .pattern, .required, "`{name}` is one segment, `**` at the end the rest.")
    static let methods = Key(
        "methods", .list(of: .method, 1...16), .optional("every method but TRACE and CONNECT"), "Exact names, upper case.")
    static let upstream = Key("upstream", Kind.text("name of an upstream", bytes: 64).located, .required, "Where its requests go.")
    static let credential = Key<CredentialRule>(
        "credential", .choice, .byDefault("jwt"), "Who judges the caller: the gateway by a token, nobody (`none`), or the upstream.")
    static let tenant = Key<TenantWord>(
        "tenant", .choice, .optional("the dialect's, `required` without one; `none` where no token is verified"),
        "Whether `X-Tenant-ID` must, may or must not go upstream; `unverified` passes it on where no token is verified.")
    static let require = Key(
        "require", Kind<UpstreamWord>.word([("upstream", UpstreamWord())]).or(.section(RequireSection.shape)),
        .optional("any verified caller"),
        "What the caller must have, or `upstream`: the upstream decides. A route that reaches a suspend or reactivate call must say.")
    static let suspended = Key<SuspendedWord>(
        "suspended", .choice, .byDefault("refuse"), "`allow`: suspended users may use it (logout, data export).")
    static let authorization = Key<AuthorizationWord>(
        "authorization", .choice, .byDefault("forward"), "`drop`: the token stays at the gateway.")
    static let allowCredentials = Key(
        "allow_credentials", .list(of: Kind.text("header or query name", bytes: 64).located, 1...16), .optional("none"),
        "Second credentials that may pass beside the token, by name, such as `Cookie` or `X-API-Key`.")
    static let stripPrefix = Key(
        "strip_prefix", .pathPrefix, .optional("nothing is taken off"), "Taken off the path before the upstream's base is put before it.")
    static let timeout = Key(
        "timeout", .duration("10ms", "1h"), .optional("the upstream's `first_byte_timeout`"), "Until the answer begins.")
    static let bodyLimit = Key("body_limit", .size("0", "1024GiB"), .optional("`limits.body`"), "Bytes of a request's body.")
    static let errors = Key<Envelope>(
        "errors", .choice, .optional("the directory's, else the file's"), "The shape of the gateway's own error bodies.")
    static let onUnknown = Key<UnknownWord>(
        "on_unknown", .choice, .byDefault("keep"),
        "`suspend`: a suspension whose outcome is unknown blocks; only with `require: {roles: …}`.")
    static let outliveToken = Key("outlive_token", .boolean, .byDefault("false"), "`true`: long answers don't end with the token.")
    static let mode = Key<ModeWord>(
        "mode", .choice, .byDefault("enforce"),
        "`observe`: what stages 3 to 6 would refuse is logged and forwarded, without any identity that was not verified; suspend calls "
            + "stay strict. Needs `until`.")
    static let tokenFrom = Key<TokenSource>(
        "token_from", .choice, .byDefault("authorization"),
        "`subprotocol`: from `Sec-WebSocket-Protocol: bearer.TOKEN`, for browsers' WebSockets; from there alone, and only for pages of the "
            + "origins in `cors`.")
    static let cors = Key(
        "cors", .section(CORSSection.shape), .optional("browsers show it to no page of another origin"),
        "Pages of other origins that may use it from a browser (Fetch's CORS protocol).")
    static let rateLimits = Key(
        "rate_limits", Kind<Section>.section(RateLimitsSection.shape).or(.off), .optional("the file's alone"),
        "How often verified callers may call this route, beside the file's limits; `off`: its requests count for none.")
    static let until = Key("until", .date, .optional("none"), "The last day (UTC) of `mode: observe`; then the route enforces.")

    static let shape = SectionShape(
        "route",
        [
            host.declaration, path.declaration, methods.declaration, upstream.declaration, credential.declaration, tenant.declaration,
            require.declaration, suspended.declaration, authorization.declaration, allowCredentials.declaration, stripPrefix.declaration,
            timeout.declaration, bodyLimit.declaration, errors.declaration, onUnknown.declaration, outliveToken.declaration,
            mode.declaration, until.declaration, tokenFrom.declaration, cors.declaration, rateLimits.declaration,
        ], later: ["retry"])

    enum ModeWord: String, CaseIterable { case enforce, observe }
    enum TenantWord: String, CaseIterable { case required, optional, none, unverified }
    enum SuspendedWord: String, CaseIterable { case refuse, allow }
    enum AuthorizationWord: String, CaseIterable { case forward, drop }
    enum UnknownWord: String, CaseIterable { case keep, suspend }
    /// `require: upstream`
    struct UpstreamWord {}
}

/// `require: {roles, scopes}`
enum RequireSection {
    static let roles = Key(
        "roles", .list(of: .text("role", bytes: 256), 1...64), .optional("no role is asked for"), "At least one of these.")
    static let scopes = Key(
        "scopes", .list(of: .text("scope", bytes: 256), 1...64), .optional("no scope is asked for"), "Every one of these.")
    static let shape = SectionShape("require", [roles.declaration, scopes.declaration])

    static func read(_ section: Section) -> Requirement {
        let (roles, scopes) = (section[roles], section[scopes])
        if !section.has(Self.roles), !section.has(Self.scopes) {
            section.reading.problems.error(
                section.place, "`require` asks for nothing", fix: "name `roles` or `scopes`, or write `require: upstream`")
        }
        return .credential(roles: (roles ?? []).map { Array($0.utf8) }, scopes: (scopes ?? []).map { Array($0.utf8) })
    }
}

extension Kind where Value == [UInt8] {
    /// A canonical path without a trailing slash.
    fileprivate static var pathPrefix: Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^/."))])
        return Kind(name: "path", schema: schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, _, let place) = node, text.hasPrefix("/"), text != "/" else {
                return reading.refuse(node, expected: "a path", fix: "for example `/api`")
            }
            return CanonicalPrefix.read(text, at: place, reading)
        }
    }
}
