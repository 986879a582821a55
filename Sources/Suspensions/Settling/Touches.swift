import Policy

/// Whether something happened to users while they were being read: an answer that was asked for before may be older than that.
struct Touches {
    /// A moment in the order of what happens.
    typealias Mark = Int64

    private var last: [Subject: Mark] = [:]
    /// Too many to remember: everybody counts as touched then.
    private var allAt = Mark.min
    /// What has happened last.
    private(set) var mark: Mark = 0
    /// Reconcile runs that are looking at users.
    var runs = 0

    mutating func note(_ subject: Subject) {
        mark += 1
        if last.count >= Limits.touchedUsers, last[subject] == nil {
            last = [:]
            allAt = mark
        }
        last[subject] = mark
    }

    /// Whether something has happened to the user since then.
    func isTouched(_ subject: Subject, since mark: Mark) -> Bool { max(allAt, last[subject] ?? .min) > mark }

    /// Nothing is being read that could be older than what has happened so far.
    mutating func clear() { last = [:] }
}
