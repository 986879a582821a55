import Foundation
import TestSupport

/// A gateway in front of a test's own servers, with probes.
final class ServersStand: @unchecked Sendable {  // `settings` and `seen` are the test thread's; the rest never changes
    let folder: TemporaryFolder
    let gateway: Gateway
    private(set) var settings: GatewayFile
    private var seen = 0

    /// `servers` are those of the upstream `jitsudo`, `keys` what its entry says beside them. `timeout`: until an answer must begin.
    init(
        _ servers: [String], _ keys: [String] = [], timeout: String = "5s", in folder: TemporaryFolder? = nil,
        _ edit: (inout GatewayFile) -> Void = { _ in }
    ) throws {
        self.folder = try folder ?? TemporaryFolder()
        settings = GatewayFile(jitsudo: 1, rinne: 1)
        settings.servers = servers
        settings.upstreamKeys = keys
        settings.timeout = timeout
        // One loop, so that what it knows of its connections is all there is to know.
        settings.threads = 1
        settings.more = ["probes: {address: 127.0.0.1:0}"]
        edit(&settings)
        gateway = try Gateway(file: settings.write(to: self.folder), in: self.folder)
    }

    /// One request on a connection of its own.
    func ask(_ method: String = "GET", _ path: String = "/v1/page", body: String = "") throws -> WireAnswer {
        try gateway.ask(
            request(method, path, token: GoodRequest.token, tenant: TestIssuers.acme, body: body))
    }

    /// Asks until `condition` holds of the metrics; false after 20 seconds.
    func waitForMetrics(_ condition: (MetricsText) throws -> Bool) throws -> Bool {
        let deadline = Date(timeIntervalSinceNow: 20)
        while try !condition(gateway.metrics()) {
            if Date() > deadline { return false }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return true
    }

    /// Whether the server gets requests, as `/metrics` has it.
    func isUp(_ server: String, _ metrics: MetricsText? = nil) throws -> Bool? {
        try (metrics ?? gateway.metrics())["tenantgate_upstream_server_up{upstream=\"jitsudo\",server=\"\(server)\"}"].map { $0 == 1 }
    }

    /// Waits for a line on standard error that holds all of these.
    func line(_ parts: String...) throws -> String {
        try gateway.process.waitForErrors { text in
            text.split(separator: "\n").first { line in parts.allSatisfy { line.contains($0) } }.map(String.init)
        }
    }

    /// Changes the file; the line of the reload that follows.
    @discardableResult
    func edit(_ change: (inout GatewayFile) -> Void) throws -> String {
        change(&settings)
        try folder.write(settings.text, to: "tenantgate.yaml")
        return try nextReload()
    }

    /// The line of the next reload that isn't told yet.
    func nextReload() throws -> String {
        try gateway.nextReload(after: &seen)
    }
}

extension RecordingUpstream {
    /// Its address as the file and metrics name it.
    var address: String { "127.0.0.1:\(port)" }
    var url: String { "http://\(address)" }
}
