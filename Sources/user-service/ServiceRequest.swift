/// A request as the two APIs see it: the wire's bytes are read, nothing is judged yet.
struct ServiceRequest: Sendable {
    var method: String
    /// The path's segments, percent-decoded; empty for `/`.
    var path: [String]
    /// Query parameters, percent-decoded; of a repeated name the first counts.
    var query: [String: String] = [:]
    /// Field values by lower-case name, in the order received.
    var fields: [String: [String]] = [:]
    var body: [UInt8] = []
    /// The client won't send another request on this connection.
    var endsConnection = false

    /// The value of a field that must come once; nil where it is absent or repeated.
    func field(_ name: String) -> String? {
        guard let values = fields[name], values.count == 1 else { return nil }
        return values[0]
    }

    /// Whether any credential came along. Which one it is and what it is worth is the gateway's business.
    var hasCredential: Bool { fields["authorization"] != nil || fields["x-api-key"] != nil }

    /// The user that the gateway verified, and that user's roles; nil where the caller came without the gateway.
    var caller: (user: String, roles: [String])? {
        guard let user = field("x-user-id") else { return nil }
        let roles = field("x-user-roles") ?? ""
        return (user, roles.split(separator: ",").map { String($0.trimmingPrefix(while: { $0 == " " })) })
    }

    /// Whether this is the call that suspends or reactivates, by either dialect: what faults are armed for.
    var isSuspendCall: Bool { method == "POST" && (path.last == "suspend" || path.last == "activate") }
    /// Whether it lists users, or reads one.
    var isList: Bool { method == "GET" && path.last == "users" }
    var isRead: Bool { method == "GET" && path.dropLast().last == "users" }
}

extension ServiceRequest {
    /// Reads a request target in origin-form; nil where an escape is broken or the text is not UTF-8.
    init?(method: String, target: String) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var segments: [String] = []
        for part in parts[0].split(separator: "/", omittingEmptySubsequences: true) {
            guard let segment = percentDecoded(part) else { return nil }
            segments.append(segment)
        }
        self.init(method: method, path: segments)
        guard parts.count == 2 else { return }
        for pair in parts[1].split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = percentDecoded(halves[0]), let value = percentDecoded(halves.count == 2 ? halves[1] : "") else { return nil }
            if query[name] == nil { query[name] = value }
        }
    }
}

/// `%41` becomes `A`; nil where an escape is broken or the result is not UTF-8.
private func percentDecoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard let high = rest.popFirst(), let low = rest.popFirst(),
            let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16), high != UInt8(ascii: "+")
        else { return nil }
        bytes.append(value)
    }
    return String(validating: bytes, as: UTF8.self)
}
