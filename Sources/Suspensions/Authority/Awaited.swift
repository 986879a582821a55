import Dispatch
import Synchronization

/// The value that a completion brings. Blocks until then: not for an event loop, nor for the thread that calls the completion.
package func awaited<Value: Sendable>(_ begin: (@escaping @Sendable (Value) -> Void) -> Void) -> Value {
    awaited(atMost: nil, begin)!
}

/// The same, but not for longer than so many seconds; nil when they are over. Without a number it waits for ever.
func awaited<Value: Sendable>(atMost seconds: Int?, _ begin: (@escaping @Sendable (Value) -> Void) -> Void) -> Value? {
    let done = DispatchSemaphore(value: 0)
    let value = Mutex<Value?>(nil)
    begin { result in
        value.withLock { $0 = result }
        done.signal()
    }
    _ = done.wait(timeout: seconds.map { .now() + .seconds($0) } ?? .distantFuture)
    return value.withLock { $0 }
}
