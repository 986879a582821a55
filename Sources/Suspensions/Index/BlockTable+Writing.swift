import Synchronization

/// Where a user stands in the table.
@safe struct SlotAddress {
    let bucket: UnsafeMutablePointer<Bucket>
    let slot: Int
}

/// The writer's side of the table: one thread at a time, which `SuspensionIndex` sees to.
///
/// Two orders keep readers right: a user who moves is written at the new place before it is taken from the old one, and a segment's new
/// half is in the directory before its users are taken from the old half. A reader that misses someone checks that neither happened.
/// The unsafe pointers are the table's own.
struct BlockTableWriter {
    private var book = ScopeBook()
    /// How many bits of the place each segment has in common, in the order of the directory.
    private var depths: [UInt8]
    /// Users that are blocked anywhere, by their directory's number.
    private(set) var users: [Int] = []

    init(_ table: borrowing BlockTable) {
        depths = Array(repeating: UInt8(table.depth.load(ordering: .relaxed)), count: 1 << table.depth.load(ordering: .relaxed))
    }

    // MARK: blocks

    /// The sources that stand for a user in a scope.
    func sources(of key: UserKey, in scope: Scope, _ table: borrowing BlockTable) -> BlockSources {
        guard let address = find(key, table) else { return [] }
        for entry in entries(of: address, table) where table.scopes.scope(entry.scope) == scope { return entry.sources }
        return []
    }

    /// Changes the sources that stand for a user in a scope: none takes the block away. Returns what stood before.
    mutating func change(
        _ key: UserKey, in scope: Scope, _ table: borrowing BlockTable, placing: (UInt128Pair, UInt32) -> UInt64,
        _ edit: (BlockSources) -> BlockSources
    ) -> BlockSources {
        guard let address = find(key, table) else {
            let sources = edit([])
            guard !sources.isEmpty else { return [] }
            insert(key, ScopeWord(scope: book.take(scope, in: table.scopes), sources: sources), table, placing)
            count(1, in: key.directory)
            return []
        }
        let words = entries(of: address, table)
        guard let position = words.firstIndex(where: { table.scopes.scope($0.scope) == scope }) else {
            let sources = edit([])
            guard !sources.isEmpty else { return [] }
            replace(address, of: key, by: words + [ScopeWord(scope: book.take(scope, in: table.scopes), sources: sources)], table)
            return []
        }
        let old = words[position]
        change(address, of: key, words, at: position, to: edit(old.sources), table)
        return old.sources
    }

    private mutating func change(
        _ address: SlotAddress, of key: UserKey, _ words: [ScopeWord], at position: Int, to sources: BlockSources,
        _ table: borrowing BlockTable
    ) {
        guard sources != words[position].sources else { return }
        var new = words
        if sources.isEmpty {
            new.remove(at: position)
        } else {
            new[position] = ScopeWord(scope: words[position].scope, sources: sources)
        }
        replace(address, of: key, by: new, table)
        if sources.isEmpty { book.release(words[position].scope, in: table.scopes) }
    }

    /// The scopes of a slot, whether it holds one or a list.
    private func entries(of address: SlotAddress, _ table: borrowing BlockTable) -> [ScopeWord] {
        let word = unsafe address.bucket.pointee.scope(address.slot)
        guard var next = word.list else { return [word] }
        var words: [ScopeWord] = []
        while true {
            let node = table.scopes.node(next)
            words.append(node.word)
            guard let following = node.next else { return words }
            next = following
        }
    }

    /// Shows a slot's new scopes at once: a list is built beside the old one, whose nodes are free only then.
    private mutating func replace(_ address: SlotAddress, of key: UserKey, by words: [ScopeWord], _ table: borrowing BlockTable) {
        let old = unsafe address.bucket.pointee.scope(address.slot)
        if words.isEmpty {
            unsafe address.bucket.pointee.publish(address.bucket.pointee.readControl().freeing(address.slot))
            count(-1, in: key.directory)
        } else if words.count == 1 {
            unsafe address.bucket.pointee.change(address.slot, to: words[0])
        } else {
            var next: Int?
            for word in words.reversed() {
                let node = book.takeNode()
                table.scopes.write(word, next: next, at: node)
                next = node
            }
            unsafe address.bucket.pointee.change(address.slot, to: ScopeWord(list: next.unsafelyUnwrapped))
        }
        var retired = old.list
        while let node = retired {
            retired = table.scopes.node(node).next
            book.release(node: node)
        }
    }

