import Foundation

/// The real `tenantgate serve` as a child.
package final class Gateway: Sendable {
    package let port: Int
    package let process: ChildProcess

    /// Starts it on the file at `path` and waits until it listens.
    package init(file path: String, in folder: TemporaryFolder) throws {
        process = try ChildProcess(
            BuildProducts.program("tenantgate"), ["serve", "--config", path], in: folder, name: "tenantgate",
            environment: ["SWIFT_BACKTRACE": "enable=no"])
        port = try process.waitForLine { line in
            guard !line.hasPrefix("{"), line.contains("127.0.0.1:") else { return nil }
            return line.split(separator: "127.0.0.1:", maxSplits: 1).last.flatMap { Int($0.prefix { $0.isNumber }) }
        }
    }

    package func client() throws -> WireClient {
        let client = try WireClient.tls(port: port)
        client.owner = self
        return client
    }

    /// One request on a connection of its own.
    package func ask(_ text: String) throws -> WireAnswer {
        let client = try client()
        defer { client.stream.close() }
        return try client.exchange(text)
    }

    /// The access log so far: one object per request.
    package var accessLog: [[String: Any]] {
        process.outputText.split(separator: "\n").compactMap { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        }
    }
}
