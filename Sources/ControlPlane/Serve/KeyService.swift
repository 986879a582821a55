import NIOCore
import Policy
import Proxy
import Synchronization
import TLS
package import Tokens

#if canImport(Glibc)
    import Glibc
#endif

/// Fetches the keys that the file doesn't have itself, and keeps them fresh: the refresher of `Tokens` with the fetch client of `Proxy`.
///
/// Has one thread of its own from the first origin on; event loops never wait for it.
package final class KeyService: Sendable {
    private let refresher: KeyRefresher
    private let engine = FetchEngine()
    private let say: @Sendable (String) -> Void

    /// Fetches nothing yet. `say` gets a line for each change, on the service's own thread.
    package init(say: @escaping @Sendable (String) -> Void) {
        let engine = engine
        self.say = say
        refresher = KeyRefresher(
            origins: [],
            KeyRefresher.Surroundings(
                fetch: { request, completion in engine.get(request, completion) }, now: Self.now, unix: { Int64(time(nil)) }, say: say))
    }

    /// Keeps the keys of these origins fresh from now on, each named once, and no others; what is not there yet is fetched at once.
    /// Throws where a `ca_file` can't be used. Reads files: not for an event loop.
    package func follow(_ origins: [KeyOrigin]) throws(StartFailure) {
        if let problem = prepare(for: origins).first { throw StartFailure(problem) }
        start(origins)
    }

    /// The same for a gateway that serves already: what can't be used is told, all the rest is done. A `ca_file` that can't be read any more
    /// goes on as it was; the origins of one that never could are not fetched, and that is told as their failure.
    package func change(to origins: [KeyOrigin]) {
        for problem in prepare(for: origins) { say(problem) }
        start(origins)
    }

    private func prepare(for origins: [KeyOrigin]) -> [String] {
        engine.prepare(for: origins) { [weak refresher] in refresher?.tick() }.map { "Keys can't be fetched: \($0)" }
    }

    private func start(_ origins: [KeyOrigin]) {
        refresher.follow(origins)
        if !origins.isEmpty { refresher.tick() }
    }

    /// Whether each origin's first fetch has ended, well or not.
    package var hasTriedAll: Bool { refresher.hasTriedAll }

    /// Waits until that is so, but no longer than so many milliseconds. Not for an event loop.
    package func waitForFirst(milliseconds: Int64) {
        let end = Self.now() + milliseconds
        while !refresher.hasTriedAll, Self.now() < end { _ = poll(nil, 0, 5) }
    }

    /// Gives `gateway` the keys in force, now and whenever they change.
    func serve(_ gateway: Gateway) {
        refresher.attach { gateway.use($0) }
    }

    /// How it stands with each origin.
    package var statuses: [KeyStatus] { refresher.statuses }

    /// The keys in force now.
    package var table: KeyTable { refresher.table }

    /// Ends fetching. Not from its own thread.
    package func end() {
        refresher.end()
        engine.end()
    }

    /// What `/readyz` says of origins whose last fetch failed: the gateway serves all the same, so none makes it unready.
    var notices: [String] {
        statuses.compactMap { status in
            guard let error = status.error else { return nil }
            let age = status.age(now: Self.now()).map { "those of \($0 / 1000) s ago serve" }
            let consequence = status.isAvailable ? age ?? "" : "its tokens are answered by 503 keys_unavailable"
            return "keys from \(status.origin.shown) can't be fetched (\(error)); \(consequence)"
        }
    }

    /// Milliseconds of the clock that a `KeyStatus` counts by.
    package static func now() -> Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }
}

/// The fetch client, made when it is first needed, and whom it trusts.
private final class FetchEngine: Sendable {
    private struct State {
        var client: FetchClient?
        /// A TLS context for each file of authorities, and one for the system's.
        var contexts: [String?: TLSClientContext] = [:]
    }

    private let state = Mutex(State())

    /// Reads the files of authorities anew, and makes the client. What can't be used, in words.
    func prepare(for origins: [KeyOrigin], tick: @escaping @Sendable () -> Void) -> [String] {
        guard !origins.isEmpty else { return [] }
        var problems: [String] = []
        var read: [String?: TLSClientContext] = [:]
        for authorities in Set(origins.map(\.authorities)) {
            do throws(TLSConfigurationError) { read[authorities] = try TLSClientContext(authorities: authorities) } catch {
                problems.append("\(error)")
                read[authorities] = state.withLock { $0.contexts[authorities] }
            }
        }
        let contexts = read
        let isNew = state.withLock { state in
            state.contexts = contexts
            return state.client == nil
        }
        guard isNew else { return problems }
        do throws(SocketError) {
            let client = try FetchClient(tick: tick)
            state.withLock { $0.client = client }
        } catch {
            problems.append("\(error).")
        }
        return problems
    }

    func get(_ request: KeyRequest, _ completion: @escaping FetchClient.Completion) {
        let (client, tls) = state.withLock { ($0.client, request.url.isSecure ? $0.contexts[request.authorities] : nil) }
        guard let client else { return completion(.failure(FetchFailure(.connect, "no descriptor is left to fetch with"))) }
        client.get(request.url, tls: tls, timeout: request.timeout, isRetry: request.isRetry, completion: completion)
    }

    func end() {
        let client = state.withLock { state in
            defer { state.client = nil }
            return state.client
        }
        client?.end()
    }
}
