/// How large and how deep a document may be: checked before and while it is read, never after.
package struct JSONLimits: Sendable, Equatable {
    /// Bytes of the whole text.
    package let bytes: Int
    /// Arrays and objects inside each other; `[]` is 1 deep, a bare number 0.
    package let depth: Int

    /// Both are capped: offsets are kept in 32 bits, and the reader descends by recursion.
    package init(bytes: Int, depth: Int) {
        self.bytes = min(bytes, 1 << 30)
        self.depth = min(depth, 128)
    }

    /// A token's header or payload: 64 KiB (no token is longer, SPEC §2), depth 16.
    package static let token = JSONLimits(bytes: 64 * 1024, depth: 16)
    /// A key set: 1 MiB, depth 16 (SPEC §2).
    package static let keySet = JSONLimits(bytes: 1024 * 1024, depth: 16)
    /// An upstream's answer: 1 MiB (SPEC §4); depth 64, because user metadata is the service's own affair.
    package static let answer = JSONLimits(bytes: 1024 * 1024, depth: 64)
    /// A suspend call's body: 64 KiB (SPEC §4).
    package static let intent = JSONLimits(bytes: 64 * 1024, depth: 64)
}
