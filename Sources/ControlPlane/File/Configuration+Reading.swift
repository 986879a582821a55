import Policy
import Tokens

/// What reading a file came to.
package struct CheckedFile: Sendable {
    /// Nil where the file is refused.
    package let configuration: Configuration?
    /// Errors and warnings, in the order of lines. Without an error there is a configuration.
    package let problems: [Problem]
    /// What it was read from, also where it is refused.
    package let inputs: InputFiles
}

extension Configuration {
    /// Reads and checks the file at `path`, with the dialects and keys that it names. Blocks on files: not for an event loop.
    package static func read(path: String) -> CheckedFile {
        let problems = ProblemList()
        problems.inputs.note(file: path)
        guard let bytes = FileBytes.read(path, problems: problems) else {
            return CheckedFile(configuration: nil, problems: problems.sorted, inputs: problems.inputs.files)
        }
        return read(bytes, path: path, problems: problems)
    }

    /// The same for text that was read before; `path` is what problems call it, and its folder is where relative paths start.
    package static func read(_ bytes: [UInt8], path: String) -> CheckedFile { read(bytes, path: path, problems: ProblemList()) }

    private static func read(_ bytes: [UInt8], path: String, problems: ProblemList) -> CheckedFile {
        var configuration: Configuration?
        if let root = YAMLDocument.read(bytes, file: path, problems: problems) {
            let reading = Reading(problems: problems, folder: Reading.folder(of: path))
            configuration = Kind.section(RootSection.shape).read(root, reading).flatMap { FileReader($0, path: path).read() }
        }
        if configuration == nil, !problems.hasErrors {
            problems.error(Place(file: path, line: 1, column: 1), "the file can't be used", fix: "compare it with the example file")
        }
        return CheckedFile(
            configuration: problems.hasErrors ? nil : configuration, problems: problems.sorted, inputs: problems.inputs.files)
    }
}

/// Reads the sections in the order in which they refer to each other, then checks them together.
private struct FileReader {
    let root: Section
    let path: String
    var problems: ProblemList { root.reading.problems }

    init(_ root: Section, path: String) {
        self.root = root
        self.path = path
    }

    func read() -> Configuration? {
        let version = root[RootSection.version]
        let (ledger, threads, errors) = (root[RootSection.ledger], root[RootSection.threads], root[RootSection.errors])
        let proxies = root[RootSection.trustedProxies]
        let admin = root[RootSection.admin]
        let (listeners, probes) = readListeners(trusted: proxies, admin: admin)
        let adminSettings = admin.flatMap(AdminSection.read)
        let limits = root[RootSection.limits].map(LimitsSection.read) ?? LimitSettings()
        let timeouts = root[RootSection.timeouts].map(TimeoutsSection.read) ?? TimeoutSettings()
        let log = root[RootSection.log].map(LogSection.read) ?? LogSettings()
        let metrics = root[RootSection.metrics].map(MetricsSection.read) ?? MetricsSettings()
        let fleet = root[RootSection.fleet].flatMap(FleetSection.read)
        let rates = root[RootSection.rateLimits].map { RateLimitsSection.read($0, isRoutesOwn: false) } ?? []
        let services = readServices(errors: errors ?? .flat, bodyLimit: limits.body, rates: rates)

        guard !problems.hasErrors, version != nil, let listeners, let ledger, let errors, let proxies, let services else { return nil }
        return Configuration(
            path: path, listeners: listeners, probes: probes, admin: adminSettings, ledger: ledger, threads: threads,
            directories: services.directories,
            credentials: services.credentials, fetchedKeys: services.fetchedKeys, upstreams: services.upstreams, routes: services.routes,
            errors: errors, trustedProxies: proxies, limits: limits, timeouts: timeouts, log: log, metrics: metrics, fleet: fleet,
            traces: root.traces)
    }

