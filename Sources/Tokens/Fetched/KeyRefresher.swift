import Policy
import Synchronization

/// Keeps the keys of all origins fresh: drives one `KeyRefresh` for each, and hands out the table of those in force.
///
/// It has no thread and no clock: `tick` is called some ten times a second, and fetches end on whichever thread they like. What it guards
/// by a lock is never asked on the request path.
package final class KeyRefresher: Sendable {
    /// What it needs of the world.
    package struct Surroundings: Sendable {
        package var fetch: KeyFetch
        /// Milliseconds of a monotonic clock.
        package var now: @Sendable () -> Int64
        /// Seconds since 1970.
        package var unix: @Sendable () -> Int64
        /// Random in 0…1.
        package var spread: @Sendable () -> Double
        /// Takes a line for people: which keys, and what has changed.
        package var say: @Sendable (String) -> Void

        package init(
            fetch: @escaping KeyFetch, now: @escaping @Sendable () -> Int64, unix: @escaping @Sendable () -> Int64,
            spread: @escaping @Sendable () -> Double = { .random(in: 0...1) }, say: @escaping @Sendable (String) -> Void
        ) {
            self.fetch = fetch
            self.now = now
            self.unix = unix
            self.spread = spread
            self.say = say
        }
    }

    private struct State {
        var refreshes: [KeyRefresh] = []
        /// Where each origin stands in `refreshes`.
        var places: [KeyOrigin: Int] = [:]
        /// Sets have been swapped since the table was last made.
        var isChanged = true
        var publish: (@Sendable (KeyTable) -> Void)?
        var isEnded = false
    }

    private let surroundings: Surroundings
    private let state: Mutex<State>

    /// Nothing is fetched before the first `tick`.
    package init(origins: [KeyOrigin], _ surroundings: Surroundings) {
        self.surroundings = surroundings
        state = Mutex(State())
        follow(origins)
    }

    /// Keeps the keys of these origins, each named once, fresh from now on, and no others. What is known of those that stay is kept, also
    /// where only their times are others.
    package func follow(_ origins: [KeyOrigin]) {
        let now = surroundings.now()
        state.withLock { state in
            let before = state.places.mapValues { state.refreshes[$0] }
            let sets = Dictionary(state.refreshes.map { ($0.origin.document, $0) }) { first, _ in first }
            state.refreshes = origins.map { origin in
                before[origin] ?? KeyRefresh(origin, now: now, like: sets[origin.document])
            }
            state.places = Dictionary(origins.enumerated().map { ($1, $0) }) { first, _ in first }
            state.isChanged = true
        }
        tellChanges()
    }

    /// `publish` gets the table now, and another whenever keys have changed, from `tick`: one after the other, so that the last one given
    /// is the one in force. It must not block, nor ask the refresher anything.
    package func attach(_ publish: @escaping @Sendable (KeyTable) -> Void) {
        state.withLock { state in
            state.publish = publish
            state.isChanged = true
        }
        tellChanges()
    }

    /// Begins what is due, lets go of what is too old, and hands on what has changed.
    package func tick() {
        let now = surroundings.now()
        var due: [(KeyOrigin, KeyOrigin.Asking)] = []
        var lines: [String] = []
        state.withLock { state in
            guard !state.isEnded else { return }
            for index in state.refreshes.indices {
                let change = state.refreshes[index].expire(now: now)
                Self.note(change, of: index, &state, &lines)
                let asking = state.refreshes[index].asking
                if state.refreshes[index].begins(now: now) { due.append((state.refreshes[index].origin, asking)) }
            }
        }
        for line in lines { surroundings.say(line) }
        for (origin, asking) in due {
            origin.download(asking, by: surroundings.fetch) { [weak self] result in self?.ended(origin, result) }
        }
        tellChanges()
    }

    /// Nothing is fetched any more.
    package func end() { state.withLock { $0.isEnded = true } }

    /// Whether every origin's first fetch has ended, well or not.
    package var hasTriedAll: Bool { state.withLock { !$0.refreshes.contains(where: \.status.isUntried) } }

    /// How it stands with each origin, in the order in which they were given.
    package var statuses: [KeyStatus] { state.withLock { $0.refreshes.map(\.status) } }

    /// The keys in force now.
    package var table: KeyTable { state.withLock { Self.table($0) } }

    private func ended(_ origin: KeyOrigin, _ result: Result<DownloadedKeys, FetchFailure>) {
        let (now, unix, spread) = (surroundings.now(), surroundings.unix(), surroundings.spread())
        var lines: [String] = []
        state.withLock { state in
            // It may have left the file meanwhile.
            guard let index = state.places[origin] else { return }
            let change = state.refreshes[index].ended(result, now: now, unix: unix, spread: spread)
            Self.note(change, of: index, &state, &lines)
        }
        for line in lines { surroundings.say(line) }
    }

    private static func note(_ change: KeyRefresh.Change, of index: Int, _ state: inout State, _ lines: inout [String]) {
        if change.isSwapped { state.isChanged = true }
        if let line = change.line { lines.append("keys from \(state.refreshes[index].origin.shown): \(line)") }
    }

    private func tellChanges() {
        state.withLock { state in
            guard state.isChanged, let publish = state.publish else { return }
            state.isChanged = false
            publish(Self.table(state))
        }
    }

    private static func table(_ state: State) -> KeyTable {
        KeyTable(Dictionary(state.refreshes.map { ($0.origin, $0.set) }) { first, _ in first })
    }
}

extension KeyStatus {
    fileprivate var isUntried: Bool { lastSuccess == nil && error == nil }
}
