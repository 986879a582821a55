/// Aliases that wait for their turn, in the order in which they came.
struct AliasLine {
    private var keys: [AliasKey] = []
    private var start = 0

    var isEmpty: Bool { start == keys.count }

    mutating func append(_ key: AliasKey) { keys.append(key) }

    mutating func next() -> AliasKey? {
        guard start < keys.count else { return nil }
        defer {
            start += 1
            if start == keys.count { (keys, start) = ([], 0) }
        }
        return keys[start]
    }
}
