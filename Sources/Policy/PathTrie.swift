/// Finds, among many patterns, the most specific one that matches a path (SPEC §5, "Route choice").
///
/// Literals are kept in a loose spelling (escapes decoded, ASCII in lower case), so that one walk sees both the pattern that the path
/// takes and a more specific one that it misses only by spelling. The walk goes literal, `{name}`, `**` at each segment and turns
/// back from dead ends: it visits each node at most once, is at most `Limits.patternSegments` deep, and allocates nothing.
struct PathTrie: Sendable {
    private var nodes: [Node] = []
    private var edges: [Edge] = []
    private var entries: [Entry] = []
    private var steps: [Step] = []
    /// The bytes of all literals, loose and as written.
    private var bytes: [UInt8] = []

    enum Match: Equatable {
        case none
        /// Nothing matches, but something would if the path were spelled as its pattern.
        case misspelled
        /// The place of the pattern in the list that the trie was made of.
        case pattern(Int)
        /// A pattern matches, and a more specific one would if the path were spelled differently.
        case ambiguous
    }

    /// `path` is canonical and has no query; one trailing slash makes no difference.
    func match(_ path: Span<UInt8>) -> Match {
        var end = path.count
        if end > 1, path[end - 1] == UInt8(ascii: "/") { end -= 1 }
        var misspelled = false
        let found = descend(0, path, 1, end, true, &misspelled)
        if found >= 0 { return misspelled ? .ambiguous : .pattern(found) }
        return misspelled ? .misspelled : .none
    }

    /// The first pattern in order of specificity that matches the segments from `start` on, or −1.
    ///
    /// `isSpelled`: so far the path is spelled as all patterns of this branch are; otherwise each is compared at its end.
    private func descend(
        _ index: Int, _ path: Span<UInt8>, _ start: Int, _ end: Int, _ isSpelled: Bool, _ misspelled: inout Bool
    ) -> Int {
        let node = nodes[index]
        guard start < end else {
            let found = settle(node.ends, path, end, isSpelled, &misspelled)
            return found >= 0 ? found : settle(node.rests, path, end, isSpelled, &misspelled)
        }
        let (stop, hash) = node.edges.count > 0 ? looseHash(path, start, end) : (segmentEnd(path, start, end), 0)
        if let edge = edge(of: node, path, start, stop, hash) {
            let found = descend(edge.node, path, stop + 1, end, isSpelled && edge.isSpelled, &misspelled)
            if found >= 0 { return found }
        }
        if node.parameter >= 0 {
            let found = descend(Int(node.parameter), path, stop + 1, end, isSpelled, &misspelled)
            if found >= 0 { return found }
        }
        return settle(node.rests, path, end, isSpelled, &misspelled)
    }

    /// Among patterns that differ only in spelling, the one that is spelled as the path.
    private func settle(_ slice: Slice, _ path: Span<UInt8>, _ end: Int, _ isSpelled: Bool, _ misspelled: inout Bool) -> Int {
        for index in slice.range where isSpelled || self.isSpelled(entries[index], path, end) { return Int(entries[index].pattern) }
        if slice.count > 0 { misspelled = true }
        return -1
    }

    private func isSpelled(_ entry: Entry, _ path: Span<UInt8>, _ end: Int) -> Bool {
        var start = 1
        for index in entry.steps.range {
            let step = steps[index]
            if step.isLiteral {
                guard start + step.text.count <= end else { return false }
                for offset in 0..<step.text.count where path[start + offset] != bytes[step.text.start + offset] { return false }
                start += step.text.count
                guard start == end || path[start] == UInt8(ascii: "/") else { return false }
            } else {
                start = segmentEnd(path, start, end)
            }
            start += 1
        }
        return true
    }

