import NIOCore
import Policy

/// Whose turn it is to be fetched: hosts take turns, none has more than `Limits.fetchesPerHost` under way, and what failed last time comes
/// after all that didn't and never has all places. Holds no more orders than there are key sets.
struct FetchLine {
    private var first = Turns()
    private var retries = Turns()
    /// Fetches that are under way, by host and in all.
    private var running: [String: Int] = [:]
    private var count = 0
    private var retryCount = 0

    mutating func add(_ order: FetchOrder) {
        if order.isRetry { retries.add(order) } else { first.add(order) }
    }

    /// The next fetch to begin, which is under way then; nil where none can.
    mutating func next() -> FetchOrder? {
        guard count < Limits.fetchesAtOnce else { return nil }
        var order = first.next(running)
        if order == nil, retryCount < Limits.retriesAtOnce { order = retries.next(running) }
        guard let order else { return nil }
        count += 1
        if order.isRetry { retryCount += 1 }
        running[order.host, default: 0] += 1
        return order
    }

    /// A fetch that was under way has ended.
    mutating func ended(_ order: FetchOrder) {
        count -= 1
        if order.isRetry { retryCount -= 1 }
        let left = (running[order.host] ?? 1) - 1
        running[order.host] = left > 0 ? left : nil
        first.mayGoOn(order.host)
        retries.mayGoOn(order.host)
    }

    /// Lets go of all that wait.
    mutating func clear() { (first, retries) = (Turns(), Turns()) }

    /// The orders of each host, oldest first, and the hosts in turn.
    private struct Turns {
        private var waiting: [String: CircularBuffer<FetchOrder>] = [:]
        private var hosts = CircularBuffer<String>()
        /// Those in `hosts`. One that waits but isn't here has all that it may have under way.
        private var listed: Set<String> = []

        mutating func add(_ order: FetchOrder) {
            waiting[order.host, default: CircularBuffer()].append(order)
            list(order.host)
        }

        mutating func next(_ running: [String: Int]) -> FetchOrder? {
            while let host = hosts.popFirst() {
                listed.remove(host)
                guard running[host, default: 0] < Limits.fetchesPerHost, let order = waiting[host]?.popFirst() else { continue }
                if waiting[host]?.isEmpty == false { list(host) } else { waiting[host] = nil }
                return order
            }
            return nil
        }

        /// One fetch less is under way at `host`.
        mutating func mayGoOn(_ host: String) {
            if waiting[host] != nil { list(host) }
        }

        private mutating func list(_ host: String) {
            if listed.insert(host).inserted { hosts.append(host) }
        }
    }
}
