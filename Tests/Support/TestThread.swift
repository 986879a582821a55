import Dispatch
import Foundation

/// A thread of its own for blocking work beside a test.
package final class TestThread: Sendable {
    private let done = DispatchSemaphore(value: 0)

    package init(_ body: @escaping @Sendable () -> Void) {
        Thread.detachNewThread { [done] in
            body()
            done.signal()
        }
    }

    /// Waits until the work is done. Call it once.
    package func wait() { done.wait() }
}
