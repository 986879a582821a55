import Glibc
import Synchronization

/// The users that are blocked somewhere: a two-choice hash table of cache lines, in segments that split when they are full.
///
/// A question reads one word of the segment directory (a few KiB, always cached) and one bucket; where that bucket is spilled, a second
/// bucket whose address is known from the start. Only a user who is blocked somewhere costs the record of the scope too.
/// The unsafe pointers are here because readers on other threads follow them while the writer works.
@safe struct BlockTable: ~Copyable, @unchecked Sendable {
    /// Segments that the directory can name: with the smallest segments about 10 billion users.
    static let maximumDepth = 20
    /// Buckets of a segment where nothing is known of the number of users: 256 KiB.
    static let smallestSegment = 4096
    /// How full a table is made for a number of users that is known.
    private static let fill = 0.8

    /// Buckets in each segment.
    let bucketsPerSegment: Int
    let scopes = ScopeTable()
    let depth: Atomic<Int>
    /// The segments that the table began with, and where they end.
    private let arena: UnsafeMutablePointer<Bucket>
    private let arenaEnd: UnsafeMutablePointer<Bucket>
    /// The allocation that the arena is in.
    private let arenaMemory: UnsafeMutableRawPointer
    /// The segment of each value of the low `depth` bits of a place. Only the part in use is ever touched.
    let directory: UnsafeMutablePointer<Atomic<UnsafeMutablePointer<Bucket>?>>

    /// A table that holds `count` users without splitting.
    init(expecting count: Int) {
        let buckets = max(Int(Double(count) / Double(Bucket.slots) / Self.fill), Self.smallestSegment)
        var depth = 0
        while buckets >> depth >= 2 * Self.smallestSegment { depth += 1 }
        bucketsPerSegment = (buckets >> depth) + 1
        self.depth = Atomic(depth)
        unsafe (arenaMemory, arena, arenaEnd) = Self.makeArena(buckets: bucketsPerSegment << depth)
        unsafe directory = .allocate(capacity: 1 << Self.maximumDepth)
        for slot in 0..<1 << depth {
            unsafe (directory + slot).initialize(to: Atomic(nil))
            unsafe directory[slot].store(arena + slot * bucketsPerSegment, ordering: .relaxed)
        }
    }

    deinit {
        // A segment of its own stands in the directory as often as its depth is behind the table's: it is freed where it stands first.
        var freed: Set<UnsafeMutablePointer<Bucket>> = unsafe []
        for slot in 0..<1 << depth.load(ordering: .relaxed) {
            guard let segment = unsafe directory[slot].load(ordering: .relaxed), unsafe segment < arena || segment >= arenaEnd,
                unsafe freed.insert(segment).inserted
            else { continue }
            unsafe segment.deallocate()
        }
        unsafe free(arenaMemory)
        unsafe directory.deallocate()
    }

    /// The first segments in one piece, on huge pages where the kernel has them: a question to a large table then misses the caches of
    /// memory, but not those of addresses too.
    ///
    /// An empty bucket is all zeros, and so is what `calloc` gives: the kernel clears a large arena page by page when users come in, which
    /// is while the ledger is still being read.
    private static func makeArena(
        buckets: Int
    ) -> (UnsafeMutableRawPointer, UnsafeMutablePointer<Bucket>, UnsafeMutablePointer<Bucket>) {
        let (bytes, hugePage) = (buckets * MemoryLayout<Bucket>.stride, 2 << 20)
        let alignment = bytes < hugePage ? 64 : hugePage
        guard let memory = unsafe calloc(1, bytes + alignment) else { fatalError("out of memory") }
        let raw = unsafe memory.alignedUp(toMultipleOf: alignment)
        if bytes >= hugePage { unsafe madvise(raw, bytes, Int32(MADV_HUGEPAGE)) }
        let arena = unsafe raw.bindMemory(to: Bucket.self, capacity: buckets)
        return unsafe (memory, arena, arena + buckets)
    }

    /// A segment that a split brings.
    static func makeSegment(_ buckets: Int) -> UnsafeMutablePointer<Bucket> {
        let raw = UnsafeMutableRawPointer.allocate(byteCount: buckets * MemoryLayout<Bucket>.stride, alignment: 64)
        let segment = unsafe raw.bindMemory(to: Bucket.self, capacity: buckets)
        for bucket in 0..<buckets { unsafe (segment + bucket).initialize(to: Bucket()) }
        return unsafe segment
    }

