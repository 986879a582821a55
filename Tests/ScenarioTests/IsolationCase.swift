import Foundation
import TestSupport

/// A token of the isolation test and what a fair judge thinks of it.
struct IsolationToken: Sendable {
    let text: String
    /// The directory in which it is valid; nil where it is valid nowhere.
    let dialect: String?
    let user: String
    let tenants: [String]
    let roles: [String]
    let scopes: [String]

    /// Whether `value`, as received, names a tenant of this token.
    func speaks(for value: String) -> Bool {
        tenants.contains { dialect == "jitsudo" ? $0.lowercased() == value.lowercased() : $0 == value }
    }
}

/// A random request: what is sent, and what must not happen with it.
struct IsolationCase: Sendable {
    let number: Int
    let text: String
    let method: String
    let token: IsolationToken?
    /// Every tenant value that the client put anywhere, in any spelling.
    let claimedTenants: [String]
    /// It carries a second credential or a doubled field: it must not pass a route that judges.
    let isTricky: Bool
    /// Nothing about it is wrong: it must pass.
    let mustPass: Bool
}

/// Makes the cases, all from one seed.
struct IsolationCases {
    private var random: SeededRandom
    private let tokens: [IsolationToken]
    private var number: Int
    /// GETs ask for a WebSocket, some of them with the token among the subprotocols.
    var opensWebSockets = false
    /// Whose pages may send their token there.
    static let origin = "https://app.example"

    init(seed: UInt64, firstNumber: Int, tokens: [IsolationToken]) {
        random = SeededRandom(seed: seed)
        self.tokens = tokens
        number = firstNumber
    }

    private struct Place {
        let method: String
        let path: String
        /// Whose directory; nil for public and unknown places.
        let dialect: String?
        var role: String?
        var scope: String?
        var isPublic = false
        var wantsTenant = false
        var isClean = true
        /// `token_from: subprotocol`.
        var isSocket = false
    }

    mutating func next() -> IsolationCase {
        number += 1
        let place = opensWebSockets && random.chance(40) ? Self.socket : random.pick(Self.places)
        let token =
            random.chance(5) ? nil : random.pick(random.chance(75) ? tokens.filter { $0.dialect == place.dialect } + tokens : tokens)
        var lines = ["\(place.method) \(place.path) HTTP/1.1", "Host: gateway.test", "X-Case: \(number)", "X.Case.Note: 1"]
        var sent = Sent()
        if opensWebSockets, place.method == "GET" { addOpening(place.isSocket ? token : nil, place, &lines, &sent) }
        if let token, !place.isSocket { lines.append("Authorization: Bearer \(token.text)") }
        addTenant(token, place, &lines, &sent)
        if random.chance(12) { addTrick(token, &lines, &sent) }
        let method = place.method
        var body = ""
        if method == "POST" { body = addBody(&lines, &sent) }
        let passes = mayPass(place, token, sent)
        return IsolationCase(
            number: number, text: lines.joined(separator: "\r\n") + "\r\n\r\n" + body, method: method, token: token,
            claimedTenants: sent.tenants, isTricky: sent.isTricky, mustPass: passes && !sent.isOdd && !sent.isTricky)
    }

    /// What has been put into a request so far.
    private struct Sent {
        var tenants: [String] = []
        /// A second credential or a doubled field.
        var isTricky = false
        /// Something for which a refusal would be right, or a matter of taste.
        var isOdd = false
    }

    /// The rules of SPEC §2, §3 and §6 for a request without tricks.
    private func mayPass(_ place: Place, _ token: IsolationToken?, _ sent: Sent) -> Bool {
        guard place.isClean else { return false }
        if place.isPublic { return true }
        guard let dialect = place.dialect, let token, token.dialect == dialect, !sent.isTricky else { return false }
        guard sent.tenants.allSatisfy(token.speaks) else { return false }
        if place.wantsTenant && sent.tenants.isEmpty { return false }
        if let role = place.role, !token.roles.contains(role) { return false }
        if let scope = place.scope, !token.scopes.contains(scope) { return false }
        return true
    }
}

// MARK: tenants and tricks