    private mutating func count(_ change: Int, in directory: UInt32) {
        while users.count <= Int(directory) { users.append(0) }
        users[Int(directory)] += change
    }

    // MARK: places

    private func find(_ key: UserKey, _ table: borrowing BlockTable) -> SlotAddress? {
        let segment = unsafe table.segment(of: key.place)
        let places = table.buckets(of: key.place)
        for choice in 0..<2 {
            let place = choice == 0 ? places.first : places.second
            let control = unsafe segment[place].readControl()
            for slot in 0..<Bucket.slots where control.uses(slot) {
                guard unsafe segment[place].holds(key.identity, in: slot) else { continue }
                let address = unsafe SlotAddress(bucket: segment + place, slot: slot)
                if directory(of: address, table) == key.directory { return address }
            }
            guard control.isSpilled else { return nil }
        }
        return nil
    }

    private func directory(of address: SlotAddress, _ table: borrowing BlockTable) -> UInt32 {
        let word = unsafe address.bucket.pointee.scope(address.slot)
        return table.scopes.scope(word.list.map { table.scopes.node($0).word.scope } ?? word.scope).directory
    }

    private mutating func insert(
        _ key: UserKey, _ word: ScopeWord, _ table: borrowing BlockTable, _ placing: (UInt128Pair, UInt32) -> UInt64
    ) {
        while true {
            let segment = unsafe table.segment(of: key.place)
            let places = table.buckets(of: key.place)
            if let slot = unsafe segment[places.first].readControl().freeSlot {
                unsafe segment[places.first].fill(slot, key.identity, word)
                return
            }
            if unsafe makeRoom(at: places.second, in: segment, table, placing),
                let slot = unsafe segment[places.second].readControl().freeSlot
            {
                unsafe segment[places.second].fill(slot, key.identity, word)
                unsafe markSpilled(segment + places.first)
                return
            }
            unsafe split(segment, at: key.place, table, placing)
        }
    }

    private func markSpilled(_ bucket: UnsafeMutablePointer<Bucket>) {
        let control = unsafe bucket.pointee.readControl()
        if !control.isSpilled { unsafe bucket.pointee.publish(control.spilled()) }
    }

    /// Moves users to their other bucket along the shortest way that ends in a free slot. False where there is none within reach.
    private func makeRoom(
        at start: Int, in segment: UnsafeMutablePointer<Bucket>, _ table: borrowing BlockTable, _ placing: (UInt128Pair, UInt32) -> UInt64
    ) -> Bool {
        if unsafe segment[start].readControl().freeSlot != nil { return true }
        var steps = [Step(bucket: start, from: 0, slot: 0)]
        var next = 0
        while next < steps.count {
            for slot in 0..<Bucket.slots {
                let other = unsafe otherBucket(
                    of: SlotAddress(bucket: segment + steps[next].bucket, slot: slot), at: steps[next].bucket, table, placing)
                if steps.contains(where: { $0.bucket == other }) { continue }
                steps.append(Step(bucket: other, from: next, slot: slot))
                if unsafe segment[other].readControl().freeSlot != nil {
                    unsafe move(along: steps, in: segment, table, placing)
                    return true
                }
            }
            next += 1
            if steps.count > Self.reach { return false }
        }
        return false
    }

    /// Buckets looked at for room before the segment is split.
    private static let reach = 96

    /// A bucket on the way, and which slot of the bucket before it would move there.
    private struct Step {
        let bucket: Int
        let from: Int
        let slot: Int
    }

