import Dispatch
import Foundation

/// A gate that a test opens for everybody, once.
package final class TestGate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    package init() {}
    package func open() { semaphore.signal() }

    /// Waits until it is open, at most 60 seconds.
    package func wait() {
        if semaphore.wait(timeout: .now() + 60) == .success { semaphore.signal() }
    }
}

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