extension IsolationCases {
    private mutating func addTenant(_ token: IsolationToken?, _ place: Place, _ lines: inout [String], _ sent: inout Sent) {
        let own = random.pick((token?.tenants ?? []) + (token?.tenants.isEmpty == false ? [] : [TestIssuers.acme]))
        let foreign = random.pick([TestIssuers.acme, TestIssuers.globex, TestIssuers.north, TestIssuers.south, "nobody"])
        func add(_ name: String, _ values: [String], odd: Bool = false, tricky: Bool = false) {
            lines += values.map { "\(name): \($0)" }
            sent.tenants += values
            sent.isOdd = sent.isOdd || odd
            sent.isTricky = sent.isTricky || tricky
        }
        switch random.chance(55) ? 0 : Int.random(in: 1...21, using: &random) {
        case 0: add("X-Tenant-ID", [own])
        case 1: break
        case 2: add("x-tenant-id", [own])
        case 3, 4: add("X-Tenant-ID", [foreign])
        case 5: add("X-TENANT-ID", [own.uppercased()])
        case 6: add("X-Tenant-ID", [own, own], tricky: true)
        case 7: add("X-Tenant-ID", [own, foreign], tricky: true)
        case 8: add("X-Tenant-ID", [foreign, own], tricky: true)
        case 9: add("X-Tenant-ID", ["\(own), \(foreign)"], odd: true)
        case 10: add("X-Tenant-ID", ["\(own),\(own)"], odd: true)
        case 11: add("X_Tenant_ID", [foreign], tricky: true)
        case 12: add("X-Tenant_ID", [own], tricky: true)
        case 13:
            add("X-Tenant-ID", [own])
            add("x_tenant_id", [foreign], tricky: true)
        case 14: add("X-Tenant-ID", [random.pick(["", "{\(own)}", "\"\(own)\"", own.replacing("-", with: ""), "\(own)\u{0}"])], odd: true)
        case 15: add("X-Tenant-ID ", [own], tricky: true)
        case 16:
            lines.append("X-Tenant-ID: \(own)\r\n \(foreign)")
            sent.tenants += [own, foreign]
            sent.isTricky = true
        case 17:
            add("X-Tenant-ID", [own])
            lines.append("Connection: \(random.pick(["X-Tenant-ID", "close, x-tenant-id", "X_Tenant_ID", "keep-alive,X.Tenant.Id"]))")
            sent.isTricky = true
        case 18: add("X-Tenant-ID", ["  \(own)\t"].map { $0 }, odd: true)
        case 19: add(random.pick(["X.Tenant.ID", "x-tenant.id", "X~Tenant~ID"]), [own], tricky: true)
        case 20:
            add("X-Tenant-ID", [own])
            add("X.Tenant.ID", [foreign], tricky: true)
        default: add("\u{B}X-Tenant-ID", [foreign], tricky: true)
        }
        sent.tenants = sent.tenants.map { $0.trimmingCharacters(in: .whitespaces) }
        if sent.tenants.isEmpty, (token?.tenants.count ?? 0) != 1 { sent.isOdd = true }
    }

    private mutating func addTrick(_ token: IsolationToken?, _ lines: inout [String], _ sent: inout Sent) {
        let other = random.pick(tokens).text
        switch Int.random(in: 0..<12, using: &random) {
        case 0,
            3 where token == nil:
            lines.append("Cookie: session=\(other)")
        case 1: lines.append("X-API-Key: k-123")
        case 2: lines.append("Proxy-Authorization: Bearer \(other)")
        case 3: lines.append("Authorization: Bearer \(other)")
        case 4: lines.append(random.pick(["x_api_key: k-123", "X.API.Key: k-123"]))
        case 5: addQuery("access_token=\(other)", &lines)
        case 6: addQuery("a=1&Access%5FToken=\(other)", &lines)
        case 7: addQuery("access-token=x", &lines)
        case 8: lines.append("Connection: Authorization")
        case 9: addQuery("_method=DELETE", &lines)
        default:
            // Not a credential: ours to drop, and the request may pass without them.
            lines += [
                "X-User-ID: \(TestIssuers.acmeAdmin)", "X-User-Roles: admin", "X_User_Roles: admin", "X-HTTP-Method-Override: DELETE",
                "X.User.ID: \(TestIssuers.acmeAdmin)", "X.HTTP.Method.Override: DELETE", "X.Original.URL: /v1/admin/panel",
            ]
            sent.isOdd = true
            return
        }
        sent.isTricky = true
        sent.isOdd = true
    }

    /// What asks for a WebSocket, and the token among the subprotocols where it is taken from there.
    private mutating func addOpening(_ token: IsolationToken?, _ place: Place, _ lines: inout [String], _ sent: inout Sent) {
        lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", WebSocketOpening.key]
        guard place.isSocket else { return }
        var names = ["chat.v1"] + (token.map { ["bearer.\($0.text)"] } ?? [])
        var origin = Self.origin
        switch token == nil || random.chance(70) ? 0 : Int.random(in: 1...7, using: &random) {
        case 1: names.append("bearer.\(random.pick(tokens).text)")
        case 2: names.append("BEARER.\(random.pick(tokens).text)")
        case 3: lines.append("Sec-WebSocket-Protocol: bearer.\(random.pick(tokens).text)")
        case 4: origin = random.pick(["https://evil.example", "https://app.example.evil", "http://app.example", "null"])
        case 5:
            // Another field, which may be dropped.
            lines.append("Sec.WebSocket.Protocol: bearer.\(random.pick(tokens).text)")
            sent.isOdd = true
        case 6: lines.append("Authorization: Bearer \(random.pick(tokens).text)")
        case 7: lines.append("Origin: https://evil.example")
        default: names.shuffle(using: &random)
        }
        if names.count > 2 || (lines.count > 8 && !sent.isOdd) || origin != Self.origin {
            sent.isTricky = true
            sent.isOdd = true
        }
        lines += ["Origin: \(origin)", "Sec-WebSocket-Protocol: \(names.joined(separator: random.pick([", ", ",", " , "])))"]
    }

