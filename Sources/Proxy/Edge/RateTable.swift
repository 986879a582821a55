package import Policy
import Synchronization

/// The buckets of all rate limits: a fixed table that all loops share, without a lock.
///
/// A bucket is two words in one atomic: a tag of 64 bits of a hash under this process's key, and the moment (nanoseconds of the monotonic
/// clock) at which it will be full again. What is taken is taken once, whichever loops ask at the same time. A bucket has eight places
/// that it may be in, by other bits of the hash; a full bucket's place is free, since who has none has a full one.
///
/// Where all eight hold buckets that are not full, the one that is next to full makes room, and its owner has a full one again: with more
/// callers at a time than there are places, limits are exceeded by a little, and nobody is refused for another's requests (but for two of
/// one tag and set, a chance of 2^-64 for a pair). Which places a caller has, nobody outside can know or choose. When two loops enter one
/// caller at the same time, it can have two places for a while and a request more.
@safe package final class RateTable: @unchecked Sendable {  // the memory is of atomics, made once
    private let buckets: UnsafeMutablePointer<Atomic<WordPair>>
    private let setMask: Int
    private let key: KeyedHash

    private static let ways = 8

    /// `places`: a power of two.
    package init(places: Int = Limits.ratePlaces, key: KeyedHash = .random()) {
        precondition(places >= Self.ways && places & (places - 1) == 0)
        unsafe buckets = .allocate(capacity: places)
        for index in 0..<places { unsafe (buckets + index).initialize(to: Atomic(WordPair(first: 0, second: 0))) }
        setMask = places / Self.ways - 1
        self.key = key
    }

    deinit { unsafe buckets.deallocate() }

    /// A hash whose values are of no use to another scope: one for each limit.
    func hash(for scope: String) -> KeyedHash {
        let seed = key(Array(scope.utf8).span)
        return KeyedHash(seed.high, seed.low)
    }

    /// Takes one request out of the bucket `id`. Returns 0, or how many nanoseconds it takes until one can be had; then nothing is taken.
    func take(_ id: KeyedHash.Value, interval: Int64, tolerance: Int64, now: Int64) -> Int64 {
        let (set, tag) = place(of: id)
        while true {
            var place = 0
            var chosen = WordPair(first: 0, second: 0)
            var found = false
            for way in 0..<Self.ways {
                let bucket = unsafe buckets[set + way].load(ordering: .relaxed)
                if bucket.first == tag {
                    (place, chosen, found) = (set + way, bucket, true)
                    break
                }
                if way == 0 || bucket.second < chosen.second { (place, chosen) = (set + way, bucket) }
            }
            let full = found ? max(Int64(bitPattern: UInt64(chosen.second)), now) : now
            guard full - now <= tolerance else { return full - now - tolerance }
            if replace(place, chosen, by: WordPair(first: tag, second: UInt(UInt64(bitPattern: full + interval)))) { return 0 }
        }
    }

    /// Gives one request back that was just taken.
    func giveBack(_ id: KeyedHash.Value, interval: Int64) {
        let (set, tag) = place(of: id)
        var way = 0
        while way < Self.ways {
            let bucket = unsafe buckets[set + way].load(ordering: .relaxed)
            let less = WordPair(first: tag, second: bucket.second &- UInt(interval))
            if bucket.first != tag { way += 1 } else if replace(set + way, bucket, by: less) { return }
        }
    }

    private func replace(_ place: Int, _ old: WordPair, by new: WordPair) -> Bool {
        unsafe buckets[place].compareExchange(expected: old, desired: new, ordering: .relaxed).exchanged
    }

    /// The first of its eight places, and its tag, which is not that of an empty place.
    private func place(of id: KeyedHash.Value) -> (set: Int, tag: UInt) {
        (Int(truncatingIfNeeded: id.low) & setMask * Self.ways, UInt(id.high | 1))
    }
}
