import NIOCore

/// Which name is looked up when, and what is known of each: takes events, answers with what to do, does nothing itself.
///
/// A look-up holds up its thread for as long as nobody answers for the name: 10 s and more by the system's defaults. So each name has one at
/// a time, however many ask; one that nobody answered for comes after the others next time, never has all threads, and rests before that.
/// The last good answer serves meanwhile. Times are monotonic nanoseconds.
struct NameLookups {
    struct Name: Hashable, Sendable {
        let host: String
        let port: Int
    }

    typealias Completion = NameResolver.Completion

    /// Look-ups at a time.
    static let threads = 16
    /// Of these, look-ups of names that nobody answered for last time.
    static let threadsForSilent = 12
    /// Nanoseconds after which a look-up without a result was one without an answer.
    static let silence: Int64 = 1_000_000_000
    /// A look-up without a result is not repeated for so many times as long as it took, but no more than so many nanoseconds.
    static let rest: Int64 = 4
    static let longestRest: Int64 = 60_000_000_000
    /// Nanoseconds for which a good answer serves while there is no other.
    static let kept: Int64 = 3_600_000_000_000
    /// Names that are remembered: more than configurations have, since an issuer's metadata can name another host each time.
    static let remembered = 16_384
    /// Names that are looked up or wait for it, and those who wait for one of them: beyond it the answer is what is known.
    static let asked = 16_384
    static let askers = 1024

    private struct Entry {
        var addresses: [SocketAddress] = []
        /// When these were found.
        var found: Int64 = 0
        /// Until then it isn't looked up.
        var rests: Int64 = .min
        var isSilent = false
    }

    private struct Flight {
        /// When a thread began; nil while it waits for one.
        var began: Int64?
        let isSilent: Bool
        var waiting: [Completion]
    }

    private var entries: [Name: Entry] = [:]
    private var flights: [Name: Flight] = [:]
    private var line = CircularBuffer<Name>()
    private var silentLine = CircularBuffer<Name>()
    private var running = 0
    private var runningSilent = 0
    private var isOver = false

    /// What is to be answered at once; nil where `completion` is kept for later.
    mutating func ask(_ name: Name, now: Int64, _ completion: @escaping Completion) -> [SocketAddress]? {
        if let waiting = flights[name]?.waiting.count {
            guard waiting < Self.askers else { return known(name, now: now) }
            flights[name]?.waiting.append(completion)
            return nil
        }
        let entry = entries[name]
        guard !isOver, now >= entry?.rests ?? .min, flights.count < Self.asked else { return known(name, now: now) }
        let isSilent = entry?.isSilent ?? false
        flights[name] = Flight(isSilent: isSilent, waiting: [completion])
        if isSilent { silentLine.append(name) } else { line.append(name) }
        return nil
    }

    /// The last good addresses of a name; empty where there are none, or it is too long ago.
    func known(_ name: Name, now: Int64) -> [SocketAddress] {
        guard let entry = entries[name], now - entry.found < Self.kept else { return [] }
        return entry.addresses
    }

    /// A name that is to be looked up now; nil where none waits or no thread is left for it.
    mutating func begin(now: Int64) -> Name? {
        guard running < Self.threads else { return nil }
        var name = line.popFirst()
        if name == nil, runningSilent < Self.threadsForSilent { name = silentLine.popFirst() }
        guard let name else { return nil }
        flights[name]?.began = now
        running += 1
        if flights[name]?.isSilent == true { runningSilent += 1 }
        return name
    }

    /// A look-up that has begun came to this; nothing where it failed. Who is to be told, and what.
    mutating func ended(_ name: Name, _ addresses: [SocketAddress], now: Int64) -> (waiting: [Completion], answer: [SocketAddress]) {
        guard let flight = flights.removeValue(forKey: name) else { return ([], []) }
        running -= 1
        if flight.isSilent { runningSilent -= 1 }
        if entries[name] == nil { makeRoom(now: now) }
        var entry = entries[name] ?? Entry()
        if addresses.isEmpty {
            let took = now - (flight.began ?? now)
            entry.isSilent = took >= Self.silence
            entry.rests = now + min(took * Self.rest, Self.longestRest)
        } else {
            entry = Entry(addresses: addresses, found: now)
        }
        entries[name] = entry
        return (flight.waiting, addresses.isEmpty ? known(name, now: now) : addresses)
    }

    /// Nothing is looked up any more. Those who are waiting, to be told nothing.
    mutating func end() -> [Completion] {
        defer {
            isOver = true
            (flights, line, silentLine) = ([:], CircularBuffer(), CircularBuffer())
        }
        return flights.values.flatMap(\.waiting)
    }

    private mutating func makeRoom(now: Int64) {
        guard entries.count >= Self.remembered else { return }
        entries = entries.filter { now - $0.value.found < Self.kept }
        if entries.count >= Self.remembered { entries = [:] }
    }
}
