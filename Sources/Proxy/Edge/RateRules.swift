import Policy
import Tokens

/// The rate limits that a route's requests count for, ready to be asked.
///
/// A limit counts by the user's id or the selected tenant's in the directory's format, so that another spelling is no other caller. Who is
/// over their own limit takes nothing from their tenant's.
struct RateRules: Sendable {
    private let table: RateTable
    private let rules: [Rule]

    fileprivate struct Rule: Sendable {
        let rule: RateRule
        let hash: KeyedHash
        let interval: Int64
        let tolerance: Int64

        var subject: RateSubject { rule.subject }
    }

    /// What refuses a request.
    struct Refused {
        let rule: RateRule
        /// For `Retry-After`: whole seconds, at least 1.
        let seconds: Int
    }

    /// Nil where the route has no limits. Users before tenants, the route's own before the file's.
    init?(_ route: Route, directory: String?, table: RateTable?) {
        guard let table, let directory, !route.rates.isEmpty else { return nil }
        self.table = table
        rules = route.rates.map { rule in
            let (limit, subject) = (rule.limit, rule.subject.rawValue)
            // Numbers are part of it: a limit that has changed begins anew.
            let methods = route.methods.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",")
            let scope = rule.isRoutesOwn ? "\(route.host.text)\(route.pattern.text) \(methods)" : ""
            let hash = table.hash(for: "\(directory) \(subject) \(limit.requests) \(limit.milliseconds) \(limit.burst) \(scope)")
            return Rule(rule: rule, hash: hash, interval: limit.interval, tolerance: limit.tolerance)
        }
    }

    /// Counts a request of `credential` in `tenant`; one that is refused counts for nothing. Without a selected tenant it counts for each
    /// that the credential speaks for. `now` is the monotonic clock's, in nanoseconds.
    func take(_ credential: Credential, tenant: TenantID?, now: Int64) -> Refused? {
        for (index, rule) in rules.enumerated() {
            for number in 0..<rule.count(credential, tenant) {
                let wait = table.take(rule.id(credential, tenant, number), interval: rule.interval, tolerance: rule.tolerance, now: now)
                guard wait > 0 else { continue }
                giveBack(upTo: index, number, credential, tenant)
                return Refused(rule: rule.rule, seconds: Int((wait + 999_999_999) / 1_000_000_000))
            }
        }
        return nil
    }

    private func giveBack(upTo last: Int, _ count: Int, _ credential: Credential, _ tenant: TenantID?) {
        for (index, rule) in rules[...last].enumerated() {
            for number in 0..<(index == last ? count : rule.count(credential, tenant)) {
                table.giveBack(rule.id(credential, tenant, number), interval: rule.interval)
            }
        }
    }
}

extension RateRules.Rule {
    /// Buckets that a request takes from: at most `Limits.tenantsPerToken`.
    fileprivate func count(_ credential: Credential, _ tenant: TenantID?) -> Int {
        guard rule.subject == .tenant, tenant == nil else { return 1 }
        return switch credential.tenants {
        case .none: 0
        case .one: 1
        case .many(let tenants): tenants.count
        }
    }

    fileprivate func id(_ credential: Credential, _ tenant: TenantID?, _ number: Int) -> KeyedHash.Value {
        guard rule.subject == .tenant else { return hash(credential.user.id.canonical.span) }
        if let tenant { return hash(tenant.id.canonical.span) }
        return switch credential.tenants {
        case .none: hash([UInt8]().span)
        case .one(let tenant): hash(tenant.id.canonical.span)
        case .many(let tenants): hash(tenants[number].id.canonical.span)
        }
    }
}

// MARK: 6 authorize

extension Gatekeeper {
    /// The last thing that is asked before a request is forwarded, so that nothing that is refused counts. Throws `.rateLimited`.
    func limitRate(_ rules: RouteRules, _ tenant: TenantID?, _ found: inout Findings) throws(Denial) {
        guard let rates = rules.rates, let credential = found.credential else { return }
        guard let refused = rates.take(credential, tenant: tenant, now: SocketLoop.now) else { return }
        found.rate = refused
        throw .rateLimited
    }
}
