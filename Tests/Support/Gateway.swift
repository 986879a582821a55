import Foundation

/// The real `tenantgate serve` as a child.
package final class Gateway: Sendable {
    package let port: Int
    package let process: ChildProcess

    /// Starts it on the file at `path` and waits until it listens; `descriptors` are its limits of open files, soft and hard. `takesOver`: from
    /// the one that runs on the file's ledger.
    package init(
        file path: String, in folder: TemporaryFolder, descriptors: (Int, Int)? = nil, takesOver: Bool = false,
        environment: [String: String] = [:]
    ) throws {
        let serve = ["serve", "--config", path] + (takesOver ? ["--take-over"] : [])
        var (program, words) = Unprivileged.command(try BuildProducts.program("tenantgate"), serve)
        if let descriptors {
            words = ["--nofile=\(descriptors.0):\(descriptors.1)", program.path] + words
            program = URL(filePath: "/usr/bin/prlimit")
        }
        process = try ChildProcess(
            program, words, in: folder, name: "tenantgate", environment: environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 })
        port = try process.waitForLine { line in
            guard line.hasPrefix("listening on ") else { return nil }
            return line.split(separator: "127.0.0.1:", maxSplits: 1).last.flatMap { Int($0.prefix { $0.isNumber }) }
        }
    }

    package func client() throws -> WireClient {
        let client = try WireClient.tls(port: port)
        client.owner = self
        return client
    }

    /// The port of the listener without TLS, where the file has one.
    package func plainPort() throws -> Int {
        try process.waitForLine { line in
            guard line.contains("plain HTTP") else { return nil }
            return line.split(separator: "127.0.0.1:").last.flatMap { Int($0.prefix { $0.isNumber }) }
        }
    }

    /// One request on a connection of its own.
    package func ask(_ text: String) throws -> WireAnswer {
        let client = try client()
        defer { client.stream.close() }
        return try client.exchange(text)
    }

    /// One request to the probes' listener; the file has `probes: {address: 127.0.0.1:0}`.
    package func probe(_ path: String, method: String = "GET") throws -> WireAnswer {
        let client = try WireClient.plain(port: try probesPort())
        defer { client.stream.close() }
        return try client.exchange("\(method) \(path) HTTP/1.1\r\nHost: probes\r\nConnection: close\r\n\r\n")
    }

    package func probesPort() throws -> Int {
        try process.waitForLine { line in line.hasPrefix("probes on 127.0.0.1:") ? Int(line.split(separator: ":").last ?? "") : nil }
    }

    /// What `/metrics` says now.
    package func metrics() throws -> MetricsText { MetricsText(try probe("/metrics").text) }

    /// The access log so far: one object per request.
    package var accessLog: [[String: Any]] {
        process.outputText.split(separator: "\n").compactMap { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        }
    }
}
