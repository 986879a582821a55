import Dispatch
import Synchronization

/// Lines for standard error about upstreams that change, told off the loops: whoever reads them may be slow.
final class UpstreamNews: Sendable {
    private let say: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "upstream news")
    private let waiting = Atomic<Int>(0)
    /// When what was last told, monotonic nanoseconds.
    private let told = Mutex<[String: Int64]>([:])

    /// Lines that may wait to be read: beyond, they are dropped. A fault of every server of a large file fits.
    private static let bound = 1024
    /// Nanoseconds in which the same is told once.
    private static let quiet: Int64 = 60_000_000_000

    init(say: @escaping @Sendable (String) -> Void) { self.say = say }

    /// From any thread; doesn't wait.
    func tell(_ text: String) {
        guard waiting.add(1, ordering: .relaxed).newValue <= Self.bound else {
            waiting.subtract(1, ordering: .relaxed)
            return
        }
        queue.async { [self] in
            say(text)
            waiting.subtract(1, ordering: .relaxed)
        }
    }

    /// The same for what may come with every request: once a minute for each `topic`.
    func tell(_ text: String, about topic: String, now: Int64) {
        let isNews = told.withLock { told in
            if told.count > Self.bound { told = told.filter { now - $0.value < Self.quiet } }
            if let last = told[topic], now - last < Self.quiet { return false }
            // Too many at once: those that are known go on being quiet.
            guard told.count <= Self.bound else { return false }
            told[topic] = now
            return true
        }
        if isNews { tell(text) }
    }

    /// Waits until everything is told, but not for whoever doesn't read.
    func end() {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + .seconds(1))
    }

    /// Milliseconds for people.
    static func seconds(_ milliseconds: Int64) -> String {
        milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}
