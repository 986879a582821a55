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
    static let shape = SectionShape(
        "directory", [dialect.declaration, tenantFormat.declaration, idFormat.declaration, errors.declaration],
        later: ["service_tokens", "credentials_dir", "reconcile", "reach"])

    /// Nil where its dialect can't be had; the directory is then known by name only.
    static func read(_ name: String, _ section: Section, dialects: DialectCache) -> DirectorySettings? {
        let (file, tenantFormat, idFormat, errors) = (section[dialect], section[tenantFormat], section[idFormat], section[errors])
        guard section.has(dialect) else {
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
        return DirectorySettings(name: name, dialect: dialect, dialectPath: file.path)
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
