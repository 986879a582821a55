/// A place in a file; line and column count from 1, columns in characters.
package struct Place: Hashable, Sendable {
    /// The file's path as it was given or as the file that names it spells it.
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

/// One thing that is wrong with the file: where, what, and what to do about it.
package struct Problem: Hashable, Sendable, Error {
    package enum Severity: String, Sendable {
        /// The file is refused.
        case error
        /// The file is taken; somebody should look.
        case warning
    }

    package var severity: Severity
    package var place: Place
    package var message: String
    package var remedy: String

    package init(_ severity: Severity = .error, at place: Place, _ message: String, fix remedy: String) {
        self.severity = severity
        self.place = place
        self.message = message
        self.remedy = remedy
    }

    /// `FILE:LINE:COLUMN: error: MESSAGE` and, below it, the remedy.
    package var text: String {
        "\(place.file):\(place.line):\(place.column): \(severity.rawValue): \(message)\n    fix: \(remedy)"
    }
}

/// Every problem found so far: reading goes on after each, so that one run of `check` names them all.
final class ProblemList {
    /// The files that were read, or that should have been there.
    let inputs = InputRecord()
    private(set) var all: [Problem] = []
    private var told: Set<Problem> = []

    var hasErrors: Bool { all.contains { $0.severity == .error } }

    /// In the order of files and lines.
    var sorted: [Problem] {
        var files: [String: Int] = [:]
        for problem in all where files[problem.place.file] == nil { files[problem.place.file] = files.count }
        return all.enumerated().sorted { left, right in
            let (a, b) = (left.element.place, right.element.place)
            let (fileA, fileB) = (files[a.file] ?? 0, files[b.file] ?? 0)
            return (fileA, a.line, a.column, left.offset) < (fileB, b.line, b.column, right.offset)
        }.map(\.element)
    }

    func error(_ place: Place, _ message: String, fix remedy: String) {
        add(Problem(.error, at: place, message, fix: remedy))
    }

    func warning(_ place: Place, _ message: String, fix remedy: String) {
        add(Problem(.warning, at: place, message, fix: remedy))
    }

    /// A value that is read twice is wrong once.
    private func add(_ problem: Problem) {
        if told.insert(problem).inserted { all.append(problem) }
    }
}
