import Foundation
import TestSupport

/// A gateway in front of one recording upstream, and its file, which a test changes while it runs.
final class ReloadStand: @unchecked Sendable {  // `settings`, `seen` and `version` are the test thread's; the rest never changes
    let folder: TemporaryFolder
    let upstream: RecordingUpstream
    let gateway: Gateway
    /// As the gateway was told.
    let file: String
    private(set) var settings: GatewayFile
    private var seen = 0
    private var version = 1

    init(
        throughLinks: Bool = false, _ edit: (inout GatewayFile) throws -> Void = { _ in },
        script: @escaping RecordingUpstream.Script = { _ in [.json("{}")] }, prepare: (TemporaryFolder) throws -> Void = { _ in }
    ) throws {
        folder = try TemporaryFolder()
        upstream = try RecordingUpstream(script)
        settings = GatewayFile(jitsudo: upstream.port, rinne: upstream.port)
        try edit(&settings)
        try prepare(folder)
        file = try settings.write(to: folder)
        if throughLinks { try Self.putBehindLinks(folder, settings) }
        gateway = try Gateway(file: file, in: folder)
    }

    /// Changes the file, in place or by renaming another over it, from the settings that it was started with.
    func edit(byRenaming: Bool = false, _ change: (inout GatewayFile) throws -> Void) throws {
        var changed = settings
        try change(&changed)
        try put(changed.text, to: "tenantgate.yaml", byRenaming: byRenaming)
    }

    func put(_ text: String, to name: String, byRenaming: Bool = false) throws {
        guard byRenaming else {
            try folder.write(text, to: name)
            return
        }
        try folder.write(text, to: "next")
        try folder.rename("next", over: name)
    }

    /// Sends SIGHUP; the line that tells what came of it.
    func reload() throws -> String {
        gateway.process.send(signal: SIGHUP)
        return try nextReload()
    }

    /// The line of the next reload that isn't told yet. Those that found nothing new don't count.
    func nextReload() throws -> String {
        try gateway.nextReload(after: &seen)
    }

    func get(_ path: String, token: String? = nil, _ fields: [String] = []) -> String {
        let token = token ?? TestIssuers.jitsudoToken(TestIssuers.acmeAdmin, roles: ["member"])
        return request("GET", path, token: token, tenant: TestIssuers.acme, fields)
    }

    /// One request on a connection of its own.
    func ask(_ path: String) throws -> WireAnswer { try gateway.ask(get(path)) }
}

// Files as Kubernetes mounts them: NAME → ..data/NAME, ..data → a folder of this version.
extension ReloadStand {
    private static func putBehindLinks(_ folder: TemporaryFolder, _ settings: GatewayFile) throws {
        try folder.write(settings.text, to: "..v1/tenantgate.yaml")
        try FileManager.default.removeItem(atPath: folder.path("tenantgate.yaml"))
        try folder.link("..data", to: "..v1")
        try folder.link("tenantgate.yaml", to: "..data/tenantgate.yaml")
    }

    /// Puts a new version in place at once and removes the old one.
    func turnLinks(_ change: (inout GatewayFile) -> Void) throws {
        var changed = settings
        change(&changed)
        version += 1
        try folder.write(changed.text, to: "..v\(version)/tenantgate.yaml")
        try folder.link("..data_tmp", to: "..v\(version)")
        try folder.rename("..data_tmp", over: "..data")
        try FileManager.default.removeItem(atPath: folder.path("..v\(version - 1)"))
    }
}

extension Gateway {
    /// The line of the next reload that something came of; `seen` counts those that were told before.
    func nextReload(after seen: inout Int) throws -> String {
        let told = seen
        let line = try process.waitForErrors { text in
            let lines = text.split(separator: "\n").filter { $0.hasPrefix("reload") && !$0.hasSuffix("nothing has changed") }
            return lines.count > told && text.hasSuffix("\n") ? String(lines[told]) : nil
        }
        seen += 1
        return line
    }
}
