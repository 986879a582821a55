import HTTPWire
import Policy
import Synchronization
import Tokens

/// Who gets in at the admin listener, by the file in force.
struct AdminGate: Sendable {
    private let tokens: [AdminToken]
    private let hosts: [HostPattern]
    private let scheme: String

    init(_ settings: AdminSettings) {
        tokens = settings.tokens
        hosts = settings.hosts
        scheme = settings.tls == nil ? "http" : "https"
    }

    /// Whether a request was meant for here. A page of others whose name was turned to this address (DNS rebinding) says its own name in
    /// `Host`; one that sends forms or fetches says where it comes from in `Origin`.
    func place(_ head: AdminHead) throws(AdminRefusal) {
        guard allows(host: head.host) else { throw .hostNotAllowed }
        guard let origin = head.origin else { return }
        guard origin.lowercased() == "\(scheme)://\(head.authority)".lowercased() else { throw .originNotAllowed }
    }

    /// An address can't be turned to another place, and `localhost` is nobody else's.
    private func allows(host: String) -> Bool {
        let host = host.lowercased()
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        if host == "localhost" || NumericAddress(bare) != nil { return true }
        return hosts.contains { pattern in
            switch pattern {
            case .exact(let name): Array(host.utf8) == name
            case .wildcard(let suffix): host.utf8.count > suffix.count && host.utf8.suffix(suffix.count).elementsEqual(suffix)
            case .any: false
            }
        }
    }

    /// Whose token it is; nil for nobody's. Takes as long for every token of one length.
    func token(_ presented: [UInt8]) -> AdminToken? {
        guard presented.count <= Limits.adminTokenBytes.upperBound else { return nil }
        let digest = Digest.sha256(presented.span)
        var found: AdminToken?
        for token in tokens where Self.isSame(digest, token.digest) { found = token }
        return found
    }

    /// Whether the token still opens, after a reload.
    func knows(_ token: AdminToken) -> Bool {
        tokens.contains { $0.name == token.name && $0.role == token.role && $0.digest == token.digest }
    }

    private static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}

/// Wrong tokens by where they came from, in this minute. Loop-bound.
struct AdminFailures {
    private var counts: [String: Int] = [:]
    private var minute: Int64 = -1

    /// Notes a wrong token; false where there were too many from there already.
    mutating func note(_ source: String, at seconds: Int64) -> Bool {
        if seconds / 60 != minute { (counts, minute) = ([:], seconds / 60) }
        // More sources than are remembered share one count.
        let source = counts[source] == nil && counts.count >= Limits.adminSources ? "others" : source
        counts[source, default: 0] += 1
        return counts[source]! <= Limits.adminFailuresPerMinute
    }
}

/// What the admin listener has answered, by endpoint and status: for `/metrics`. From any thread.
final class AdminCounts: Sendable {
    struct Key: Hashable, Sendable {
        let endpoint: String
        let status: UInt16
    }

    private let counts = Mutex<[Key: Int]>([:])

    /// `endpoint` is one of the API's, or `-`.
    func note(_ endpoint: String, _ status: UInt16) { counts.withLock { $0[Key(endpoint: endpoint, status: status), default: 0] += 1 } }

    var all: [Key: Int] { counts.withLock { $0 } }
}
