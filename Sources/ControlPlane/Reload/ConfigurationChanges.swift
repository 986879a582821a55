import Policy

/// What differs between two readings of the file, for one line on standard error.
enum ConfigurationChanges {
    /// Keys at the top of the file, then the files that it names, relative to its folder; empty where nothing has changed.
    static func names(from old: (Configuration, InputFiles), to new: (Configuration, InputFiles)) -> [String] {
        let (before, after) = (old.0.traces.mapValues(\.digest), new.0.traces.mapValues(\.digest))
        let keys = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
        let folder = Reading.folder(of: new.0.path) + "/"
        let files = old.1.changes(to: new.1).filter { $0 != new.0.path }
        return keys + files.map { $0.hasPrefix(folder) ? String($0.dropFirst(folder.count)) : $0 }
    }

    /// At most so many of them in the line.
    static let shown = 8

    static func text(_ names: [String]) -> String {
        let rest = names.count - shown
        return names.prefix(shown).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}

extension Configuration {
    /// Whether tokens are judged by `other`, read from `otherInputs`, exactly as by this one.
    func judgesTokens(as other: Configuration, _ inputs: InputFiles, _ otherInputs: InputFiles) -> Bool {
        traces["credentials"]?.digest == other.traces["credentials"]?.digest
            && traces["credentials_dir"]?.digest == other.traces["credentials_dir"]?.digest
            && inputs.credentialContents == otherInputs.credentialContents && limits.token == other.limits.token
            // What a block takes from its directory's dialect stands in neither.
            && credentials.count == other.credentials.count && zip(credentials, other.credentials).allSatisfy { $0.judges(as: $1) }
    }
}
