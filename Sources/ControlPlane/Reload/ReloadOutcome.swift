/// What a reload came to.
package enum ReloadOutcome: Sendable {
    /// In force on every loop.
    case done(file: String, changes: [String], opened: [String], warnings: [Problem])
    /// The file says what it said before.
    case unchanged(file: String)
    /// Nothing has changed: every reason.
    case refused(file: String, problems: [Problem])
    /// The gateway is ending.
    case over

    /// For standard error; nil where there is nothing to tell. `isAsked`: somebody waits for an answer.
    func text(isAsked: Bool) -> String? {
        switch self {
        case .done(let file, let changes, let opened, let warnings):
            let listeners = opened.map { "; \($0)" }.joined()
            return CheckReport.problems(warnings) + "reloaded \(file): \(ConfigurationChanges.text(changes))\(listeners)"
        case .unchanged(let file): return isAsked ? "reloaded \(file): nothing has changed" : nil
        case .refused(let file, let problems):
            return CheckReport.problems(problems) + "reload refused: \(file) can't be put in force; what was before goes on"
        case .over: return nil
        }
    }

    var isOver: Bool { if case .over = self { true } else { false } }
}