    private func addQuery(_ query: String, _ lines: inout [String]) {
        var words = lines[0].split(separator: " ").map(String.init)
        words[1] += (words[1].contains("?") ? "&" : "?") + query
        lines[0] = words.joined(separator: " ")
    }

    /// A body of either framing, sometimes with a tenant in the trailers.
    private mutating func addBody(_ lines: inout [String], _ sent: inout Sent) -> String {
        let json = #"{"active":false}"#
        guard random.chance(40) else {
            lines.append("Content-Length: \(json.utf8.count)")
            return json
        }
        lines.append("Transfer-Encoding: chunked")
        let chunk = String(json.utf8.count, radix: 16) + "\r\n\(json)\r\n0\r\n"
        guard random.chance(30) else { return chunk + "\r\n" }
        sent.isTricky = true
        sent.isOdd = true
        sent.tenants.append("trailer")
        return chunk + random.pick(["X-Tenant-ID: trailer", "x_tenant_id: trailer", "X.Tenant.ID: trailer"]) + "\r\n\r\n"
    }

    private static let socket = Place(method: "GET", path: "/v1/socket/chat", dialect: "jitsudo", wantsTenant: true, isSocket: true)

    private static let places: [Place] = {
        let user = TestIssuers.acmeMember
        let rest = [
            Place(method: "GET", path: "/v1/users/\(user)", dialect: "jitsudo", wantsTenant: true),
            Place(method: "GET", path: "/v1/reports?page=1", dialect: "jitsudo", wantsTenant: true),
            Place(method: "DELETE", path: "/v1/things/%7Ename/a%20b", dialect: "jitsudo", wantsTenant: true),
            Place(method: "POST", path: "/v1/things", dialect: "jitsudo", wantsTenant: true),
            Place(method: "GET", path: "/v1/admin/panel", dialect: "jitsudo", role: "admin", wantsTenant: true),
            Place(method: "GET", path: "/v1/%61dmin/panel", dialect: "jitsudo", role: "admin", wantsTenant: true),
            Place(method: "GET", path: "/v1/admin/", dialect: "jitsudo", role: "admin", wantsTenant: true),
            Place(method: "GET", path: "/v1/export", dialect: "jitsudo", scope: "export", wantsTenant: true),
            Place(method: "GET", path: "/v1/%65xport/", dialect: "jitsudo", scope: "export", wantsTenant: true),
            Place(method: "GET", path: "/v1/anon/x", dialect: "jitsudo"),
            Place(method: "GET", path: "/core/v1/users/usr_ben", dialect: "rinne"),
            Place(method: "POST", path: "/core/v1/things", dialect: "rinne"),
            Place(method: "GET", path: "/edge/core/v1/orders", dialect: "rinne", scope: "edge"),
            Place(method: "POST", path: "/v1/auth/login", dialect: nil, isPublic: true),
            Place(method: "GET", path: "/healthz", dialect: nil, isPublic: true),
        ]
        let crooked = [
            "/v1/users/../admin/panel", "/v1/x/%2e%2e/admin/panel", "/v1//admin/panel", "/v1/ADMIN/panel", "/v1/admin%2Fpanel",
            "/v1/auth/../admin/panel", "/v1/auth/%2e%2e/admin/panel", "/v1/auth/..%2fadmin/panel", "/v1/auth/..;/admin/panel",
            "/v1/auth/%252e%252e/admin/panel", "/v1/admin;x/panel", "/v1\\admin/panel", "/v1/Export", "/v1/EXPORT/", "/v1/./export",
            "/Edge/core/v1/orders", "/edge/../core/v1/orders", "/edge//core/v1/orders", "//v1/admin/panel", "/v1/admin%00/panel",
            "/nowhere", "/v1/%c0%ae%c0%ae/admin", "/v1/users/\(user)/Suspend", "/v1/auth/%5c../admin/panel",
        ].map { Place(method: "GET", path: $0, dialect: "jitsudo", role: "admin", isClean: false) }
        return Array(repeating: rest, count: 6).flatMap { $0 } + crooked
    }()
}
