/// How often somebody may call: so many requests in a time, and so many at once (`rate_limits`).
///
/// Counted as the generic cell rate algorithm (ITU-T I.371 §A) does, which is a token bucket that needs one number: the moment at which the
/// bucket will be full again. In any time of length t at most `burst + t / interval` requests pass.
package struct RateLimit: Sendable, Hashable {
    /// Requests in `milliseconds`, on average.
    package let requests: Int
    package let milliseconds: Int64
    /// Requests at once, after a pause.
    package let burst: Int

    /// Nil where an emptied bucket would take longer than `Limits.rateRecoverySeconds` to fill.
    package init?(requests: Int, milliseconds: Int64, burst: Int) {
        let (product, overflow) = Int64(burst).multipliedReportingOverflow(by: milliseconds)
        guard requests > 0, burst > 0, milliseconds > 0, !overflow else { return nil }
        guard product / Int64(requests) <= Limits.rateRecoverySeconds * 1000 else { return nil }
        self.requests = requests
        self.milliseconds = milliseconds
        self.burst = burst
    }

    /// Nanoseconds that one request takes up: at least 1.
    package var interval: Int64 { max(1, milliseconds * 1_000_000 / Int64(requests)) }

    /// Nanoseconds that a bucket may be short of full for another request to pass.
    package var tolerance: Int64 { interval * Int64(burst - 1) }
}

/// Whose requests a limit counts together.
package enum RateSubject: String, Sendable, CaseIterable {
    case user = "per_user"
    case tenant = "per_tenant"
}

/// A limit that a route's requests count for.
package struct RateRule: Sendable, Hashable {
    package let subject: RateSubject
    package let limit: RateLimit
    /// The route's own (`routes[].rate_limits`): counted apart. Otherwise the file's, counted over all routes of the directory.
    package let isRoutesOwn: Bool

    package init(_ subject: RateSubject, _ limit: RateLimit, isRoutesOwn: Bool) {
        self.subject = subject
        self.limit = limit
        self.isRoutesOwn = isRoutesOwn
    }

    /// As `details.rule` names it.
    package func name(route: Int) -> String {
        (isRoutesOwn ? "routes[\(route)].rate_limits." : "rate_limits.") + subject.rawValue
    }
}
