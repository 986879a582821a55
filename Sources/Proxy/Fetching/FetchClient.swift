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
    private let resolver: NameResolver
    private let desk: LoopBound<FetchDesk>

    /// Starts the loop. `tick` is called on it ten times a second. Throws where the system has no descriptors left.
    package convenience init(tick: @escaping @Sendable () -> Void = {}) throws(SocketError) {
        try self.init(resolver: NameResolver(), tick: tick)
    }

    init(resolver: NameResolver, tick: @escaping @Sendable () -> Void = {}) throws(SocketError) {
        self.resolver = resolver
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
    /// `Limits.fetchesAtOnce` are, and `Limits.fetchesPerHost` at one host; what `isRetry` comes after the rest. Without effect after `end`.
    /// From any thread.
    package func get(
        _ url: FetchURL, tls: TLSClientContext?, timeout: Int64, isRetry: Bool = false, completion: @escaping Completion
    ) {
        let order = FetchOrder(url: url, tls: tls, timeout: timeout, isRetry: isRetry, completion: completion)
        desk.execute { $0.take(order) }
    }

    /// Asks one server of a service for `target` by GET, as the file says how to reach it. Any whole answer counts, whatever its status.
    /// `fields`: names and values of further header fields; they hold no control characters. Ends like `get`.
    package func ask(
        _ server: Upstream.Server, of upstream: Upstream, target: String, fields: [(name: String, value: String)], timeout: Int64,
        limit: Int, completion: @escaping Completion
    ) {
        let lines = fields.map { "\($0.name): \($0.value)\r\n" }.joined()
        let order = FetchOrder(
            destination: .server(server, upstream.tls), target: target, lines: "Accept: application/json\r\n" + lines,
            wants: .answer(limit: limit), timeout: timeout, isRetry: false, completion: completion)
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

/// The fetches that are under way and those that wait their turn. Loop-bound.
final class FetchDesk {
    let loop: SocketLoop
    let resolver: NameResolver
    /// Shared by all connections: used up before the next event.
    let records = TLSRecords()
    private var running: [Fetch] = []
    private var line = FetchLine()
    private var isStopped = false

    init(loop: SocketLoop, resolver: NameResolver) {
        self.loop = loop
        self.resolver = resolver
    }

    func take(_ order: FetchOrder) {
        guard !isStopped else { return }
        line.add(order)
        startWaiting()
    }

    /// A fetch has ended.
    func ended(_ fetch: Fetch, _ result: Result<FetchedDocument, FetchFailure>) {
        running.removeAll { $0 === fetch }
        line.ended(fetch.order)
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
        line.clear()
        for fetch in Array(running) { fetch.cancel() }
        running = []
    }

    private func startWaiting() {
        while let order = line.next() {
            let fetch = Fetch(order, desk: self)
            running.append(fetch)
            fetch.start()
        }
    }
}
