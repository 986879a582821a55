/// The calls of one dialect, matched on the path that is sent upstream (SPEC §5): `UpstreamPath` has been applied, the query is off.
package struct CallTable: Sendable {
    private let methods: [Calls]

    package enum Match: Equatable, Sendable {
        case none
        /// The call's place in the dialect's list; `user` is where its `{user}` stands in the path, still percent-encoded.
        case call(Int, user: Range<Int>?)
        /// The path differs from a call's only in case or in needless escapes, and is not exactly another more specific call's:
        /// a server that is lax about it would carry out that call unseen.
        case ambiguousPath
    }

    package init(_ calls: [DialectCall]) {
        var names: [[UInt8]] = []
        for call in calls where !names.contains(call.method) { names.append(call.method) }
        methods = names.map { name in Calls(calls, name) }
    }

    /// `path` is canonical; a trailing slash makes no difference. Allocates nothing.
    package func match(path: Span<UInt8>, method: Span<UInt8>) -> Match {
        let methods = methods.span
        for index in methods.indices where MethodRule.equals(methods[index].method, method) {
            switch methods[index].trie.match(path) {
            case .none: return .none
            case .misspelled, .ambiguous: return .ambiguousPath
            case .pattern(let found):
                let call = methods[index].calls[found]
                return .call(call.index, user: call.userSegment.map { Self.segment($0, of: path) })
            }
        }
        return .none
    }

    /// Where the segment of this number stands in a path that has it.
    private static func segment(_ number: Int, of path: Span<UInt8>) -> Range<Int> {
        var start = 1
        var remaining = number
        while remaining > 0, start < path.count {
            if path[start] == UInt8(ascii: "/") { remaining -= 1 }
            start += 1
        }
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
        return start..<end
    }

    /// The calls of one method.
    private struct Calls: Sendable {
        let method: [UInt8]
        let trie: PathTrie
        let calls: [(index: Int, userSegment: Int?)]

        init(_ calls: [DialectCall], _ method: [UInt8]) {
            let own = calls.indices.filter { calls[$0].method == method }
            self.method = method
            trie = PathTrie(own.map { calls[$0].pattern })
            self.calls = own.map { ($0, calls[$0].pattern.segment(named: "user")) }
        }
    }
}
