import Policy

/// One entry of `directories`.
enum DirectorySection {
    static let dialect = Key("dialect", .file, .optional("nothing is learned"), "The dialect file that its user service speaks.")
    static let tenantFormat = Key<IDFormat>(
        "tenant_format", .choice, .optional("the dialect's; `string` without one"), "How tenant ids are written and compared.")
    static let idFormat = Key<IDFormat>(
        "id_format", .choice, .optional("the dialect's; `string` without one"), "How user ids are written and compared.")
    static let errors = Key<Envelope>(
        "errors", .choice, .optional("the dialect's; `flat` without one"), "The shape of the gateway's own error bodies.")
    static let serviceTokens = Key(
        "service_tokens", .list(of: .section(ServiceTokenSection.shape), 1...4096), .optional("the gateway reads no users by itself"),
        "By which the gateway reads users at their service, to settle calls whose outcome is unknown and to find what has drifted.")
    static let reconcile = Key(
        "reconcile", Kind.section(ReconcileSection.shape).or(.off), .byDefault("{}"),
        "Comparing the service's users with who is blocked, at the start and again and again; with `service_tokens`. `off`: never.")
    static let lateCommits = Key(
        "late_commits", .duration("1s", "1h"), .byDefault("\(Limits.lateCommitSeconds)s"),
        "How long the service may still carry out a call whose answer was lost: until then the user is read again and again.")
    static let shape = SectionShape(
        "directory",
        [
            dialect.declaration, tenantFormat.declaration, idFormat.declaration, errors.declaration, serviceTokens.declaration,
            reconcile.declaration, lateCommits.declaration,
        ], later: ["credentials_dir", "reach"])

    /// Nil where its dialect can't be had; the directory is then known by name only.
    static func read(_ name: String, _ section: Section, dialects: DialectCache) -> DirectorySettings? {
        let (file, tenantFormat, idFormat, errors) = (section[dialect], section[tenantFormat], section[idFormat], section[errors])
        let service = ServiceParts(section)
        guard section.has(dialect) else {
            service.refuseWithoutDialect()
            let dialect = Dialect(
                name: name, tenant: .required, tenantFormat: tenantFormat ?? .string, reach: .tenant, errors: errors ?? .flat,
                idFormat: idFormat ?? .string)
            return DirectorySettings(name: name, dialect: dialect, dialectPath: nil)
        }
        for (key, isThere) in [("tenant_format", section.has(Self.tenantFormat)), ("id_format", section.has(Self.idFormat))] where isThere {
            section.reading.problems.error(
                section.place(key == "id_format" ? Self.idFormat : Self.tenantFormat), "`\(key)` is the dialect's to say",
                fix: "remove it, or change the dialect file")
        }
        guard let file, var dialect = dialects.read(file, section.reading.problems) else { return nil }
        if let errors { dialect.errors = errors }
        return DirectorySettings(name: name, dialect: dialect, dialectPath: file.path, service: service.read(dialect))
    }
}

/// What a directory says of reading its users.
private struct ServiceParts {
    private let section: Section
    private let tokens: [Section]?
    private let reconcile: Either<Section, Off>?
    private let late: Int64?

    init(_ section: Section) {
        self.section = section
        tokens = section[DirectorySection.serviceTokens]
        reconcile = section[DirectorySection.reconcile]
        late = section[DirectorySection.lateCommits]
    }

    func refuseWithoutDialect() {
        guard section.has(DirectorySection.serviceTokens) else { return refuseUnused() }
        section.refuse(
            DirectorySection.serviceTokens, "without a dialect nobody knows how to read a user", fix: "add `dialect: FILE`, or remove it")
    }

    /// Nil where there are no tokens, or something is wrong.
    func read(_ dialect: Dialect) -> ServiceSettings? {
        guard section.has(DirectorySection.serviceTokens) else {
            refuseUnused()
            return nil
        }
        checkCalls(dialect)
        let read = (tokens ?? []).map { ($0, ServiceTokenSection.read($0, dialect: dialect)) }
        for (index, (entry, token)) in read.enumerated() {
            guard let token else { continue }
            if read[..<index].contains(where: { $0.1?.tenant == token.tenant }) {
                entry.refuse(ServiceTokenSection.file, "there is another token for the same users", fix: "keep one for each tenant")
            }
            if token.tenant != nil, dialect.tenant == .none {
                entry.refuse(ServiceTokenSection.tenant, "the dialect says `tenant: none`", fix: "remove `tenant`")
            }
        }
        var every: Int64?
        if case .first(let section)? = reconcile { every = section[ReconcileSection.every] }
        guard let late, reconcile != nil else { return nil }
        return ServiceSettings(
            tokens: read.compactMap(\.1), reconcileMilliseconds: every, lateSeconds: late / 1000,
            place: section.place(DirectorySection.serviceTokens))
    }

    private func checkCalls(_ dialect: Dialect) {
        guard dialect.readCall == nil else { return }
        section.refuse(
            DirectorySection.serviceTokens, "the dialect `\(dialect.name)` has no call that reads one user",
            fix: "add `{call: \"GET /…/{user}\", answers: user}` to it, or remove the tokens")
    }

    private func refuseUnused() {
        for (key, isThere) in [
            ("reconcile", section.has(DirectorySection.reconcile)), ("late_commits", section.has(DirectorySection.lateCommits)),
        ] where isThere {
            section.reading.problems.error(
                section.place(key), "`\(key)` without `service_tokens`: the gateway can't read users",
                fix: "add `service_tokens`, or remove it")
        }
    }
}

extension Dialect {
    /// The call by which the gateway reads one user, and the one by which it reads all.
    var readCall: DialectCall? { calls.first { $0.answers == .user && $0.isPlainGet(parameters: ["user"]) } }
    var listCall: DialectCall? {
        calls.first { call in
            guard case .list = call.answers else { return false }
            return call.isPlainGet(parameters: [])
        }
    }
}

extension DialectCall {
    /// A GET without an intent whose path has these parameters and no others.
    fileprivate func isPlainGet(parameters: [String]) -> Bool {
        guard method == Array("GET".utf8), intent == nil else { return false }
        var found: [String] = []
        for segment in pattern.segments {
            switch segment {
            case .literal: break
            case .parameter(let name): found.append(name)
            case .rest: return false
            }
        }
        return found == parameters
    }
}

/// Reads each dialect file once, however many directories name it.
final class DialectCache {
    private var known: [String: Dialect?] = [:]

    func read(_ file: ReadableFile, _ problems: ProblemList) -> Dialect? {
        if let known = known[file.path] { return known }
        let dialect = FileBytes.read(file.path, problems: problems).flatMap { DialectFile.read($0, path: file.path, problems: problems) }
        known[file.path] = .some(dialect)
        return dialect
    }
}