    /// From the way's free end backwards: each user is written at the new place, then taken from the old one.
    private func move(
        along steps: [Step], in segment: UnsafeMutablePointer<Bucket>, _ table: borrowing BlockTable,
        _ placing: (UInt128Pair, UInt32) -> UInt64
    ) {
        var index = steps.count - 1
        while index > 0 {
            let step = steps[index]
            let source = unsafe segment + steps[step.from].bucket
            let target = unsafe segment + step.bucket
            let identity = unsafe source.pointee.identity(step.slot)
            let home = unsafe table.buckets(of: placing(identity, directory(of: SlotAddress(bucket: source, slot: step.slot), table))).first
            unsafe target.pointee.fill(target.pointee.readControl().freeSlot.unsafelyUnwrapped, identity, source.pointee.scope(step.slot))
            if home == steps[step.from].bucket { unsafe markSpilled(source) }
            unsafe source.pointee.publish(source.pointee.readControl().freeing(step.slot))
            index = step.from
        }
    }

    private func otherBucket(
        of address: SlotAddress, at bucket: Int, _ table: borrowing BlockTable, _ placing: (UInt128Pair, UInt32) -> UInt64
    ) -> Int {
        let identity = unsafe address.bucket.pointee.identity(address.slot)
        let places = table.buckets(of: placing(identity, directory(of: address, table)))
        return places.first == bucket ? places.second : places.first
    }

    // MARK: growth

    /// Gives half of a segment's users a segment of their own, at the same buckets and slots. About 100 microseconds; readers go on.
    private mutating func split(
        _ segment: UnsafeMutablePointer<Bucket>, at place: UInt64, _ table: borrowing BlockTable, _ placing: (UInt128Pair, UInt32) -> UInt64
    ) {
        let depth = table.depth.load(ordering: .relaxed)
        let own = Int(depths[Int(truncatingIfNeeded: place & (1 << UInt64(depth) - 1))])
        let bit = UInt64(1) << UInt64(own)
        if own == depth { double(table) }
        let half = unsafe BlockTable.makeSegment(table.bucketsPerSegment)
        unsafe forEachUser(of: segment, in: table, with: bit, placing) { bucket, slot in
            unsafe half[bucket].fill(slot, segment[bucket].identity(slot), segment[bucket].scope(slot))
        }
        for bucket in 0..<table.bucketsPerSegment where unsafe segment[bucket].readControl().isSpilled {
            unsafe markSpilled(half + bucket)
        }
        for slot in 0..<depths.count where UInt64(slot) & (bit - 1) == place & (bit - 1) {
            depths[slot] = UInt8(own + 1)
            if UInt64(slot) & bit != 0 { unsafe table.directory[slot].store(half, ordering: .releasing) }
        }
        atomicMemoryFence(ordering: .releasing)
        unsafe forEachUser(of: segment, in: table, with: bit, placing) { bucket, slot in
            unsafe segment[bucket].publish(segment[bucket].readControl().freeing(slot))
        }
    }

    /// Twice as many names for the same segments.
    private mutating func double(_ table: borrowing BlockTable) {
        let depth = table.depth.load(ordering: .relaxed)
        precondition(depth < BlockTable.maximumDepth, "more users than the suspension index can hold")
        for slot in 0..<1 << depth {
            unsafe (table.directory + slot + 1 << depth).initialize(to: Atomic(table.directory[slot].load(ordering: .relaxed)))
        }
        depths += depths
        table.depth.store(depth + 1, ordering: .releasing)
    }

    private func forEachUser(
        of segment: UnsafeMutablePointer<Bucket>, in table: borrowing BlockTable, with bit: UInt64,
        _ placing: (UInt128Pair, UInt32) -> UInt64,
        _ body: (_ bucket: Int, _ slot: Int) -> Void
    ) {
        for bucket in 0..<table.bucketsPerSegment {
            let control = unsafe segment[bucket].readControl()
            for slot in 0..<Bucket.slots where control.uses(slot) {
                let address = unsafe SlotAddress(bucket: segment + bucket, slot: slot)
                if unsafe placing(segment[bucket].identity(slot), directory(of: address, table)) & bit != 0 { body(bucket, slot) }
            }
        }
    }
}
