import Policy

/// Whether a client moves a body fast enough: it owes so many bytes a second on average, after a grace. Looked at by the loop's tick, so that
/// a body's bytes cost nothing.
///
/// What moves beyond the rate counts for later, but for no more than `Rule.most`: who has sent much may pause for a while. Only time in which
/// the client alone held it up counts: whoever waits for the service is not slow.
///
/// While others wait for what it holds, what it was ahead counts for nothing: from then on it may be behind by its grace again, and no more.
package struct BodyPace: Sendable {
    /// How fast a client must be.
    package struct Rule: Sendable, Equatable {
        /// Bytes a second; 0: no bound.
        let rate: Int64
        /// Nanoseconds that a client may be behind at the beginning.
        private(set) var grace: Int64
        /// Nanoseconds that it can be ahead at most.
        let most: Int64
        /// Nanoseconds that it may fall behind while others wait.
        let patience: Int64

        /// `grace` and `most` in milliseconds.
        package init(rate: Int64, grace: Int64, most: Int64) {
            self.rate = rate
            self.grace = grace * 1_000_000
            self.most = max(grace, most) * 1_000_000
            patience = self.grace
        }

        /// For answers: a client that has just fallen behind was in time until then.
        var ofAnswers: Rule {
            var rule = self
            rule.grace = most
            return rule
        }

        /// Nanoseconds.
        fileprivate func patience(_ pressure: Pressure) -> Int64 {
            switch pressure {
            case .none: .max
            case .others: patience
            case .greedy: min(patience, Limits.graceUnderPressureMilliseconds * 1_000_000)
            }
        }
    }

    /// Who waits for what the client holds.
    enum Pressure {
        case none
        case others
        /// Others, and its caller has so much of it that it has to give way first.
        case greedy
    }

    /// Nanoseconds for which the client may send nothing; nil before the first look.
    private var credit: Int64?
    /// Nanoseconds that it has fallen behind while others waited.
    private var debt: Int64 = 0
    /// Bytes that were counted.
    private var counted: Int
    /// When it was last looked at, if the client owed bytes then.
    private var owedAt: Int64?

    /// `counted` bytes have moved already and count for nothing.
    init(counted: Int = 0) { self.counted = counted }

    /// False where the client is too slow. `moved`: bytes of the body that have come, or gone, so far; `owes`: more could now.
    mutating func isKept(moved: Int, owes: Bool, _ pressure: Pressure, now: Int64, _ rule: Rule) -> Bool {
        guard rule.rate > 0 else { return true }
        // More than a second's worth of any line: nothing overflows.
        let fresh = Int64(min(max(0, moved - counted), 1 << 32))
        counted = max(counted, moved)
        let earned = fresh * 1_000_000_000 / rule.rate
        let owed = owes ? owedAt.map { now - $0 } ?? 0 : 0
        let credit = min(rule.most, (credit ?? rule.grace) + earned - owed)
        debt = max(0, debt - earned + (pressure == .none ? 0 : owed))
        owedAt = owes ? now : nil
        self.credit = credit
        return credit >= 0 && debt <= rule.patience(pressure)
    }
}
