import Policy

/// How many suspend calls each caller has open and has made in the last minute.
struct CallerAllowances {
    /// Limits per caller; the file may change them.
    struct Bounds: Sendable {
        var open = Limits.openIntents
        var perMinute = Limits.intentsPerMinute
    }

    private struct Account {
        var open = 0
        /// When the last minute's calls came, oldest first, in nanoseconds.
        var calls: [Int64] = []
    }

    private static let minute: Int64 = 60_000_000_000
    private let bounds: Bounds
    private var accounts: [Caller: Account] = [:]

    init(_ bounds: Bounds) { self.bounds = bounds }

    /// Counts one more open call, or says in how many seconds to come back, and why.
    mutating func open(_ caller: Caller, at now: Int64) -> (seconds: Int, limit: CallLimit)? {
        if accounts[caller] == nil, accounts.count >= Limits.rememberedCallers {
            sweep(at: now)
            if accounts.count >= Limits.rememberedCallers { return (60, .perMinute) }
        }
        var account = accounts[caller] ?? Account()
        account.calls.removeAll { $0 <= now - Self.minute }
        if account.open >= bounds.open { return (1, .open) }
        if account.calls.count >= bounds.perMinute {
            let wait = account.calls[account.calls.count - bounds.perMinute] + Self.minute - now
            return (Int((wait + 999_999_999) / 1_000_000_000), .perMinute)
        }
        account.open += 1
        account.calls.append(now)
        accounts[caller] = account
        return nil
    }

    /// One open call less.
    mutating func close(_ caller: Caller) { accounts[caller]?.open -= 1 }

    /// Forgets callers of whom nothing counts any more.
    mutating func sweep(at now: Int64) {
        accounts = accounts.filter { $0.value.open > 0 || ($0.value.calls.last ?? .min) > now - Self.minute }
    }
}
