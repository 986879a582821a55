import Dispatch
import Synchronization

/// The value that a completion brings. Blocks until then: not for an event loop, nor for the thread that calls the completion.
package func awaited<Value: Sendable>(_ begin: (@escaping @Sendable (Value) -> Void) -> Void) -> Value {
    let done = DispatchSemaphore(value: 0)
    let value = Mutex<Value?>(nil)
    begin { result in
        value.withLock { $0 = result }
        done.signal()
    }
    done.wait()
    return value.withLock { $0 }!
}
