import Foundation

/// An answer as it came over the wire.
package struct WireAnswer: Sendable {
    package var status: Int
    /// Names in lower case, in the order received.
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]
    package var trailers: [(name: String, value: String)] = []
    /// Statuses of the 1xx that came before it.
    package var interim: [Int] = []
    /// The connection ended before the message did.
    package var isCut = false

    package init(status: Int, fields: [(name: String, value: String)], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    package func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
    package func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }
    package var text: String { String(decoding: body, as: UTF8.self) }
    package var json: [String: Any]? { (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] }
    package var endsConnection: Bool { field("connection")?.lowercased() == "close" }

    /// The code of a refusal in either envelope; nil where the body holds none.
    package var code: String? {
        let json = json
        return json?["code"] as? String ?? (json?["error"] as? [String: Any])?["code"] as? String
    }

    /// The refusal's code where the gateway says in `Proxy-Status` that it is its own; nil for an upstream's answer.
    package var gatewayCode: String? {
        guard let status = field("proxy-status"), status.hasPrefix("tenantgate;") else { return nil }
        return status.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            .first { $0.hasPrefix("details=") }.map { $0.dropFirst("details=".count).trimmingCharacters(in: ["\""]) }
    }

    package var commitNumber: Int? { field("x-commit-number").flatMap { Int($0) } }
}

/// Splits a head, without its empty line, into the start line and its fields.
package func splitHead(_ head: some Sequence<UInt8>) -> (start: String, fields: [(name: String, value: String)]) {
    let lines = String(decoding: Array(head), as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
    let fields = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
        guard let colon = line.firstIndex(of: ":") else { return line.isEmpty ? nil : (line.lowercased(), "") }
        return (line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
    }
    return (String(lines.first ?? ""), fields)
}
