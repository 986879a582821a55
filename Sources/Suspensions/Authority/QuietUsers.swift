import Policy

/// Users about whom passive answers teach nothing for a while and whom no reconcile run lifts, because a call was just made for them
/// (SPEC §4): what the service says of them may come from a copy that doesn't know it yet.
struct QuietUsers {
    private static let length = Int64(Limits.quietSeconds) * 1_000_000_000
    private var since: [Subject: Int64] = [:]
    /// Too many at once to remember: until then nobody is taught anything passively.
    private var allUntil = Int64.min
    /// A table that is full is not looked through again before: other gateways may name hundreds of thousands of users in a minute.
    private var nextSweep = Int64.min
    private static let sweepInterval: Int64 = 1_000_000_000

    mutating func begin(_ subject: Subject, at now: Int64) {
        if since.count >= Limits.quietUsers, since[subject] == nil {
            if now >= nextSweep { sweep(at: now) }
            if since.count >= Limits.quietUsers {
                allUntil = max(allUntil, now + Self.length)
                return
            }
        }
        since[subject] = max(since[subject] ?? .min, now)
    }

    func isQuiet(_ subject: Subject, at now: Int64) -> Bool { now < allUntil || since[subject].map { $0 > now - Self.length } ?? false }

    /// Whether an answer to a request that was sent at `asked` may teach. One that took longer than the quiet itself never may: a call
    /// that was made meanwhile would be forgotten.
    func mayTeach(_ subject: Subject, asked: Int64, at now: Int64) -> Bool {
        now - asked < Self.length && !isQuiet(subject, at: now)
    }

    mutating func sweep(at now: Int64) {
        since = since.filter { $0.value > now - Self.length }
        nextSweep = now + Self.sweepInterval
    }
}

extension Learned {
    /// After which users are quiet: words of other gateways too, since these may be of calls that were just made there. They are dated by when
    /// they were heard.
    static let quieting: [Learned] = [.call, .unconfirmed, .crash, .hand, .read, .fleet]
}

extension QuietUsers {
    /// Those who were quiet when the gateway ended, and those whose calls it left open.
    init(of store: any LedgerStore, at now: Moment) throws(LedgerError) {
        var quiet = QuietUsers()
        try store.forEachRecentChange(since: now.wall - Int64(Limits.quietSeconds) * 1000) { subject, time in
            quiet.begin(subject, at: now.steady - max(0, now.wall - time) * 1_000_000)
        }
        self = quiet
    }
}
