import Foundation

/// The real `user-service` as a child, faults enabled, with its users in the test's folder.
package final class UserServiceProcess: Sendable {
    package enum Dialect: String, Sendable, CaseIterable { case jitsudo, rinne }

    package let port: Int
    package let database: String
    package let process: ChildProcess

    /// `users` is a seed as `--seed` takes it; nil leaves the built-in ones.
    package init(_ dialect: Dialect, in folder: TemporaryFolder, users: [[String: Any]]? = nil) throws {
        database = folder.path("\(dialect.rawValue).sqlite")
        var arguments = ["--dialect", dialect.rawValue, "--listen", "127.0.0.1:0", "--database", database, "--faults"]
        if let users {
            let seed = String(decoding: try JSONSerialization.data(withJSONObject: users), as: UTF8.self)
            arguments += ["--seed", try folder.write(seed, to: "\(dialect.rawValue)-users.json")]
        }
        let (program, words) = Unprivileged.command(try BuildProducts.program("user-service"), arguments)
        process = try ChildProcess(program, words, in: folder, name: "user-service-\(dialect.rawValue)")
        port = try process.waitForLine { $0.contains("listening on") ? $0.split(separator: ":").last.flatMap { Int($0) } : nil }
    }

    package func client() throws -> WireClient {
        let client = try WireClient.plain(port: port)
        client.owner = self
        return client
    }

    /// Arms a fault for the next suspend call: `{"kind": …}` as `Fault` documents it.
    package func arm(_ fault: String) throws {
        let answer = try control("POST", "/__fault", fault)
        guard answer.status == 200 else { throw StreamError.malformed(answer.text) }
    }

    /// Lets everything go that a `hold` holds back.
    package func release() throws { _ = try control("POST", "/__fault/release") }

    /// Disarms everything.
    package func disarm() throws { _ = try control("DELETE", "/__fault") }

    /// How many calls are being held.
    package func held() throws -> Int { try control("GET", "/__fault").json?["held"] as? Int ?? 0 }

    /// How many calls a kind of fault has struck since the start.
    package func struck(_ kind: String) throws -> Int {
        (try control("GET", "/__fault").json?["struck"] as? [String: Any])?[kind] as? Int ?? 0
    }

    private func control(_ method: String, _ path: String, _ body: String = "") throws -> WireAnswer {
        try client().exchange(request(method, path, host: "service", body: body))
    }
}

/// A plain request in the text of HTTP/1.1; `Content-Length` is added where there is a body.
package func request(
    _ method: String, _ target: String, host: String = "gateway.test", token: String? = nil, tenant: String? = nil, _ fields: [String] = [],
    body: String = ""
) -> String {
    var lines = ["\(method) \(target) HTTP/1.1", "Host: \(host)"]
    if let token { lines.append("Authorization: Bearer \(token)") }
    if let tenant { lines.append("X-Tenant-ID: \(tenant)") }
    lines += fields
    if !body.isEmpty { lines.append("Content-Length: \(body.utf8.count)") }
    return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
}
