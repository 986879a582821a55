import Policy

extension Configuration {
    /// The aliases of a directory's users that its credentials go by; no others are read, kept or asked for.
    func aliases(of directory: DirectoryIndex) -> [DialectAlias] {
        let used = Set(credentials.filter { $0.directory == directory }.compactMap { $0.claims.alias?.rule })
        return directories[directory].dialect.aliases.filter { used.contains($0.rule) }
    }

    /// What the ledger keeps of each directory's aliases.
    var aliasKinds: [Set<[UInt8]>] { directories.indices.map { Set(aliases(of: $0).map(\.rule.kind)) } }
}
