/// Patterns as sets of paths: what one covers, shares with another, and which of two that share a path is taken.
extension PathPattern {
    /// Whether every path that `other` matches is matched by this pattern.
    package func covers(_ other: PathPattern) -> Bool {
        for (index, own) in segments.enumerated() {
            if own == .rest { return true }
            guard index < other.segments.count else { return false }
            switch (own, other.segments[index]) {
            case (.literal(let left), .literal(let right)): guard left == right else { return false }
            case (.parameter, .literal), (.parameter, .parameter): continue
            default: return false
            }
        }
        return segments.count == other.segments.count
    }

    /// Whether some path is matched by both.
    package func overlaps(_ other: PathPattern) -> Bool { meet(other) != nil }

    /// Whether this pattern is taken before `other` on a path that both match: segment by segment a literal goes before
    /// `{name}` before `**`, and a pattern that ends before one that goes on with `**`. Never true both ways.
    package func isMoreSpecific(than other: PathPattern) -> Bool {
        for index in 0..<max(segments.count, other.segments.count) {
            let own = rank(index)
            let others = other.rank(index)
            if own != others { return own < others }
        }
        return false
    }

    /// The segments with parameter names left out: patterns of one shape match the same paths.
    package var shape: [Segment] {
        segments.map { segment in
            if case .parameter = segment { .parameter(name: "") } else { segment }
        }
    }

    /// The pattern of exactly those paths that both match; nil where there are none.
    package func meet(_ other: PathPattern) -> PathPattern? {
        var common: [Segment] = []
        for index in 0..<max(segments.count, other.segments.count) {
            let left = index < segments.count ? segments[index] : nil
            let right = index < other.segments.count ? other.segments[index] : nil
            if left == .rest { return PathPattern(segments: common + other.segments[min(index, other.segments.count)...]) }
            if right == .rest { return PathPattern(segments: common + segments[min(index, segments.count)...]) }
            guard let left, let right, let both = left.meet(right) else { return nil }
            common.append(both)
        }
        return PathPattern(segments: common)
    }

    /// A pattern made of segments that were read before.
    package init(segments: [Segment]) {
        self.segments = segments
        self.text = segments.isEmpty ? "/" : segments.map { "/" + $0.text }.joined()
    }

    private func rank(_ index: Int) -> Int {
        guard index < segments.count else { return 2 }
        return switch segments[index] {
        case .literal: 0
        case .parameter: 1
        case .rest: 3
        }
    }
}

extension PathPattern.Segment {
    fileprivate var text: String {
        switch self {
        case .literal(let bytes): String(decoding: bytes, as: UTF8.self)
        case .parameter(let name): "{\(name)}"
        case .rest: "**"
        }
    }

    /// The values that both take; neither is `.rest`.
    fileprivate func meet(_ other: Self) -> Self? {
        switch (self, other) {
        case (.literal(let left), .literal(let right)): left == right ? self : nil
        case (.parameter, _): other
        default: self
        }
    }
}
