import Policy

/// Where a slot's user is blocked, in 32 bits: one scope with the sources that stand for it, or the head of a list of such.
struct ScopeWord: Equatable {
    var word: UInt32

    private static let listBit: UInt32 = 1 << 31
    /// Numbers of scopes end here.
    static let scopeCapacity = 1 << 29

    init(word: UInt32) { self.word = word }
    init(scope: Int, sources: BlockSources) { word = UInt32(scope) | UInt32(sources.rawValue) << 29 }
    init(list: Int) { word = UInt32(list) | Self.listBit }

    /// The list's first node, where there are several scopes.
    var list: Int? { word & Self.listBit != 0 ? Int(word & ~Self.listBit) : nil }
    var scope: Int { Int(word & UInt32(Self.scopeCapacity - 1)) }
    var sources: BlockSources { BlockSources(rawValue: UInt8(truncatingIfNeeded: word >> 29 & 3)) }
}

/// What a scope number stands for: a directory, and one tenant or all of them.
struct Scope: Hashable {
    let directory: UInt32
    /// Nil means all tenants.
    let tenant: UInt128Pair?
}

/// The scopes in use and the lists of those who are blocked in several: shared memory that readers follow from a slot.
///
/// Numbers are used again when nobody is blocked there any more. A reader that followed an old number finds out by its bucket's control.
struct ScopeTable: ~Copyable, Sendable {
    private let scopes = GrowingArray(wordsPerElement: 3)
    private let nodes = GrowingArray(wordsPerElement: 1)

    /// What stands at a number now.
    func scope(_ number: Int) -> Scope {
        let head = scopes.load(number)
        guard head >> 32 != 0 else { return Scope(directory: UInt32(truncatingIfNeeded: head), tenant: nil) }
        return Scope(
            directory: UInt32(truncatingIfNeeded: head),
            tenant: UInt128Pair(first: scopes.load(number, word: 1), second: scopes.load(number, word: 2)))
    }

    /// A list's node: a scope with its sources, and the next node.
    func node(_ number: Int) -> (word: ScopeWord, next: Int?) {
        let node = nodes.load(number)
        let next = Int(node >> 32)
        return (ScopeWord(word: UInt32(truncatingIfNeeded: node)), next == 0 ? nil : next - 1)
    }

    func write(_ scope: Scope, at number: Int) {
        scopes.store(UInt64(scope.directory) | (scope.tenant == nil ? 0 : 1 << 32), at: number)
        scopes.store(scope.tenant?.first ?? 0, at: number, word: 1)
        scopes.store(scope.tenant?.second ?? 0, at: number, word: 2)
    }

    func write(_ word: ScopeWord, next: Int?, at number: Int) {
        nodes.store(UInt64(word.word) | UInt64(next.map { $0 + 1 } ?? 0) << 32, at: number)
    }
}

/// The writer's book of numbers: which scope has which, how often it is used, and which are free.
struct ScopeBook {
    private var numbers: [Scope: Int] = [:]
    private var uses: [UInt32] = []
    private var freeScopes: [Int] = []
    private var freeNodes: [Int] = []
    private var nodeCount = 0
    /// The last one asked for: a ledger gives its blocks scope by scope.
    private var last: (scope: Scope, number: Int)?

    /// The number of a scope, counted as used once more.
    mutating func take(_ scope: Scope, in table: borrowing ScopeTable) -> Int {
        if let last, last.scope == scope {
            uses[last.number] += 1
            return last.number
        }
        if let number = numbers[scope] {
            last = (scope, number)
            uses[number] += 1
            return number
        }
        let number = freeScopes.popLast() ?? uses.count
        precondition(number < ScopeWord.scopeCapacity, "more tenants than the suspension index can number")
        if number == uses.count { uses.append(0) }
        table.write(scope, at: number)
        numbers[scope] = number
        uses[number] = 1
        return number
    }

    /// One use less. To be called when no slot shows the number any more.
    mutating func release(_ number: Int, in table: borrowing ScopeTable) {
        uses[number] -= 1
        guard uses[number] == 0 else { return }
        numbers[table.scope(number)] = nil
        last = nil
        freeScopes.append(number)
    }

    mutating func takeNode() -> Int {
        if let free = freeNodes.popLast() { return free }
        precondition(nodeCount < GrowingArray.capacity, "more blocks than the suspension index can hold")
        nodeCount += 1
        return nodeCount - 1
    }

    mutating func release(node: Int) { freeNodes.append(node) }
}
