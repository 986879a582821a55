import HTTPWire
import NIOCore
import Policy

#if canImport(Glibc)
    import Glibc
#endif

/// The gateway's own answer: one refusal in the route's envelope (SPEC §1), complete with its fields.
struct Refusal {
    let denial: Denial
    /// HEAD gets no body.
    let isHead: Bool
    let envelope: Envelope
    /// The rule that decided, as the file names it: `routes[3].tenant`.
    let rule: String?
    var details: Details?
    /// What a person reads, where there is more to say than for others of this denial.
    private var message: StaticString?
    /// The `Allow` field of a 405.
    var allow: String?
    /// Seconds for `Retry-After`.
    var retryAfter: Int?
    /// A page of another origin may read the refusal, too.
    var cors = CORSFields.none

    /// What `details` may hold besides the rule.
    struct Details {
        var suspension: StaticString
    }

    init(_ denial: Denial, isHead: Bool, envelope: Envelope = .flat, rule: String? = nil) {
        self.denial = denial
        self.isHead = isHead
        self.envelope = envelope
        self.rule = rule
        switch denial {
        case .overloaded, .suspensionBusy, .suspensionNotDurable, .keysUnavailable: retryAfter = 1
        default: break
        }
    }

    /// The refusal of a request whose head is known, in its route's envelope.
    init(_ denial: Denial, head: borrowing RequestHead, found: Findings, snapshot: Snapshot) {
        let envelope = found.route.map { snapshot.rules[$0].route.errors } ?? snapshot.errors
        let rate = denial == .rateLimited ? found.rate : nil
        let rule = rate?.rule.name(route: found.route ?? 0) ?? Self.rule(denial, found)
        self.init(denial, isHead: head.method == .head, envelope: envelope, rule: rule)
        retryAfter = rate?.seconds ?? retryAfter
        allow = found.allow
        if found.isOriginRefused, denial == .badRequest {
            message = "The Origin header must be one of this route's cors.origins: add the page's origin there, spelled as browsers do."
        }
        if let cors = found.route.flatMap({ snapshot.rules[$0].cors }) { self.cors = cors.fields(for: head) }
    }

    /// What has decided about a request that was not admitted.
    static func rule(_ denial: Denial, _ found: Findings) -> String? {
        if found.isOriginRefused, denial == .badRequest { return found.route.map { "routes[\($0)].cors.origins" } }
        if let alias = found.alias, alias.answer.map({ !$0.verdict.isUser }) ?? true, denial == .invalidToken || denial == .overloaded {
            return "credentials[\(alias.block)].claims.user"
        }
        return rule(denial, route: found.route, staleFor: found.staleFor)
    }

    /// The part of a route that decides in each stage; `staleFor` is the credential block that wants a newer token.
    static func rule(_ denial: Denial, route: Int?, staleFor: Int? = nil) -> String? {
        if let staleFor, denial == .tokenExpired { return "credentials[\(staleFor)].fresh_token_after_reactivation" }
        guard let route else { return denial.stage == .route ? "routes" : nil }
        switch denial.stage {
        case .parse, .forward, .observe, .respond: return nil
        case .route: return "routes[\(route)]"
        case .authenticate: return "routes[\(route)].credential"
        case .tenant: return "routes[\(route)].tenant"
        case .suspension: return "routes[\(route)].suspended"
        case .authorize: return "routes[\(route)].require"
        }
    }

    /// The whole answer as it goes to the client.
    func answer(id: RequestID, closing: Bool) -> ByteBuffer {
        let body = self.body
        var bytes = ByteBufferAllocator().buffer(capacity: 1024 + body.count)
        let row = denial.row
        bytes.writeStatusLine(row.status)
        bytes.writeStaticString("Date: ")
        bytes.writeHTTPDate(Int64(time(nil)))
        bytes.writeStaticString("\r\n")
        bytes.writeString("Content-Type: application/json\r\nContent-Length: \(body.count)\r\nCache-Control: no-store\r\n")
        bytes.writeString("Proxy-Status: tenantgate; error=\(row.proxyError); details=\(row.code)\r\n")
        bytes.writeString("X-Request-ID: \(String(decoding: id.bytes, as: UTF8.self))\r\n")
        if row.status == 401 { bytes.writeString("WWW-Authenticate: \(challenge)\r\n") }
        if let allow { bytes.writeString("Allow: \(allow)\r\n") }
        if let retryAfter { bytes.writeString("Retry-After: \(retryAfter)\r\n") }
        cors.write(into: &bytes)
        if closing { bytes.writeString("Connection: close\r\n") }
        bytes.writeString("\r\n")
        if !isHead { bytes.writeBytes(body) }
        return bytes
    }

    /// RFC 6750 §3: no error code where nothing was sent.
    private var challenge: String {
        denial == .unauthenticated
            ? "Bearer realm=\"tenantgate\""
            : "Bearer realm=\"tenantgate\", error=\"invalid_token\", error_description=\"\(denial.row.message)\""
    }

    /// What the answer carries, but for HEAD.
    var body: [UInt8] {
        var inner = "\"code\":\"\(denial.code)\",\"message\":\"\(message ?? denial.row.message)\""
        var members: [String] = []
        if let rule { members.append("\"rule\":\"\(rule)\"") }
        if let details { members.append("\"suspension\":\"\(details.suspension)\"") }
        if !members.isEmpty { inner += ",\"details\":{\(members.joined(separator: ","))}" }
        switch envelope {
        case .flat: return Array("{\(inner)}\n".utf8)
        case .nested: return Array("{\"error\":{\(inner)}}\n".utf8)
        }
    }
}
