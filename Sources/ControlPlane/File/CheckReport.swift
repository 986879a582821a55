import Glibc
import HTTPWire
import Policy

/// What `tenantgate check` prints.
package enum CheckReport {
    /// Every problem with its place and remedy, and a last line that counts them; empty where there are none.
    package static func problems(_ problems: [Problem]) -> String {
        guard !problems.isEmpty else { return "" }
        let errors = problems.count { $0.severity == .error }
        let counts = [(errors, "error"), (problems.count - errors, "warning")].filter { $0.0 > 0 }
        let summary = counts.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }.joined(separator: ", ")
        return problems.map(\.text).joined(separator: "\n") + "\n\(summary)\n"
    }

    /// The routes as a table, in the file's order: what each takes and enforces, and below it the dialect calls that it reaches.
    package static func routes(of configuration: Configuration) -> String {
        let audit = RouteAudit(
            routes: configuration.routes, bases: configuration.upstreams.map(\.base), calls: configuration.directories.map(\.dialect.calls))
        let header = ["ROUTE", "METHODS", "UPSTREAM", "CREDENTIAL", "TENANT", "REQUIRE", "SUSPENDED"]
        let rows = configuration.routes.map { cells($0, configuration) }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        var lines = [line(header, widths)]
        for (index, row) in rows.enumerated() {
            lines.append(line(row, widths))
            if let mode = mode(of: configuration.routes[index]) { lines.append("    \(mode)") }
            if configuration.routes[index].tokenSource == .subprotocol {
                lines.append("    the token is one of a WebSocket's subprotocols")
            }
            if let cors = configuration.routes[index].cors { lines.append("    pages of \(cors.originsText) may use it from a browser") }
            lines += configuration.routes[index].rates.map { "    \($0.text)" }
            lines += calls(configuration.routes[index], audit.callsReached(byRoute: index), configuration)
        }
        let fresh = freshBlocks(configuration)
        return (lines + (fresh.isEmpty ? [] : [""]) + fresh).joined(separator: "\n") + "\n"
    }

    /// What a second gateway with this file would not know; nothing where the file says `fleet`, or where nothing is learned.
    package static func replicas(of configuration: Configuration) -> String {
        guard configuration.fleet == nil, configuration.directories.contains(where: { !$0.dialect.calls.isEmpty }) else { return "" }
        return "\nwithout `fleet`: a second gateway beside this one would not know whom this one has suspended\n"
    }

    /// A line for each credential block whose tokens a reactivation makes void.
    private static func freshBlocks(_ configuration: Configuration) -> [String] {
        configuration.credentials.enumerated().filter(\.element.wantsFreshTokens).map { index, block in
            let issuer = block.issuer.map { String(decoding: $0, as: UTF8.self) } ?? "absent"
            return "credentials[\(index)] (issuer \(issuer)): fresh_token_after_reactivation: only tokens with an iat after the user's "
                + "last reactivation"
        }
    }

    /// What a route that observes does, and since or until when; nil for others.
    private static func mode(of route: Route) -> String? {
        guard let last = route.lastObservedDay else { return nil }
        return route.observes(at: Int64(time(nil)))
            ? "OBSERVES until \(last): stages 3 to 6 log what they would refuse (`would_refuse`) and let it pass"
            : "enforces: its `mode: observe` ended with \(last)"
    }

    private static func cells(_ route: Route, _ configuration: Configuration) -> [String] {
        let methods = route.methods.isEmpty ? "*" : route.methods.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",")
        return [
            route.host.text + route.pattern.text, methods, configuration.upstreams[route.upstream].name, route.credential.rawValue,
            tenantText(route), requirement(route.requirement), suspendedText(route),
        ]
    }

    /// Which tenant header the route takes, in a word.
    static func tenantText(_ route: Route) -> String {
        route.credential == .jwt ? route.tenant.rawValue : route.tenantUnverified ? "unverified" : "-"
    }

    /// Whether suspended users may use it, in a word.
    static func suspendedText(_ route: Route) -> String {
        route.credential == .jwt ? (route.allowsSuspended ? "allowed" : "refused") : "-"
    }

    /// The dialect calls that each route reaches, as the dialect writes them.
    static func callsReached(of configuration: Configuration) -> [[String]] {
        let audit = RouteAudit(
            routes: configuration.routes, bases: configuration.upstreams.map(\.base), calls: configuration.directories.map(\.dialect.calls))
        return configuration.routes.enumerated().map { index, route in
            guard let directory = route.directory else { return [] }
            return audit.callsReached(byRoute: index).map { "\(configuration.directories[directory].dialect.calls[$0].text)" }
        }
    }

    /// What callers must have, in words.
    static func requirement(_ requirement: Requirement) -> String {
        switch requirement {
        case .nothing: return "-"
        case .upstream: return "upstream"
        case .credential(let roles, let scopes):
            let parts = [("any role of", roles), ("scopes", scopes)].filter { !$0.1.isEmpty }
            return parts.map { "\($0.0) \($0.1.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ","))" }.joined(
                separator: "; ")
        }
    }

    private static func calls(_ route: Route, _ reached: [Int], _ configuration: Configuration) -> [String] {
        guard let directory = route.directory else { return [] }
        let dialect = configuration.directories[directory].dialect
        return reached.map { index in
            let call = dialect.calls[index]
            return "    \(call.intent == nil ? "learns from" : "suspends and reactivates by") \(dialect.name)'s \(call.text)"
        }
    }

    private static func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
        return String(padded.reversed().drop { $0 == " " }.reversed())
    }
}

extension CORSRule {
    /// `https://app.example, https://other.example and 3 more`, `every origin`.
    var originsText: String {
        guard case .listed(let origins) = origins else { return "every origin" }
        let shown = origins.prefix(4).map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ")
        return origins.count > 4 ? "\(shown) and \(origins.count - 4) more" : shown
    }
}

extension RateRule {
    /// `at most 100 requests per 1s of each user (200 at once)`; where the limit is the file's: over all routes.
    var text: String {
        let time = Quantity.duration.text(limit.milliseconds)
        let whose = isRoutesOwn ? "here" : "over all routes"
        return
            "at most \(limit.requests) requests per \(time) of each \(subject == .user ? "user" : "tenant") \(whose) (\(limit.burst) at once)"
    }
}

extension Quantity {
    /// The value with the largest unit that it is a whole number of.
    func text(_ value: Int64) -> String {
        let unit = units.last { value % $0.factor == 0 } ?? units[0]
        return "\(value / unit.factor)\(unit.name)"
    }
}

extension Route {
    /// The last day (UTC) on which it only observes, `2027-01-31`; nil for a route that never does.
    var lastObservedDay: String? { observesUntil.map { CivilDate(daysSince1970: Int($0 / 86_400) - 1).text } }
}
