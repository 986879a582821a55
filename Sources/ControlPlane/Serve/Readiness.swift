/// Whether requests should be sent here, and why not: what `/readyz` says.
package struct Readiness: Sendable, Equatable {
    /// Why not; ready where there are none.
    package var reasons: [String] = []
    /// What is worth knowing and keeps nobody out.
    package var notices: [String] = []

    package init() {}

    package var isReady: Bool { reasons.isEmpty }

    /// A line each: `ready`, or `not ready: ` and a reason; then `notice: ` and what is worth knowing.
    var text: String {
        let verdict = isReady ? ["ready"] : reasons.map { "not ready: \($0)" }
        return (verdict + notices.map { "notice: \($0)" }).map { $0.oneLine + "\n" }.joined()
    }
}

extension String {
    /// Errors of the system may be told in several lines.
    fileprivate var oneLine: String { split { $0.isNewline }.joined(separator: " ") }
}
