import Foundation

/// The admin listener of tests: who may use it, and how it is asked.
package enum TestAdmin {
    package static let operatorToken = "operator-token-of-the-tests-0123456789abcdef"
    package static let viewerToken = "viewer-token-of-the-tests-0123456789abcdef01"

    static let section = """
        admin:
          address: 127.0.0.1:0
          tokens:
            - {name: ops, role: operator, file: secrets/ops.token}
            - {name: eyes, role: viewer, file: secrets/eyes.token}
        """

    /// One request. `body` is JSON, unless `type` says otherwise.
    package static func request(
        _ method: String, _ path: String, token: String? = operatorToken, host: String = "localhost", type: String = "application/json",
        _ fields: [String] = [], body: String? = nil
    ) -> String {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)"] + fields
        if let token { lines.append("Authorization: Bearer \(token)") }
        if let body { lines += ["Content-Type: \(type)", "Content-Length: \(body.utf8.count)"] }
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    }

    /// JSON of an operator's wish.
    package static func wish(_ directory: String, tenant: String? = nil, _ user: String, source: String? = nil) -> String {
        var members = ["directory": directory, "user": user, "reason": "INC-4711"]
        members["tenant"] = tenant
        members["source"] = source
        let data = (try? JSONSerialization.data(withJSONObject: members, options: [.sortedKeys])) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }
}

extension Gateway {
    /// The admin listener's port; the file says `admin`.
    package func adminPort() throws -> Int {
        try process.waitForLine { line in
            guard line.hasPrefix("admin on http") else { return nil }
            return line.split(separator: ":").last.flatMap { Int($0.prefix { $0.isNumber }) }
        }
    }

    package func adminClient() throws -> WireClient { try WireClient.plain(port: adminPort()) }

    /// One request to the admin listener, on a connection of its own.
    package func admin(
        _ method: String, _ path: String, token: String? = TestAdmin.operatorToken, host: String = "localhost",
        type: String = "application/json", _ fields: [String] = [], body: String? = nil
    ) throws -> WireAnswer {
        let client = try adminClient()
        defer { client.stream.close() }
        return try client.exchange(TestAdmin.request(method, path, token: token, host: host, type: type, fields, body: body))
    }
}
