import Policy

/// Who may call about a user now: one call at a time, one waiting per caller, first come first served, so that callers take turns.
struct CallQueue {
    /// A call on its way through the gateway, by a number that is never used twice.
    typealias Number = Int64

    enum Arrival: Equatable {
        case goesAhead, waits, busy
    }

    private struct Waiter {
        let number: Number
        let caller: Caller
        let since: Int64
    }

    private struct Line {
        var ahead: Number
        var waiting: [Waiter] = []
    }

    private static let patience = Int64(Limits.intentQueueSeconds) * 1_000_000_000
    private var lines: [Subject: Line] = [:]

    /// Whether a call for the subject is on its way.
    func isBusy(_ subject: Subject) -> Bool { lines[subject] != nil }

    mutating func arrive(_ number: Number, _ call: IntentCall, at now: Int64) -> Arrival {
        guard var line = lines[call.subject] else {
            lines[call.subject] = Line(ahead: number)
            return .goesAhead
        }
        guard line.waiting.count < Limits.intentsWaitingPerUser, !line.waiting.contains(where: { $0.caller == call.caller }) else {
            return .busy
        }
        line.waiting.append(Waiter(number: number, caller: call.caller, since: now))
        lines[call.subject] = line
        return .waits
    }

    /// Takes the subject's turn for something that is no call, if nobody has it: calls wait behind it until `leave`.
    mutating func hold(_ subject: Subject) -> Bool {
        guard lines[subject] == nil else { return false }
        lines[subject] = Line(ahead: 0)
        return true
    }

    /// The call ahead is over: the next one goes ahead.
    mutating func leave(_ subject: Subject) -> Number? {
        guard var line = lines[subject], !line.waiting.isEmpty else {
            lines[subject] = nil
            return nil
        }
        line.ahead = line.waiting.removeFirst().number
        lines[subject] = line
        return line.ahead
    }

    /// Takes out those who have waited too long.
    mutating func expire(at now: Int64) -> [Number] { takeWaiting { $0.since <= now - Self.patience } }

    /// Takes out everybody who waits.
    mutating func clear() -> [Number] { takeWaiting { _ in true } }

    private mutating func takeWaiting(_ isOver: (Waiter) -> Bool) -> [Number] {
        var numbers: [Number] = []
        for (subject, line) in lines where line.waiting.contains(where: isOver) {
            numbers += line.waiting.filter(isOver).map(\.number)
            lines[subject]?.waiting.removeAll(where: isOver)
        }
        return numbers.sorted()
    }
}
