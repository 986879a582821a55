import Dispatch
import Policy
import Synchronization

/// Writes to the ledger on a thread of its own: everything that waits while a disk syncs becomes the next transaction, so that many
/// calls share one fsync.
///
/// Submissions are committed in the order in which they came, and answered in that order.
final class LedgerWriter: Sendable {
    typealias Answer = @Sendable (LedgerError?) -> Void

    private struct Submission: Sendable {
        let changes: [LedgerChange]
        let answer: Answer
    }

    private struct Line {
        var waiting: [Submission] = []
        var isRunning = false
    }

    private let store: any LedgerStore
    private let thread = DispatchQueue(label: "tenantgate.ledger", qos: .userInitiated)
    private let line = Mutex(Line())

    init(store: any LedgerStore) { self.store = store }

    /// The answer comes on the ledger's thread; nil is success, and durable.
    func submit(_ changes: [LedgerChange], then answer: @escaping Answer) {
        let starts = line.withLock { line in
            line.waiting.append(Submission(changes: changes, answer: answer))
            defer { line.isRunning = true }
            return !line.isRunning
        }
        if starts { thread.async { self.run() } }
    }

    /// Waits until everything submitted so far is answered, then closes the store.
    func close() {
        thread.sync { store.close() }
    }

    private func run() {
        while let group = nextGroup() {
            var failure: LedgerError?
            do throws(LedgerError) {
                try store.commit(group.flatMap(\.changes))
            } catch {
                failure = error
            }
            for submission in group { submission.answer(failure) }
        }
    }

    private func nextGroup() -> [Submission]? {
        line.withLock { line in
            var (count, changes) = (0, 0)
            while count < line.waiting.count, count == 0 || changes + line.waiting[count].changes.count <= Limits.ledgerGroup {
                changes += line.waiting[count].changes.count
                count += 1
            }
            guard count > 0 else {
                line.isRunning = false
                return nil
            }
            defer { line.waiting.removeFirst(count) }
            return Array(line.waiting.prefix(count))
        }
    }
}
