import Policy
import StrictJSON

/// One line of an import: `{"directory":"jitsudo","tenant":"…"?,"user":"…","reason":"…"?,"at":"…"?}` (SPEC §6).
struct ImportedLine {
    let subject: Subject
    let reason: String
    /// Milliseconds since 1970.
    let since: Int64?

    /// - Parameter resolve: finds the directory and reads the ids in its formats.
    init(_ line: Span<UInt8>, resolve: (NamedUser) throws(LineProblem) -> Subject) throws(LineProblem) {
        let document = try Self.document(line)
        var texts: [String: [UInt8]] = [:]
        try document.forEachMember(of: document.root) { name, value throws(LineProblem) in
            let key = String(decoding: document.string(name) ?? [], as: UTF8.self)
            guard Self.members.contains(key) else {
                throw LineProblem(text: "\"\(PlainText.shown(key, most: 64))\" is not a member of a suspension")
            }
            guard let text = document.string(value) else { throw LineProblem(text: "\"\(key)\" must be a string") }
            texts[key] = text
            return true
        }
        guard let directory = texts["directory"], let user = texts["user"] else {
            throw LineProblem(text: "\"directory\" and \"user\" are required")
        }
        subject = try resolve(NamedUser(directory: String(decoding: directory, as: UTF8.self), tenant: texts["tenant"], user: user))
        guard texts["reason"]?.count ?? 0 <= Limits.ledgerText else {
            throw LineProblem(text: "\"reason\" is longer than \(Limits.ledgerText) bytes")
        }
        reason = String(decoding: texts["reason"] ?? [], as: UTF8.self)
        since = try texts["at"].map { text throws(LineProblem) in
            guard let time = DateTime(text) else { throw LineProblem(text: "\"at\" must be a date-time like 2026-01-31T12:00:00Z") }
            return time.unixSeconds * 1000
        }
    }

    private static let members: Set<String> = ["directory", "tenant", "user", "reason", "at"]

    private static func document(_ line: Span<UInt8>) throws(LineProblem) -> JSONDocument {
        guard !line.isEmpty else { throw LineProblem(text: "the line is empty") }
        guard line.count <= Limits.importLine else { throw LineProblem(text: "longer than \(Limits.importLine) bytes") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(line.count)
        for index in line.indices { bytes.append(line[index]) }
        let document: JSONDocument
        do {
            document = try JSONDocument(bytes, limits: JSONLimits(bytes: Limits.importLine, depth: 1))
        } catch {
            throw LineProblem(text: error.description)
        }
        guard document.root.kind == .object else { throw LineProblem(text: "not a JSON object") }
        return document
    }
}

/// What is wrong with a line.
struct LineProblem: Error {
    let text: String
}

/// An import of which nothing was done, with every bad line.
package struct ImportRefused: Error, CustomStringConvertible {
    package struct Problem: Sendable, Equatable {
        /// Counted from 1.
        package let line: Int
        package let what: String
    }

    package let problems: [Problem]
    /// Further bad lines, which are only counted.
    package let unnamed: Int

    package init(problems: [Problem], unnamed: Int = 0) {
        self.problems = problems
        self.unnamed = unnamed
    }

    package var description: String {
        let lines = problems.map { "line \($0.line): \($0.what)" }
        let rest = unnamed > 0 ? ["and \(unnamed) more bad lines"] : []
        return (["Nothing was imported."] + lines + rest).joined(separator: "\n")
    }
}

/// The bad lines of an import: the first ones are named, all are counted.
struct ImportProblems {
    private var named: [ImportRefused.Problem] = []
    private var count = 0

    mutating func note(line: Int, _ what: String) {
        count += 1
        if named.count < Limits.importProblems { named.append(ImportRefused.Problem(line: line, what: what)) }
    }

    var refused: ImportRefused? { count > 0 ? ImportRefused(problems: named, unnamed: count - named.count) : nil }
}
