package import Policy

/// Reads a dialect: a file of its own, which says how one user service speaks about its users (SPEC §6).
package enum DialectFile {
    static let name = Key("name", .text("name", bytes: 64), .required, "What logs and `check` call the dialect.")
    static let tenant = Key<TenantRule>("tenant", .choice, .required, "The tenant rule of routes that don't say their own.")
    static let tenantFormat = Key<IDFormat>("tenant_format", .choice, .required, "How tenant ids are written and compared.")
    static let reach = Key<Reach>(
        "reach", .choice, .required, "How far a suspension reaches: the user of the caller's tenant, or the user in every tenant.")
    static let errors = Key<Envelope>("errors", .choice, .required, "The shape of the gateway's own error bodies.")
    static let idFormat = Key<IDFormat>("id_format", .choice, .required, "How user ids are written and compared.")
    static let user = Key(
        "user", .section(DialectUser.shape), .optional("nothing is learned from answers"), "Where a user object keeps its id and state.")
    static let calls = Key(
        "calls", .list(of: .section(DialectCallSection.shape), 0...64), .byDefault("[]"), "The calls that change or show users' state.")
    static let otherCredentials = Key(
        "other_credentials", .list(of: .text("header or query name", bytes: 64), 0...64), .byDefault("[]"),
        "Further headers, cookies or query parameters that carry a credential.")
    static let aliases = Key(
        "aliases", .named(.section(DialectAliasSection.shape), 0...Limits.aliasRules), .byDefault("{}"),
        "Other names of users, which identity providers know: credential blocks go by them (`claims.user.alias`).")

    static let shape = SectionShape(
        "dialect",
        [
            name.declaration, tenant.declaration, tenantFormat.declaration, reach.declaration, errors.declaration, idFormat.declaration,
            user.declaration, calls.declaration, otherCredentials.declaration, aliases.declaration,
        ])

    /// The dialect of the file at `path`, and everything that is wrong with it; nil where anything is an error.
    package static func read(path: String) -> (dialect: Dialect?, problems: [Problem]) {
        let problems = ProblemList()
        let dialect = FileBytes.read(path, problems: problems).flatMap { read($0, path: path, problems: problems) }
        return (problems.hasErrors ? nil : dialect, problems.sorted)
    }

    /// The same for bytes that were read before; `path` is what problems call the file.
    package static func read(_ bytes: [UInt8], path: String) -> (dialect: Dialect?, problems: [Problem]) {
        let problems = ProblemList()
        let dialect = read(bytes, path: path, problems: problems)
        return (problems.hasErrors ? nil : dialect, problems.sorted)
    }

    /// Nil where something is wrong that leaves no dialect at all.
    static func read(_ bytes: [UInt8], path: String, problems: ProblemList) -> Dialect? {
        guard let root = YAMLDocument.read(bytes, file: path, problems: problems) else { return nil }
        let reading = Reading(problems: problems, folder: Reading.folder(of: path))
        guard let section = Kind.section(shape).read(root, reading) else { return nil }
        let values = (
            section[name], section[tenant], section[tenantFormat], section[reach], section[errors], section[idFormat], section[user],
            section[calls], section[otherCredentials]
        )
        let user = values.6.flatMap(DialectUser.read)
        let calls = (values.7 ?? []).compactMap { DialectCallSection.read($0, hasUser: section.has(Self.user)) }
        checkCalls(calls)
        let aliases = (section[Self.aliases] ?? []).compactMap { named in
            named.value.flatMap { DialectAliasSection.read(named.name, $0) }
        }
        if !aliases.isEmpty, !section.has(Self.user) {
            section.refuse(
                Self.aliases, "aliases are read from user objects, which the dialect doesn't describe",
                fix: "add `user: {id: /id, suspended: {field: …, is: …}}`")
        }
        guard case (let name?, let tenant?, let tenantFormat?, let reach?, let errors?, let idFormat?, _, _, let others?) = values else {
            return nil
        }
        return Dialect(
            name: name, tenant: tenant, tenantFormat: tenantFormat, reach: reach, errors: errors, idFormat: idFormat, user: user,
            calls: calls.map(\.call), otherCredentials: others.map { $0.lowercased() }, aliases: aliases)
    }

    /// Two calls that no request could be told apart by.
    private static func checkCalls(_ calls: [(call: DialectCall, section: Section)]) {
        for (index, entry) in calls.enumerated() {
            let same = calls[..<index].first { $0.call.method == entry.call.method && $0.call.pattern.shape == entry.call.pattern.shape }
            guard let same else { continue }
            entry.section.refuse(
                DialectCallSection.call, "`\(entry.call.text)` is described twice, first on line \(same.section.place.line)",
                fix: "keep one of them")
        }
    }
}

/// `user:` of a dialect.
enum DialectUser {
    static let id = Key("id", .pointer, .required, "Where the user object keeps its id.")
    static let suspended = Key("suspended", .section(DialectState.shape), .required, "Where it says whether the user is suspended.")
    static let shape = SectionShape("dialect_user", [id.declaration, suspended.declaration])

    static func read(_ section: Section) -> UserShape? {
        let (id, state) = (section[id], section[suspended].flatMap(DialectState.read))
        guard let id, let state else { return nil }
        return UserShape(id: id, suspended: state.field, test: state.test)
    }
}

/// `user.suspended:` of a dialect.
enum DialectState {
    static let field = Key("field", .pointer, .required, "The field that tells the state.")
    static let means = Key("is", .stateTest, .required, "What the field says of a suspended user: this boolean, or any date-time.")
    static let shape = SectionShape("dialect_state", [field.declaration, means.declaration])

    static func read(_ section: Section) -> (field: JSONPointer, test: StateTest)? {
        let (field, test) = (section[field], section[means])
        guard let field, let test else { return nil }
        return (field, test)
    }
}

extension Kind where Value == StateTest {
    fileprivate static var stateTest: Kind {
        let words: SchemaValue = .object([("enum", .array([.boolean(true), .boolean(false), .string("date-time")]))])
        return Kind(name: "`true` \\| `false` \\| `date-time`", schema: words, forms: [.scalar]) { node, reading in
            switch node {
            case .scalar("true", true, _): .boolean(suspended: true)
            case .scalar("false", true, _): .boolean(suspended: false)
            case .scalar("date-time", _, _): .dateTime
            default: reading.refuse(node, expected: "true, false or date-time")
            }
        }
    }
}
