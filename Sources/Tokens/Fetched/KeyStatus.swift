package import Policy

/// How it stands with one origin's keys: for people, `/readyz` and metrics.
package struct KeyStatus: Equatable, Sendable {
    package let origin: KeyOrigin
    /// Milliseconds of the monotonic clock when the last good fetch ended; nil before the first.
    package var lastSuccess: Int64?
    /// The same in Unix seconds.
    package var lastSuccessUnix: Int64?
    /// Why the last fetch failed; nil where it was good, or none has ended.
    package var error: FetchFailure?
    /// When a fetch failed last; Unix seconds.
    package var lastErrorUnix: Int64?
    /// Keys in force; 0 where tokens are answered by `keysUnavailable`.
    package var keyCount = 0
    /// Bad keys of the last good set.
    package var leftOut: [KeyProblem] = []

    /// Whether tokens can be judged.
    package var isAvailable: Bool { keyCount > 0 }

    /// Milliseconds since the last good fetch.
    package func age(now: Int64) -> Int64? { lastSuccess.map { now - $0 } }

    /// A `kid` as it can be shown to a person: visible ASCII, not too much of it.
    package static func readable(_ kid: [UInt8]) -> String {
        let text = kid.prefix(64).map { 0x21...0x7E ~= $0 ? $0 : UInt8(ascii: "?") }
        return String(decoding: text, as: UTF8.self) + (kid.count > 64 ? "…" : "")
    }
}
