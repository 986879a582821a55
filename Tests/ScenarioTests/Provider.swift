import Foundation
import TestSupport
import Testing

/// A program of others as a child, and what it says of itself: an identity provider, a WebSocket server.
final class Provider {
    let facts: [String: Any]
    let process: ChildProcess

    /// The interpreter that has the providers: `TENANTGATE_PROVIDERS`, or where `config/setup --test` puts it.
    static let python: URL? = {
        let named = ProcessInfo.processInfo.environment["TENANTGATE_PROVIDERS"].map { URL(filePath: $0) }
        let python = named ?? BuildProducts.repository.appending(path: ".build/providers/bin/python")
        return FileManager.default.isExecutableFile(atPath: python.path) ? python : nil
    }()

    init(_ script: String, _ arguments: [String], in folder: TemporaryFolder) throws {
        let file = BuildProducts.repository.appending(path: "Tests/Providers/\(script)").path
        process = try ChildProcess(try #require(Self.python), [file] + arguments, in: folder, name: script)
        let line = try process.waitForLine(seconds: 120) { $0.hasPrefix("{") ? String($0) : nil }
        facts = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    var issuer: String { facts["issuer"] as? String ?? "" }
    var audience: String { facts["audience"] as? String ?? "" }
    var token: String { facts["token"] as? String ?? "" }

    func stop() { process.kill() }
}
