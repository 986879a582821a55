import NIOCore
import Policy
import Synchronization

/// The addresses of upstreams' servers that are given by name: looked up once, then anew every `Limits.nameSeconds` while they are used, off
/// the loops. The last good answer serves for as long as no other comes, so that no request waits for DNS but the first.
///
/// Shared by all loops; asked when a connection is made, not for requests.
final class ServerNames: Sendable {
    /// Looks a host and port up; may answer on another thread.
    typealias Look = @Sendable (String, Int, @escaping NameResolver.Completion) -> Void

    private let look: Look
    private let entries = Mutex<[Name: Entry]>([:])

    private struct Name: Hashable {
        let host: String
        let port: Int
    }

    private struct Entry {
        var addresses: [SocketAddress]
        /// Monotonic nanoseconds: when it was last asked for by a connection, and last looked up.
        var used: Int64
        var asked: Int64
        /// Where the next connection begins.
        var turn = 0
    }

    init(look: @escaping Look) { self.look = look }

    /// `completion` gets the addresses of a name in the order in which they are to be tried: at once where they are known, else on another
    /// thread; nothing where there are none.
    func addresses(
        of host: String, port: Int, now: Int64 = SocketLoop.now, completion: @escaping NameResolver.Completion
    ) {
        let name = Name(host: host, port: port)
        let known = entries.withLock { entries -> [SocketAddress]? in
            guard var entry = entries[name] else { return nil }
            entry.used = now
            entry.turn &+= 1
            entries[name] = entry
            return Self.rotated(entry.addresses, by: entry.turn)
        }
        if let known { return completion(known) }
        look(host, port) { [self] found in
            take(found, for: name, now: now)
            completion(found)
        }
    }

    /// Looks names up again whose time has come, and forgets those that nobody uses. Called by a loop's tick.
    func refresh(now: Int64) {
        let due = entries.withLock { entries in
            entries = entries.filter { now - $0.value.used < Limits.unusedNameSeconds * 1_000_000_000 }
            let due = entries.filter { now - $0.value.asked >= Limits.nameSeconds * 1_000_000_000 }.map(\.key)
            for name in due { entries[name]?.asked = now }
            return due
        }
        for name in due { look(name.host, name.port) { [self] found in take(found, for: name, now: now) } }
    }

    /// What can't be found leaves what was known.
    private func take(_ found: [SocketAddress], for name: Name, now: Int64) {
        guard !found.isEmpty else { return }
        entries.withLock { $0[name, default: Entry(addresses: found, used: now, asked: now)].addresses = found }
    }

    /// Addresses of the first one's family take turns, so that each is several servers' worth of choice; the others come last, as the
    /// system would have it (RFC 6724).
    static func rotated(_ addresses: [SocketAddress], by turn: Int) -> [SocketAddress] {
        let first = addresses.prefix { $0.protocol == addresses.first?.protocol }
        guard first.count > 1 else { return addresses }
        let start = abs(turn % first.count)
        return Array(first[start...]) + first[..<start] + addresses[first.count...]
    }
}
