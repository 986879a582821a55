import Policy

/// `cors:` of a route.
enum CORSSection {
    static let origins = Key(
        "origins", .list(of: Kind.text("origin", bytes: 512).located, 1...256), .required,
        "Exact origins as browsers send them, `https://app.example`; `[\"*\"]` for every page, then without `credentials`.")
    static let methods = Key(
        "methods", .list(of: .method, 1...16), .optional("the route's `methods`; without them GET, HEAD, POST, PUT, PATCH and DELETE"),
        "Methods that a page may use.")
    static let headers = Key(
        "headers", .list(of: .headerName, 0...64), .byDefault("[Authorization, Content-Type, X-Tenant-ID]"),
        "Fields that a page may send beside those that every page may.")
    static let expose = Key(
        "expose", .list(of: .headerName, 0...64), .byDefault("[X-Request-ID, Retry-After]"),
        "Fields of an answer that a page may read beside those that every page may.")
    static let credentials = Key(
        "credentials", .boolean, .byDefault("false"),
        "`true`: a page may have the browser send cookies. A token that the page adds itself doesn't need it.")
    static let maxAge = Key(
        "max_age", .duration("0s", "24h"), .byDefault("10m"), "How long a browser may remember the answer to a preflight.")
    static let shape = SectionShape(
        "cors",
        [
            origins.declaration, methods.declaration, headers.declaration, expose.declaration, credentials.declaration, maxAge.declaration,
        ])

    /// `route` has its credential rule and methods.
    static func read(_ section: Section, of route: Route) -> CORSRule? {
        let (methods, headers, exposed) = (section[methods], section[headers], section[expose])
        let (credentials, maxAge) = (section[credentials], section[maxAge])
        guard let origins = origins(section, credentials: credentials == true), let headers, let exposed, let credentials, let maxAge
        else { return nil }
        if let methods, !route.methods.isEmpty, let other = methods.first(where: { !route.methods.contains($0) }) {
            section.refuse(
                Self.methods, "the route doesn't take \(String(decoding: other, as: UTF8.self))", fix: "remove it, or add it to the route")
        }
        if credentials, route.credential == .jwt, !route.allowedCredentials.contains("cookie") {
            section.reading.problems.warning(
                section.place(Self.credentials),
                "browsers will send cookies, and requests with one are refused here (ambiguous_credential)",
                fix: "remove `credentials`: pages that add the token themselves don't need it; or `allow_credentials: [Cookie]`")
        }
        let taken = route.methods.isEmpty ? CORSRule.commonMethods : route.methods
        return CORSRule(
            origins: origins, methods: methods ?? taken, headers: headers, exposed: exposed, allowsCredentials: credentials,
            maxAgeSeconds: maxAge / 1000)
    }

    private static func origins(_ section: Section, credentials: Bool) -> CORSRule.Origins? {
        guard let written = section[origins] else { return nil }
        var listed: [[UInt8]] = []
        for origin in written {
            if origin.value == "*" {
                guard written.count == 1 else {
                    section.refuse(origins, "`*` beside other origins", fix: "write `[\"*\"]` alone, or the origins without it")
                    return nil
                }
                guard !credentials else {
                    section.reading.problems.error(
                        origin.place, "`*` with `credentials: true` would let every page act in the name of whoever looks at it",
                        fix: "list the origins, or remove `credentials`")
                    return nil
                }
                return .any
            }
            if let problem = WebOrigin.problem(origin.value) {
                section.reading.problems.error(origin.place, problem.what, fix: problem.fix)
                return nil
            }
            listed.append(Array(origin.value.utf8))
        }
        return .listed(listed)
    }
}

extension Kind where Value == String {
    /// A field's name (RFC 9110 §5.1); the wildcard is none.
    static var headerName: Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^[A-Za-z0-9!#$%&'+.^_`|~-]{1,64}$"))])
        return .scalar("header name", schema: schema, example: "X-Tenant-ID") { text in
            let isName =
                (1...64).contains(text.utf8.count)
                && text.utf8.allSatisfy { byte in
                    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                        || "!#$%&'+-.^_`|~".utf8.contains(byte)
                }
            return isName ? text : nil
        }
    }
}
