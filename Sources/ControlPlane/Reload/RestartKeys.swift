import Policy

/// What can't change while the gateway runs: a file that changes it is refused whole, so that what runs is always what one file says.
enum RestartKeys {
    /// An error for each, at its key in `new`.
    static func problems(from old: Configuration, to new: Configuration) -> [Problem] {
        var problems: [Problem] = []
        func keep(_ key: String, in section: String? = nil, _ before: String?, _ after: String?) {
            guard before != after else { return }
            let place = new.traces[section ?? key]?.place ?? Place(file: new.path, line: 1, column: 1)
            let remedy = before.map { "set it back to `\($0)`, or restart the gateway" } ?? "remove it, or restart the gateway"
            problems.append(Problem(at: place, "`\(key)` can't change without a restart", fix: remedy))
        }
        keep("ledger", "sqlite:\(old.ledger)", "sqlite:\(new.ledger)")
        keep("threads", old.threads.map { "\($0)" }, new.threads.map { "\($0)" })
        keep("probes.address", in: "probes", old.probes?.text, new.probes?.text)
        keep("admin.address", in: "admin", old.admin?.address.text, new.admin?.address.text)
        keep("log.to", in: "log", old.log.destination.text, new.log.destination.text)
        keep("limits.open_suspend_calls", in: "limits", "\(old.limits.openSuspendCalls)", "\(new.limits.openSuspendCalls)")
        keep(
            "limits.suspend_calls_per_minute", in: "limits", "\(old.limits.suspendCallsPerMinute)", "\(new.limits.suspendCallsPerMinute)")
        keep("metrics.tenants", in: "metrics", "\(old.metrics.tenants)", "\(new.metrics.tenants)")
        if old.fleet != new.fleet {
            // Its words may be a password's.
            let place = new.traces["fleet"]?.place ?? Place(file: new.path, line: 1, column: 1)
            problems.append(
                Problem(at: place, "`fleet` can't change without a restart", fix: "put it back as it was, or restart the gateway"))
        }
        return problems + directoryProblems(from: old, to: new)
    }

    /// Blocks are kept by a directory's number, with its formats and reach: the ledger gives them at the start.
    private static func directoryProblems(from old: Configuration, to new: Configuration) -> [Problem] {
        let place = new.traces["directories"]?.place ?? Place(file: new.path, line: 1, column: 1)
        let before = Dictionary(uniqueKeysWithValues: old.directories.map { ($0.name, DirectoryIdentity($0)) })
        let after = Dictionary(uniqueKeysWithValues: new.directories.map { ($0.name, DirectoryIdentity($0)) })
        return Set(before.keys).union(after.keys).sorted().compactMap { name in
            guard before[name] != after[name] else { return nil }
            let what =
                switch (before[name], after[name]) {
                case (nil, _): "the directory `\(name)` can't be added without a restart"
                case (_, nil): "the directory `\(name)` can't be removed without a restart"
                default: "the id format, tenant format and reach of the directory `\(name)` can't change without a restart"
                }
            return Problem(at: place, what, fix: "put it back as it was, or restart the gateway")
        }
    }
}

/// What stored blocks mean something by.
private struct DirectoryIdentity: Equatable {
    let idFormat: IDFormat
    let tenantFormat: IDFormat
    let reach: Reach

    init(_ directory: DirectorySettings) {
        (idFormat, tenantFormat, reach) = (directory.dialect.idFormat, directory.dialect.tenantFormat, directory.dialect.reach)
    }
}

extension LogSettings.Destination {
    fileprivate var text: String {
        switch self {
        case .standardOutput: "stdout"
        case .file(let path): path
        case .off: "off"
        }
    }
}

extension Configuration {
    /// The same with the directories numbered as in `other`, which has the same ones.
    func numbered(as other: Configuration) -> Configuration {
        let numbers = Dictionary(uniqueKeysWithValues: other.directories.enumerated().map { ($1.name, $0) })
        let new = directories.map { numbers[$0.name] ?? 0 }
        var same = self
        same.directories = other.directories.compactMap { directory in directories.first { $0.name == directory.name } }
        for index in same.credentials.indices { same.credentials[index].directory = new[credentials[index].directory] }
        for index in same.upstreams.indices { same.upstreams[index].directory = upstreams[index].directory.map { new[$0] } }
        for index in same.routes.indices { same.routes[index].directory = routes[index].directory.map { new[$0] } }
        return same
    }
}
