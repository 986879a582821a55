/// Counts what a client makes us do for nothing against what it does for something: a bucket that time and good work empty.
struct FrameBudget {
    private let bound: Int
    private let perSecond: Int
    private var debt = 0
    /// Nanoseconds of the loop's clock up to which time has been credited; nil before the first.
    private var credited: Int64?

    init(_ bound: Int, perSecond: Int) {
        self.bound = bound
        self.perSecond = perSecond
    }

    /// False where it was too much already.
    mutating func charge(_ count: Int = 1, now: Int64) -> Bool {
        let since = credited ?? now
        if credited == nil { credited = now }
        if debt >= bound {
            let forgiven = Int(min(now - since, 3_600_000_000_000)) * perSecond / 1_000_000_000
            guard forgiven > 0 else { return false }
            credited = now
            credit(forgiven)
            guard debt < bound else { return false }
        }
        debt += count
        return true
    }

    mutating func credit(_ count: Int) { debt = max(0, debt - count) }
}
