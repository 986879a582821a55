import Policy
import Tokens

/// Who calls, as far as a service's connections are shared out: the token's user or, where there is none, the source address (IPv6 by /64).
///
/// A hash under a key of this process: whom two callers' hashes make one, nobody outside can know or choose.
struct CallerKey: Equatable {
    private let value: UInt64

    /// Whoever can't be told apart from others: clients of a trusted proxy or a Unix socket that send no token. They are not counted.
    static let nobody = CallerKey(value: 0)
    /// All calls that suspend or reactivate, which have a bound of their own for each caller: they wait for nobody's share.
    static let suspending = CallerKey(value: 1)

    private static let sources = KeyedHash.random()

    private init(value: UInt64) { self.value = value }

    init(_ credential: Credential) { value = credential.userHash.low | 2 }

    init(_ source: SourceAddress) {
        let bytes = [source.high, source.low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) } }
        value = Self.sources(bytes.span).low | 2
    }

    var isCounted: Bool { value > 1 }

    /// Two numbers that have nothing to do with each other, below a power of two of at most 2^16.
    fileprivate func places(_ mask: UInt64) -> (Int, Int) {
        (Int(truncatingIfNeeded: value >> 8 & mask), Int(truncatingIfNeeded: value >> 32 & mask))
    }
}

/// How many connections each caller has, in two rows of counters: a caller has one in each, and its number is the smaller of them. So it
/// takes no memory for who comes and goes, and only who shares both places with others is taken for having more than it has.
struct CallerCounts {
    private var counts: [UInt32]
    private let mask: UInt64

    /// For so many connections in all, most of them of different callers.
    init(connections: Int) {
        var places = 64
        while places < 2 * connections, places < 1 << 16 { places *= 2 }
        counts = Array(repeating: 0, count: 2 * places)
        mask = UInt64(places - 1)
    }

    func count(of caller: CallerKey) -> Int {
        guard caller.isCounted else { return 0 }
        let (one, other) = caller.places(mask)
        return Int(min(counts[one], counts[counts.count / 2 + other]))
    }

    mutating func add(_ caller: CallerKey) {
        guard caller.isCounted else { return }
        let (one, other) = caller.places(mask)
        counts[one] += 1
        counts[counts.count / 2 + other] += 1
    }

    mutating func remove(_ caller: CallerKey) {
        guard caller.isCounted else { return }
        let (one, other) = caller.places(mask)
        counts[one] -= 1
        counts[counts.count / 2 + other] -= 1
    }
}

/// The rule by which callers share what there is: who has much gets more only while much is left.
///
/// By 75 percent one caller alone may have 75 of 100 places; two such have 43 each and leave 14, ten leave 3. So whoever has none finds one
/// until there are nearly as many greedy callers as places, and nobody has to know how many they are. (Switches share their buffers among
/// ports like this: Choudhury and Hahne, "Dynamic queue length thresholds", 1998.)
struct CallerShare {
    let percent: Int

    /// Whether a caller that has `held` may have one more of the `free` ones. Who has none always may: then room alone is asked for.
    func allows(held: Int, free: Int) -> Bool { held == 0 || held * (100 - percent) < percent * free }

    /// The same for any number that is free but none.
    func allowsAlways(held: Int) -> Bool { allows(held: held, free: 1) }
}