    /// The segment that a place belongs to now.
    @inline(__always)
    func segment(of place: UInt64) -> UnsafeMutablePointer<Bucket> {
        let mask = UInt64(1) << UInt64(depth.load(ordering: .acquiring)) - 1
        let segment = unsafe directory[Int(truncatingIfNeeded: place & mask)].load(ordering: .acquiring)
        return unsafe segment.unsafelyUnwrapped
    }

    /// The two buckets of a place, the same in every segment. They use the place's high half; the directory uses the low one.
    @inline(__always)
    func buckets(of place: UInt64) -> (first: Int, second: Int) {
        let count = UInt64(bucketsPerSegment)
        let first = Int(truncatingIfNeeded: (place >> 32 &* count) >> 32)
        let other = (place &* 0x9E37_79B9_7F4A_7C15) >> 32
        let second = Int(truncatingIfNeeded: (other &* count) >> 32)
        guard second == first else { return (first, second) }
        return (first, first + 1 == bucketsPerSegment ? 0 : first + 1)
    }

    /// Brings a place's first bucket into the cache. Of many places, one after the other, the memory fetches several at once.
    func fetchFirst(_ place: UInt64) { unsafe _ = segment(of: place)[buckets(of: place).first].readControl() }

    /// Brings its second bucket too, if the first says that it will be asked for.
    func fetchSecond(_ place: UInt64) {
        let (segment, places) = unsafe (segment(of: place), buckets(of: place))
        let control = unsafe segment[places.first].readControl()
        if control.isSpilled || control.freeSlot == nil { unsafe _ = segment[places.second].readControl() }
    }

    /// Whether the user is blocked in a scope of its directory that `fits`, by which sources. Called on any thread; never waits, never allocates.
    @inline(__always)
    func contains(_ key: UserKey, where fits: (Scope, BlockSources) -> Bool) -> Bool {
        let places = buckets(of: key.place)
        while true {
            let segment = unsafe segment(of: key.place)
            let first = unsafe segment[places.first].readControl()
            switch unsafe look(for: key, in: segment + places.first, seen: first, fits) {
            case .found(let answer): return answer
            case .changed: continue
            case .absent: break
            }
            guard first.isSpilled else {
                if unsafe isStill(segment, key.place), unsafe segment[places.first].isUnchanged(since: first) { return false }
                continue
            }
            let second = unsafe segment[places.second].readControl()
            switch unsafe look(for: key, in: segment + places.second, seen: second, fits) {
            case .found(let answer): return answer
            case .changed: continue
            case .absent: break
            }
            // Moved between the two, or to another segment, while we looked?
            if unsafe segment[places.second].isUnchanged(since: second), unsafe segment[places.first].isUnchanged(since: first),
                unsafe isStill(segment, key.place)
            {
                return false
            }
        }
    }

    private enum Look { case found(Bool), absent, changed }

    @inline(__always)
    private func look(for key: UserKey, in bucket: UnsafeMutablePointer<Bucket>, seen: Control, _ fits: (Scope, BlockSources) -> Bool)
        -> Look
    {
        for slot in 0..<Bucket.slots where seen.uses(slot) {
            guard unsafe bucket.pointee.holds(key.identity, in: slot) else { continue }
            let judged = unsafe judge(bucket.pointee.scope(slot), of: key, in: bucket, seen: seen, fits)
            guard unsafe bucket.pointee.isUnchanged(since: seen) else { return .changed }
            if let judged { return .found(judged) }
        }
        return .absent
    }

    /// Nil where the slot is of another directory. What this says counts only if the bucket is unchanged afterwards.
    private func judge(
        _ word: ScopeWord, of key: UserKey, in bucket: UnsafeMutablePointer<Bucket>, seen: Control, _ fits: (Scope, BlockSources) -> Bool
    ) -> Bool? {
        guard var next = word.list else {
            let scope = scopes.scope(word.scope)
            return scope.directory == key.directory ? fits(scope, word.sources) : nil
        }
        while true {
            let node = scopes.node(next)
            let scope = scopes.scope(node.word.scope)
            guard scope.directory == key.directory else { return nil }
            if fits(scope, node.word.sources) { return true }
            // A list that is taken apart under our eyes may lead anywhere, in circles too.
            guard let following = node.next, unsafe bucket.pointee.isUnchanged(since: seen) else { return false }
            next = following
        }
    }

    @inline(__always)
    private func isStill(_ segment: UnsafeMutablePointer<Bucket>, _ place: UInt64) -> Bool {
        atomicMemoryFence(ordering: .acquiring)
        return unsafe self.segment(of: place) == segment
    }
}
