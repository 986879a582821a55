import Policy

/// Searches and reads that may begin: `Limits.aliasSearchesPerSecond`, whatever comes.
struct SearchAllowance {
    private var left = Double(Limits.aliasSearchesPerSecond)
    private var last: Int64 = .min

    mutating func take(now: Int64) -> Bool {
        if last != .min {
            left = min(Double(Limits.aliasSearchesPerSecond), left + Double(now - last) / 1e9 * Double(Limits.aliasSearchesPerSecond))
        }
        last = now
        guard left >= 1 else { return false }
        left -= 1
        return true
    }
}

/// What became of searches, and how many aliases there are.
package struct AliasTally: Sendable, Equatable {
    package var known = 0
    package var contested = 0
    package var found = 0
    package var nobody = 0
    package var failed = 0
    /// Readings that came faster than they could be taken.
    package var dropped = 0

    mutating func note(_ verdict: AliasVerdict) {
        switch verdict {
        case .user, .contested: found += 1
        case .nobody: nobody += 1
        case .unavailable: failed += 1
        }
    }
}
