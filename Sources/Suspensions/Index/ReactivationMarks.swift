package import Policy
import Synchronization

/// When users were last reactivated, in memory: asked on requests whose credential block wants tokens that are newer than that.
///
/// A table of fixed size: a mark's set is one element with room for `ways` marks. Where a set is full, the new mark takes the oldest one's
/// place, and that one's time becomes the set's floor: from then on everybody of the set counts as reactivated at least then. So nobody is
/// ever forgotten, and what a flood of reactivations costs is that some users need a new token who would not have needed one.
///
/// Questions are lock-free, allocate nothing and touch two cache lines. One writer at a time.
struct ReactivationMarks: ~Copyable, Sendable {
    /// Seven marks, their times and the floor: 15 words of 16.
    private static let ways = 7
    private static let words = 16
    private static let floorWord = 0

    /// Fixed at `Limits.reactivationSets`, but for tests.
    private let setCount: Int
    private let sets = GrowingArray(wordsPerElement: words)

    init(setCount: Int = Limits.reactivationSets) { self.setCount = setCount }

    /// Unix seconds; 0 for never. A mark is not 0.
    func last(_ mark: UInt64) -> Int64 {
        let set = set(of: mark)
        while true {
            var time: UInt64 = 0
            if let way = (0..<Self.ways).first(where: { sets.load(set, word: Self.tagWord($0)) == mark }) {
                atomicMemoryFence(ordering: .acquiring)
                time = sets.load(set, word: Self.timeWord(way))
                atomicMemoryFence(ordering: .acquiring)
                // Another mark has taken its place meanwhile: its time is in the floor by now.
                guard sets.load(set, word: Self.tagWord(way)) == mark else { continue }
            }
            atomicMemoryFence(ordering: .acquiring)
            return Int64(max(time, sets.load(set, word: Self.floorWord)))
        }
    }

    /// The writer's: seen by everybody who sees what the writer publishes after this. A time that is earlier than the last one changes nothing.
    func note(_ mark: UInt64, at seconds: Int64) {
        let set = set(of: mark)
        let time = UInt64(max(seconds, 1))
        if let way = (0..<Self.ways).first(where: { sets.load(set, word: Self.tagWord($0)) == mark }) {
            let before = sets.load(set, word: Self.timeWord(way))
            return sets.store(max(before, time), at: set, word: Self.timeWord(way))
        }
        // Empty places have the time 0 and are taken first.
        let way = (0..<Self.ways).min { sets.load(set, word: Self.timeWord($0)) < sets.load(set, word: Self.timeWord($1)) }!
        let oldest = sets.load(set, word: Self.timeWord(way))
        if oldest > sets.load(set, word: Self.floorWord) { sets.store(oldest, at: set, word: Self.floorWord) }
        atomicMemoryFence(ordering: .releasing)
        sets.store(0, at: set, word: Self.tagWord(way))
        atomicMemoryFence(ordering: .releasing)
        sets.store(time, at: set, word: Self.timeWord(way))
        atomicMemoryFence(ordering: .releasing)
        sets.store(mark, at: set, word: Self.tagWord(way))
    }

    private func set(of mark: UInt64) -> Int { Int(truncatingIfNeeded: mark.multipliedFullWidth(by: UInt64(setCount)).high) }
    private static func tagWord(_ way: Int) -> Int { 1 + way }
    private static func timeWord(_ way: Int) -> Int { 1 + ways + way }
}

/// For which tenants a user was reactivated.
enum ReactivationPlace {
    /// Wherever it was: the latest of all.
    case anywhere
    /// In the whole directory.
    case everyTenant
    case tenant(UInt128Pair)
}

extension SuspensionIndex {
    /// Whether the user was last reactivated in this second or later, for what a request asks. It is the same question as `isSuspended`,
    /// and to be asked after that one: whoever is no longer found there is found here.
    ///
    /// - Parameter seconds: Unix time.
    package func wasReactivated(since seconds: Int64, _ user: UserID, in directory: DirectoryIndex, asking: TenantQuestion) -> Bool {
        let key = key(of: user, in: directory)
        func isSince(_ place: ReactivationPlace) -> Bool { marks.last(keys.mark(of: key, place)) >= seconds }
        guard isSince(.anywhere) else { return false }
        switch asking {
        case .selected(let tenant): return isSince(.everyTenant) || isSince(.tenant(keys.identity(tenant.id)))
        case .among(let tenants):
            return isSince(.everyTenant) || tenants.contains { isSince(.tenant(keys.identity($0.id))) }
        case .unknown: return isSince(.everyTenant) || reaches[directory] == .tenant
        }
    }

    /// Notes that a subject is reactivated, at a time in Unix milliseconds. To be called before its block is taken out.
    package func noteReactivation(of subject: Subject, at milliseconds: Int64) {
        let key = key(of: subject.user, in: subject.directory)
        let place = subject.tenant.map { ReactivationPlace.tenant(keys.identity($0)) } ?? .everyTenant
        writer.withLock { _ in
            for place in [place, .anywhere] { marks.note(keys.mark(of: key, place), at: milliseconds / 1000) }
        }
    }
}

extension KeyMaker {
    /// A number, not 0, for a user and the tenants that it was reactivated for.
    fileprivate func mark(of key: UserKey, _ place: ReactivationPlace) -> UInt64 {
        let directory = UInt64(key.directory)
        let mark =
            switch place {
            case .anywhere: mix.place(key.identity, salt: directory | 1 << 32)
            case .everyTenant: mix.place(key.identity, salt: directory | 2 << 32)
            case .tenant(let tenant): mix.place(tenant, salt: mix.place(key.identity, salt: directory | 3 << 32))
            }
        return mark | 1
    }
}
