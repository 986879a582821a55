import Policy

/// What comes while nobody has the ledger: suspend calls and operators' changes wait for it, a bounded time and in bounded number.
struct HeldCalls {
    struct Call: Sendable {
        let call: IntentCall
        let answer: @Sendable (Beginning) -> Void
        let since: Int64
    }

    struct Hand: Sendable {
        let outcomes: [Outcome]
        let answer: @Sendable (HandConclusion) -> Void
        let since: Int64
    }

    private(set) var calls: [Call] = []
    private(set) var hands: [Hand] = []

    private static let patience = Int64(Limits.intentQueueSeconds) * 1_000_000_000

    /// False where too many wait.
    mutating func hold(_ call: Call) -> Bool {
        guard calls.count < Limits.openIntentsInAll else { return false }
        calls.append(call)
        return true
    }

    mutating func hold(_ hand: Hand) -> Bool {
        guard hands.count < Limits.adminConnections else { return false }
        hands.append(hand)
        return true
    }

    /// Takes those out who have waited for too long.
    mutating func expire(at now: Int64) -> HeldCalls {
        var late = HeldCalls()
        late.calls = calls.filter { $0.since <= now - Self.patience }
        late.hands = hands.filter { $0.since <= now - Self.patience }
        calls.removeAll { $0.since <= now - Self.patience }
        hands.removeAll { $0.since <= now - Self.patience }
        return late
    }

    /// Nothing has happened, and they may ask again.
    func turnAway() {
        for call in calls { call.answer(.busy) }
        for hand in hands { hand.answer(.busy) }
    }
}
