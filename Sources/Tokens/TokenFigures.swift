/// How a memory of tokens does: what it holds, and what it has answered.
package struct TokenFigures: Sendable, Equatable {
    /// Tokens held now, and the bytes that they take.
    package var entries = 0
    package var bytes = 0
    /// Questions answered from memory, and those that took a verification.
    package var hits = 0
    package var misses = 0

    package init() {}

    /// What is held and what was answered, of both together.
    package mutating func add(_ other: Self) {
        entries += other.entries
        bytes += other.bytes
        hits += other.hits
        misses += other.misses
    }

    /// What stays of it when the memory itself goes.
    package var retired: Self {
        var rest = self
        rest.entries = 0
        rest.bytes = 0
        return rest
    }
}

extension TokenMemory {
    package var figures: TokenFigures {
        var figures = TokenFigures()
        figures.entries = count
        figures.bytes = bytes
        figures.hits = hits
        figures.misses = misses
        return figures
    }
}
