import Policy

/// Searches and reads that may begin: so many in a second, whatever comes.
struct SearchAllowance {
    private let perSecond: Double
    private var left: Double
    private var last: Int64 = .min

    init(perSecond: Int) {
        self.perSecond = Double(perSecond)
        left = self.perSecond
    }

    mutating func take(now: Int64) -> Bool {
        if last != .min { left = min(perSecond, left + Double(now - last) / 1e9 * perSecond) }
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
    /// Holders who were read anew, and those who could not be.
    package var read = 0
    package var unread = 0
    /// Aliases that have made room for others.
    package var evicted = 0
    /// Readings that came faster than they could be taken.
    package var dropped = 0

    mutating func note(_ verdict: AliasVerdict) {
        switch verdict {
        case .user, .contested: found += 1
        case .nobody: nobody += 1
        case .unavailable: failed += 1
        }
    }

    mutating func note(_ reading: AliasReread) {
        switch reading {
        case .read, .absent: read += 1
        case .failed, .impossible: unread += 1
        }
    }
}
