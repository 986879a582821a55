import Dispatch
import Policy
import Synchronization

/// Suspensions whose 2xx waits until they are in force everywhere.
final class FleetWaiters: Sendable {
    private struct Waiter: Sendable {
        let ticket: Int
        let answer: @Sendable (Bool) -> Void
        let since: Int64
        /// What everybody has to have in force; nil until it is published.
        var number: Int64?
    }

    private struct Line {
        var waiting: [Waiter] = []
        var last = 0
    }

    private let line = Mutex(Line())

    var isEmpty: Bool { line.withLock { $0.waiting.isEmpty } }
    /// Whoever comes from now on has a higher one.
    var lastTicket: Int { line.withLock { $0.last } }

    func add(_ answer: @escaping @Sendable (Bool) -> Void) {
        let isTaken = line.withLock { line in
            guard line.waiting.count < Limits.fleetWaiters else { return false }
            line.last += 1
            line.waiting.append(Waiter(ticket: line.last, answer: answer, since: PostgresLink.now()))
            return true
        }
        guard isTaken else { return answer(false) }
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Int(Limits.fleetAcknowledgeMilliseconds))) { self.expire() }
    }

    /// What those up to this ticket wait for has this number, or ones before it.
    func published(upTo ticket: Int, at number: Int64) {
        line.withLock { line in
            for index in line.waiting.indices where line.waiting[index].ticket <= ticket && line.waiting[index].number == nil {
                line.waiting[index].number = number
            }
        }
    }

    /// Everything up to `number` is in force everywhere.
    func confirm(upTo number: Int64) { take { $0.number.map { $0 <= number } ?? false }.forEach { $0.answer(true) } }

    /// Who has waited for a second is told that not all have confirmed.
    func expire() {
        let now = PostgresLink.now()
        take { now - $0.since >= Limits.fleetAcknowledgeMilliseconds }.forEach { $0.answer(false) }
    }

    func fail() { take { _ in true }.forEach { $0.answer(false) } }

    private func take(_ isDone: (Waiter) -> Bool) -> [Waiter] {
        line.withLock { line in
            let done = line.waiting.filter(isDone)
            line.waiting.removeAll(where: isDone)
            return done
        }
    }
}