    private func edge(of node: Node, _ path: Span<UInt8>, _ start: Int, _ stop: Int, _ hash: UInt32) -> (node: Int, isSpelled: Bool)? {
        var low = node.edges.start
        var high = low + node.edges.count
        let beyond = high
        while low < high {
            let middle = (low + high) / 2
            if edges[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        while low < beyond, edges[low].hash == hash {
            let edge = edges[low]
            if equals(edge.spelling, path, start, stop) { return (Int(edge.node), true) }
            if equalsLoosely(edge.loose, path, start, stop) { return (Int(edge.node), false) }
            low += 1
        }
        return nil
    }

    private func equals(_ text: Slice, _ path: Span<UInt8>, _ start: Int, _ stop: Int) -> Bool {
        guard text.count == stop - start else { return false }
        for offset in 0..<text.count where path[start + offset] != bytes[text.start + offset] { return false }
        return true
    }

    private func equalsLoosely(_ text: Slice, _ path: Span<UInt8>, _ start: Int, _ stop: Int) -> Bool {
        var index = start
        for offset in text.range {
            guard index < stop, nextLoose(path, &index) == bytes[offset] else { return false }
        }
        return index == stop
    }
}

extension PathTrie {
    /// Patterns of one shape are one pattern to a trie; the first of them is found.
    init(_ patterns: [PathPattern]) {
        var drafts = [Draft()]
        for (number, pattern) in patterns.enumerated() {
            var place = 0
            for segment in pattern.segments where segment != .rest { place = Self.child(of: place, for: segment, in: &drafts) }
            if pattern.segments.last == .rest { drafts[place].rests.append(number) } else { drafts[place].ends.append(number) }
        }
        for draft in drafts {
            nodes.append(
                Node(
                    edges: store(draft.literals), parameter: Int32(draft.parameter ?? -1), ends: store(draft.ends, of: patterns),
                    rests: store(draft.rests, of: patterns)))
        }
    }

    private static func child(of place: Int, for segment: PathPattern.Segment, in drafts: inout [Draft]) -> Int {
        let next = drafts.count
        if case .literal(let text) = segment {
            let known = drafts[place].literals[loose(text), default: Draft.Literal(node: next)]
            drafts[place].literals[loose(text)] = Draft.Literal(node: known.node, spellings: known.spellings.union([text]))
            if known.node == next { drafts.append(Draft()) }
            return known.node
        }
        let known = drafts[place].parameter ?? next
        drafts[place].parameter = known
        if known == next { drafts.append(Draft()) }
        return known
    }

    private mutating func store(_ literals: [[UInt8]: Draft.Literal]) -> Slice {
        let start = edges.count
        for (loose, literal) in literals {
            let spelling = literal.spellings.count == 1 ? literal.spellings.first : nil
            edges.append(Edge(hash: hashOfLoose(loose), node: Int32(literal.node), loose: store(loose), spelling: store(spelling ?? [])))
        }
        edges[start...].sort { $0.hash < $1.hash }
        return Slice(start: start, count: literals.count)
    }

    private mutating func store(_ numbers: [Int], of patterns: [PathPattern]) -> Slice {
        let start = entries.count
        for number in numbers {
            let first = steps.count
            for segment in patterns[number].segments where segment != .rest {
                if case .literal(let text) = segment {
                    steps.append(Step(isLiteral: true, text: store(text)))
                } else {
                    steps.append(Step(isLiteral: false, text: Slice(start: 0, count: 0)))
                }
            }
            entries.append(Entry(pattern: Int32(number), steps: Slice(start: first, count: steps.count - first)))
        }
        return Slice(start: start, count: numbers.count)
    }

    private mutating func store(_ text: [UInt8]) -> Slice {
        bytes += text
        return Slice(start: bytes.count - text.count, count: text.count)
    }

    private static func loose(_ text: [UInt8]) -> [UInt8] {
        var index = 0
        var loose: [UInt8] = []
        while index < text.count { loose.append(nextLoose(text.span, &index)) }
        return loose
    }

    /// A node while the trie is made.
    private struct Draft {
        var literals: [[UInt8]: Literal] = [:]
        var parameter: Int?
        var ends: [Int] = []
        var rests: [Int] = []

        struct Literal {
            let node: Int
            /// As the patterns write it.
            var spellings: Set<[UInt8]> = []
        }
    }

    /// A piece of one of the trie's arrays.
    private struct Slice {
        private let first: Int32
        private let length: Int32

        init(start: Int, count: Int) { (first, length) = (Int32(start), Int32(count)) }

        var start: Int { Int(first) }
        var count: Int { Int(length) }
        var range: Range<Int> { start..<(start + count) }
    }

    private struct Node {
        /// Children by literal, sorted by hash.
        let edges: Slice
        /// The child by `{name}`, or −1.
        let parameter: Int32
        /// Entries of patterns that end here, and of those that go on with `**`.
        let ends: Slice
        let rests: Slice
    }

    private struct Edge {
        let hash: UInt32
        let node: Int32
        /// The literal in loose spelling.
        let loose: Slice
        /// As every pattern of this branch spells it; empty where they differ.
        let spelling: Slice
    }

    private struct Entry {
        let pattern: Int32
        let steps: Slice
    }

    private struct Step {
        let isLiteral: Bool
        /// The literal as the pattern spells it.
        let text: Slice
    }
}

/// The loose value of the next character of `text`: its escape decoded, ASCII in lower case.
@inline(__always)
private func nextLoose(_ text: Span<UInt8>, _ index: inout Int) -> UInt8 {
    let byte = text[index]
    if byte == UInt8(ascii: "%"), let decoded = escapedByte(text, at: index) {
        index += 3
        return lowercased(decoded)
    }
    index += 1
    return lowercased(byte)
}

@inline(__always)
private func segmentEnd(_ path: Span<UInt8>, _ start: Int, _ end: Int) -> Int {
    var index = start
    while index < end, path[index] != UInt8(ascii: "/") { index += 1 }
    return index
}

/// The end of the segment that starts at `start`, and FNV-1a over its loose bytes.
@inline(__always)
private func looseHash(_ path: Span<UInt8>, _ start: Int, _ end: Int) -> (stop: Int, hash: UInt32) {
    var hash = FNV1a()
    var index = start
    while index < end, path[index] != UInt8(ascii: "/") { hash.add(nextLoose(path, &index)) }
    return (index, hash.value)
}

private func hashOfLoose(_ text: [UInt8]) -> UInt32 {
    var hash = FNV1a()
    for byte in text { hash.add(byte) }
    return hash.value
}

/// FNV-1a, 32 bits: finds literals of the file, whose bytes are compared then; what a client can make collide costs it nothing.
struct FNV1a {
    private(set) var value: UInt32 = 0x811C_9DC5

    @inline(__always)
    mutating func add(_ byte: UInt8) { value = (value ^ UInt32(byte)) &* 0x0100_0193 }
}
