import Synchronization

/// Spares an upstream that doesn't answer, and those who would wait for it: after so many requests in a row that waited in vain, requests
/// are refused at once, but for one in each period that tries whether it answers again. Shared by all loops; atomics only.
///
/// In vain is only what got no answer in a time in which nobody got one: a slow corner of a service that answers otherwise, or one caller
/// who asks for nothing else, keeps nobody out.
///
/// What fails fast needs no such thing: a request that is refused by the upstream's servers is answered as quickly.
final class Circuit: Sendable {
    /// Requests in a row that waited in vain.
    private let timeouts = Atomic<Int>(0)
    /// Monotonic nanoseconds until which requests are refused; 0: closed, they pass.
    private let openUntil = Atomic<Int64>(0)
    /// Monotonic nanoseconds of the last answer's begin, or up to `grain` earlier.
    private let lastAnswer = Atomic<Int64>(0)

    /// Loops share the time of the last answer, which each answer would otherwise write.
    private static let grain: Int64 = 10_000_000

    var isOpen: Bool { openUntil.load(ordering: .relaxed) != 0 }

    /// Seconds that a request is to wait before it is tried again; nil where it may go.
    func wait(now: Int64, _ rules: CircuitRules) -> Int? {
        let until = openUntil.load(ordering: .relaxed)
        guard until != 0 else { return nil }
        let next = now + rules.open * 1_000_000
        // One goes; for the others the next period has begun.
        if now >= until, openUntil.compareExchange(expected: until, desired: next, ordering: .relaxed).exchanged { return nil }
        return Int(max(1, (until - now + 999_999_999) / 1_000_000_000))
    }

    /// An answer has begun. True when that closes it.
    func answered(now: Int64) -> Bool {
        if now - lastAnswer.load(ordering: .relaxed) >= Self.grain { lastAnswer.store(now, ordering: .relaxed) }
        if timeouts.load(ordering: .relaxed) != 0 { timeouts.store(0, ordering: .relaxed) }
        guard openUntil.load(ordering: .relaxed) != 0 else { return false }
        return openUntil.exchange(0, ordering: .relaxed) != 0
    }

    /// A request that was sent at `since` got no answer in time. True when that opens it.
    func timedOut(_ rules: CircuitRules, since: Int64, now: Int64) -> Bool {
        guard lastAnswer.load(ordering: .relaxed) <= since else { return false }
        guard rules.timeouts > 0, timeouts.add(1, ordering: .relaxed).newValue >= rules.timeouts else { return false }
        return openUntil.compareExchange(expected: 0, desired: now + rules.open * 1_000_000, ordering: .relaxed).exchanged
    }
}
