import Foundation
import Synchronization
import TestSupport

/// What the clients of a load have seen so far.
protocol LoadResult: Sendable {
    var requests: Int { get }
    var failures: [String] { get }
}

/// Clients on threads of their own that ask until they are told to stop, and what they have seen.
final class LoadRun<Result: LoadResult>: Sendable {
    private let result: Mutex<Result>
    private let isStopped = Mutex(false)
    private let threads = Mutex<[TestThread]>([])

    init(_ nothing: Result) { result = Mutex(nothing) }

    func begin(_ client: @escaping @Sendable () -> Void) { threads.withLock { $0.append(TestThread(client)) } }

    var isOver: Bool { isStopped.withLock { $0 } }
    var hasFailed: Bool { result.withLock { !$0.failures.isEmpty } }

    func note(_ change: (inout Result) -> Void) { result.withLock { change(&$0) } }

    /// Waits until so many more have been answered, at most 60 seconds.
    func waitForRequests(_ count: Int) {
        let goal = result.withLock { $0.requests + count }
        let deadline = Date(timeIntervalSinceNow: 60)
        while result.withLock({ $0.requests < goal && $0.failures.isEmpty }), Date() < deadline { Thread.sleep(forTimeInterval: 0.001) }
    }

    func stop() -> Result {
        isStopped.withLock { $0 = true }
        for thread in threads.withLock({ $0 }) { thread.wait() }
        return result.withLock { $0 }
    }
}
