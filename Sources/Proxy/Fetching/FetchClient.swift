import NIOCore
package import Policy
package import TLS

/// Fetches documents of the gateway's own: one GET a connection, on an event loop of its own, so that no request ever waits for it.
///
/// No redirect is followed, no proxy asked, nothing kept. https is verified by the context that the caller gives; http goes to this
/// machine's loopback alone, whatever its name resolves to.
package final class FetchClient: Sendable {
    /// What a fetch came to. Called on the client's loop: must not block.
    package typealias Completion = @Sendable (Result<FetchedDocument, FetchFailure>) -> Void

    private let loop: SocketLoop
    private let resolver = NameResolver()
    private let desk: LoopBound<FetchDesk>

    /// Starts the loop. `tick` is called on it ten times a second. Throws where the system has no descriptors left.
    package init(tick: @escaping @Sendable () -> Void = {}) throws(SocketError) {
        loop = try SocketLoop()
        let desk = FetchDesk(loop: loop, resolver: resolver)
        self.desk = LoopBound(desk, loop)
        let work = {
            desk.tick()
            tick()
        }
        loop.start(name: "fetches", tick: LoopBound(work, loop))
    }

    /// Fetches `url`; ends in one call of `completion`, within `timeout` milliseconds once it is under way: at most
    /// `Limits.fetchesAtOnce` are. Without effect after `end`. From any thread.
    package func get(_ url: FetchURL, tls: TLSClientContext?, timeout: Int64, completion: @escaping Completion) {
        let order = FetchOrder(url: url, tls: tls, timeout: timeout, completion: completion)
        desk.execute { $0.take(order) }
    }

    /// Breaks off what is under way, whose completions are not called, and ends the loop. Not from the loop.
    package func end() {
        let desk = desk
        loop.wait { desk.value.stop() }
        loop.end()
        resolver.abandon()
    }
}

/// What somebody wants to have.
struct FetchOrder: Sendable {
    let url: FetchURL
    /// Nil for http.
    let tls: TLSClientContext?
    /// Milliseconds.
    let timeout: Int64
    let completion: FetchClient.Completion
}

/// The fetches that are under way and those that wait their turn. Loop-bound.
final class FetchDesk {
    let loop: SocketLoop
    let resolver: NameResolver
    /// Shared by all connections: used up before the next event.
    let records = TLSRecords()
    private var running: [Fetch] = []
    private var waiting: [FetchOrder] = []
    private var isStopped = false

    init(loop: SocketLoop, resolver: NameResolver) {
        self.loop = loop
        self.resolver = resolver
    }

    func take(_ order: FetchOrder) {
        guard !isStopped else { return }
        waiting.append(order)
        startWaiting()
    }

    /// A fetch has ended.
    func ended(_ fetch: Fetch, _ result: Result<FetchedDocument, FetchFailure>) {
        running.removeAll { $0 === fetch }
        guard !isStopped else { return }
        fetch.order.completion(result)
        startWaiting()
    }

    func tick() {
        let now = SocketLoop.now
        for fetch in Array(running) { fetch.checkDeadline(now: now) }
    }

    func stop() {
        isStopped = true
        waiting = []
        for fetch in Array(running) { fetch.cancel() }
        running = []
    }

    private func startWaiting() {
        while running.count < Limits.fetchesAtOnce, !waiting.isEmpty {
            let fetch = Fetch(waiting.removeFirst(), desk: self)
            running.append(fetch)
            fetch.start()
        }
    }
}
