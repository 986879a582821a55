import Policy

/// Users about whom passive answers teach nothing for a while, because a call was just made for them (SPEC §4).
struct QuietUsers {
    private static let length = Int64(Limits.quietSeconds) * 1_000_000_000
    private var since: [Subject: Int64] = [:]
    /// Too many at once to remember: until then nobody is taught anything passively.
    private var allUntil = Int64.min

    mutating func begin(_ subject: Subject, at now: Int64) {
        if since.count >= Limits.quietUsers, since[subject] == nil {
            sweep(at: now)
            if since.count >= Limits.quietUsers {
                allUntil = now + Self.length
                return
            }
        }
        since[subject] = now
    }

    /// Whether an answer to a request that was sent at `asked` may teach. One that took longer than the quiet itself never may: a call
    /// that was made meanwhile would be forgotten.
    func mayTeach(_ subject: Subject, asked: Int64, at now: Int64) -> Bool {
        guard now >= allUntil, now - asked < Self.length else { return false }
        guard let call = since[subject] else { return true }
        return call <= now - Self.length
    }

    mutating func sweep(at now: Int64) { since = since.filter { $0.value > now - Self.length } }
}