    private func readListeners(trusted: [String]?, admin: Section?) -> ([Listener]?, ListenAddress?) {
        let sections = root[RootSection.listeners]
        let probesSection = root[RootSection.probes]
        let probes = probesSection.flatMap { $0[ProbesSection.address] }
        let listeners = sections?.map(ListenerSection.read)
        for section in sections ?? [] { ListenerSection.checkProxies(section, trusted: trusted) }
        var silent: [Located<ListenAddress>] = []
        for (section, listener) in zip(sections ?? [], listeners ?? []) {
            if let listener { silent.append(Located(value: listener.address, place: section.place(ListenerSection.address))) }
        }
        let others = [probes, admin.flatMap { $0[AdminSection.address] }].compactMap(\.self)
        ListenerSection.checkDistinct(silent + others, problems)
        guard let listeners, !listeners.contains(where: { $0 == nil }) else { return (nil, probes?.value) }
        return (listeners.compactMap(\.self), probes?.value)
    }

    private struct Services {
        var directories: [DirectorySettings] = []
        var credentials: [CredentialBlock] = []
        var fetchedKeys: [FetchedKeys] = []
        var upstreams: [UpstreamSettings] = []
        var routes: [Route] = []
    }

    /// Nil where anything of them is wrong.
    private func readServices(errors: Envelope, bodyLimit: Int, rates: [RateRule]) -> Services? {
        let dialects = DialectCache()
        let directoryEntries = root[RootSection.directories] ?? []
        let directories = directoryEntries.map { entry in entry.value.flatMap { DirectorySection.read(entry.name, $0, dialects: dialects) }
        }
        let directoryNames = NameTable(directoryEntries.map(\.name))

        let credentials = problems.inputs.of(.credentials) {
            let further = root[RootSection.credentialsDir].map { CredentialsFolder.read($0, problems) } ?? []
            return ((root[RootSection.credentials] ?? []) + further).map {
                CredentialSection.read($0, directories: directories, names: directoryNames)
            }
        }
        let upstreamEntries = root[RootSection.upstreams] ?? []
        let upstreams = upstreamEntries.map { entry in
            entry.value.flatMap { UpstreamSection.read(entry.name, $0, directories: directoryNames) }
        }
        for (index, directory) in directories.enumerated() where !upstreams.contains(where: { $0 == nil || $0?.directory == index }) {
            guard let place = directory?.service?.place else { continue }
            problems.error(
                place, "no upstream serves the directory `\(directoryEntries[index].name)`: there is nobody to read its users from",
                fix: "write `directory: \(directoryEntries[index].name)` at its upstream, or remove the tokens")
        }
        let upstreamNames = NameTable(upstreamEntries.map(\.name))
        let reader = RouteReader(
            upstreams: upstreamNames, upstreamSettings: upstreams, directories: directories, errors: errors, bodyLimit: bodyLimit,
            rates: rates)
        let drafts = (root[RootSection.routes] ?? []).enumerated().map { reader.read($0.element, index: $0.offset) }

        let checks = CredentialChecks(
            drafts: credentials, directories: directoryEntries, routes: drafts, hasFleet: root.has(RootSection.fleet), problems: problems)
        checks.checkIssuers()
        RouteChecks(drafts: drafts, upstreams: upstreams, directories: directories, credentials: credentials).run()

        // In a file with errors these would mostly be what the errors led to.
        guard !problems.hasErrors else { return nil }
        checks.checkCovered()
        checks.checkAliases(directories)
        warnUnused(upstreamNames, upstreamEntries.map(\.place), "no route uses the upstream", "add a route, or remove it")
        warnUnused(directoryNames, directoryEntries.map(\.place), "nothing uses the directory", "name it in an upstream, or remove it")
        var origins: Set<KeyOrigin> = []
        return Services(
            directories: directories.compactMap(\.self), credentials: credentials.compactMap(\.block),
            fetchedKeys: credentials.compactMap(\.fetched).filter { origins.insert($0.origin).inserted },
            upstreams: upstreams.compactMap(\.self), routes: drafts.compactMap(\.route))
    }

    private func warnUnused(_ table: NameTable, _ places: [Place], _ what: String, _ remedy: String) {
        for (index, name) in table.names.enumerated() where !table.used.contains(index) {
            problems.warning(places[index], "\(what) `\(name)`", fix: remedy)
        }
    }
}
