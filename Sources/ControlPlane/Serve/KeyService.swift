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
/// Has one thread of its own; event loops never wait for it.
package final class KeyService: Sendable {
    private let client: FetchClient
    private let refresher: KeyRefresher

    /// Begins fetching at once. `say` gets a line for each change. Throws where a `ca_file` can't be used.
    package init(_ origins: [KeyOrigin], say: @escaping @Sendable (String) -> Void) throws(StartFailure) {
        let trust = try TrustedAuthorities(origins)
        let pulse = Pulse()
        do throws(SocketError) { client = try FetchClient { pulse.beat() } } catch {
            throw StartFailure("Keys can't be fetched: \(error).")
        }
        let client = client
        refresher = KeyRefresher(
            origins: origins,
            KeyRefresher.Surroundings(
                fetch: { request, completion in
                    let tls = request.url.isSecure ? trust[request.authorities] : nil
                    client.get(request.url, tls: tls, timeout: request.timeout, completion: completion)
                },
                now: Self.now, unix: { Int64(time(nil)) }, say: say))
        pulse.attach(refresher)
        refresher.tick()
    }

    /// Waits until each origin's first fetch has ended, well or not, but no longer than so many milliseconds. Not for an event loop.
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

    /// Ends fetching. Not from a loop; call it once.
    package func end() {
        refresher.end()
        client.end()
    }

    /// What `/readyz` says of origins whose last fetch failed.
    static func notices(_ statuses: [KeyStatus]) -> [String] {
        statuses.compactMap { status in
            guard let error = status.error else { return nil }
            let age = status.age(now: now()).map { "those of \($0 / 1000) s ago serve" } ?? "there are none"
            return "keys from \(status.origin.shown) can't be fetched (\(error)); \(age)"
        }
    }

    /// How old the keys in force are, for the metrics.
    static func ages(_ statuses: [KeyStatus]) -> [KeySetAge] {
        statuses.compactMap { status in
            status.age(now: now()).map { KeySetAge(issuer: status.origin.shown, seconds: Double($0) / 1000) }
        }
    }

    /// Milliseconds of the clock that a `KeyStatus` counts by.
    package static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// Passes the client's tick on to the refresher, which is made after it.
private final class Pulse: Sendable {
    private let refresher = Mutex<KeyRefresher?>(nil)

    func attach(_ refresher: KeyRefresher) { self.refresher.withLock { $0 = refresher } }
    func beat() { refresher.withLock { $0 }?.tick() }
}

/// A TLS context for each file of authorities, and one for the system's.
private struct TrustedAuthorities: Sendable {
    private var contexts: [String?: TLSClientContext] = [:]

    init(_ origins: [KeyOrigin]) throws(StartFailure) {
        for authorities in Set(origins.map(\.authorities)) {
            do throws(TLSConfigurationError) { contexts[authorities] = try TLSClientContext(authorities: authorities) } catch {
                throw StartFailure("Keys can't be fetched: \(error)")
            }
        }
    }

    subscript(authorities: String?) -> TLSClientContext? { contexts[authorities] }
}
