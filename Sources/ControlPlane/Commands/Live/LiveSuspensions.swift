import Foundation
import Policy
import StrictJSON
import Synchronization

/// `tenantgate suspensions …` on a running gateway, through its admin API.
struct LiveSuspensions {
    private let options: AdminOptions

    init(_ options: AdminOptions) { self.options = options }

    /// Whom and why, as JSON.
    struct Wish {
        let directory: String
        let tenant: String?
        let user: String
        let reason: String
        var source: String?

        var json: [UInt8] {
            var json = JSONWriter()
            json.beginObject()
            json.member("directory", directory)
            if let tenant { json.member("tenant", tenant) }
            json.member("user", user)
            json.member("reason", reason)
            if let source { json.member("source", source) }
            json.endObject()
            return json.bytes
        }

        var text: String {
            let place = tenant.map { "tenant \(PlainText.shown($0))" } ?? "all tenants"
            return "user \(PlainText.shown(user)) in \(place) of directory \(PlainText.shown(directory))"
        }
    }

    func add(_ wish: Wish) throws(CommandFailure) -> String {
        let answer = try post("/api/suspensions", "application/json", wish.json)
        let isNew = answer.flag("changed")
        let done =
            isNew
            ? "\(wish.text) is blocked now: on every loop, open work cut, and on disk"
            : "\(wish.text) was blocked by an operator already"
        return done + answer.reach
    }

    func lift(_ wish: Wish) throws(CommandFailure) -> String {
        let answer = try post("/api/suspensions/lift", "application/json", wish.json)
        let lifted = answer.texts("lifted")
        let done =
            !lifted.isEmpty
            ? "\(wish.text): lifted the block of \(lifted.joined(separator: " and "))"
            : answer.flag("settled") ? "\(wish.text): what an unconfirmed call left open is settled" : "\(wish.text): nothing was lifted"
        let standing = answer.standing
        return standing.isEmpty ? done : done + "\nSTILL REFUSED: " + standing.joined(separator: ", ")
    }

    /// `note` gets what the list leaves out.
    func list(_ filter: SuspensionsCommand.Filter, _ write: (String) -> Void, note: (String) -> Void) throws(CommandFailure) {
        let client = try client(changes: false)
        let unknown = try Lines(client.ask("GET", "/api/unconfirmed?limit=\(Limits.adminPage)"))
        for call in unknown.elements("calls") where filter.takes(call) { write(call) }
        if unknown.flag("more") {
            note(
                "Of \(unknown.number("unconfirmed_users") ?? 0) users the last call's outcome is unknown, and only the newest "
                    + "\(Limits.adminPage) of these calls were looked at. The others show as these are settled.")
        }
        var cursor: String?
        repeat {
            let query = [("limit", "\(Limits.adminPage)"), ("cursor", cursor)] + filter.members
            let page = try Lines(client.ask("GET", "/api/suspensions?" + Self.query(query)))
            for block in page.elements("suspensions") { write(block) }
            cursor = page.text("next")
        } while cursor != nil
    }

    func export(_ write: @escaping @Sendable (String) -> Void) throws(CommandFailure) {
        // Pieces end anywhere, in the middle of a character too.
        let lines = LineSplitter { write($0 + "\n") }
        _ = try client(changes: false).ask("GET", "/api/suspensions/export") { lines.take($0) }
    }

    /// Oldest first, from the entry after `number` on; `follows` goes on until it is ended.
    func log(after number: Int64, follows: Bool, _ write: @escaping @Sendable (String) -> Void) throws(CommandFailure) {
        let client = try client(changes: false)
        guard !follows else {
            let lines = LineSplitter(write)
            _ = try client.ask("GET", "/api/log?follow=true&after=\(number)") { lines.take($0) }
            return
        }
        var last = number
        while true {
            let page = try Lines(client.ask("GET", "/api/log?after=\(last)&limit=\(Limits.adminPage)"))
            let entries = page.elements("entries")
            for entry in entries { write(entry) }
            guard entries.count == Limits.adminPage, let next = Lines(Array(entries[entries.count - 1].utf8)).number("number") else {
                return
            }
            last = next
        }
    }

    /// Checks all parts first, so that a bad line refuses the whole file, and every bad line is named; then sends them.
    func importFile(_ lines: LineFile) throws(CommandFailure) -> String {
        let client = try client(changes: true)
        for isTrial in [true, false] {
            let parts = ImportParts(lines)
            var refused: [String] = []
            var reach = ""
            while refused.count < Self.refusedParts, let part = try parts.next() {
                do throws(CommandFailure) {
                    let answer = try client.ask(
                        "POST", "/api/suspensions/import" + (isTrial ? "?dry_run=true" : ""), body: (AdminAnswer.lines, part.bytes),
                        firstLine: part.first)
                    // The last one's: whoever has that has those before it.
                    reach = Lines(answer).reach
                } catch {
                    let place = part.first > 1 ? "Lines \(part.first)…\(parts.count): " : ""
                    if isTrial, error.code == AdminRefusal.importRefused.rawValue {
                        refused.append(place + error.description)
                    } else {
                        let done = isTrial || part.first == 1 ? "" : "\nLines 1…\(part.first - 1) are imported. Repeat the whole file."
                        throw CommandFailure(place + error.description + done)
                    }
                }
            }
            guard refused.isEmpty else { throw CommandFailure(refused.joined(separator: "\n")) }
            if !isTrial { return "imported \(parts.count) line\(parts.count == 1 ? "" : "s")\(reach)" }
        }
        return ""
    }

    /// Parts with bad lines after which a file isn't read on: it is the wrong one.
    private static let refusedParts = 10

    /// Has users compared now and waits for the end: a line for each directory. Fails where a run stopped or asks.
    func reconcile(_ directory: String?, apply: Bool) throws(CommandFailure) -> String {
        let client = try client(changes: true)
        _ = try client.ask("POST", "/api/reconcile?" + Self.query([("directory", directory), ("apply", apply ? "true" : "false")]))
        while true {
            let answer = Lines(try client.ask("GET", "/api/reconcile"))
            guard answer.flag("running") else { return try Self.words(answer, directory) }
            Thread.sleep(forTimeInterval: 0.2)
        }
    }

    private static func words(_ answer: Lines, _ directory: String?) throws(CommandFailure) -> String {
        let runs = answer.elements("directories").map { Lines(Array($0.utf8)) }.filter {
            directory == nil || $0.text("directory") == directory
        }
        let words = runs.map { "\(PlainText.shown($0.text("directory") ?? "")): \(PlainText.shown($0.text("words") ?? "not run yet"))" }
            .joined(separator: "\n")
        guard runs.allSatisfy({ $0.text("ending") == "done" }) else { throw CommandFailure(words) }
        return words
    }

    // MARK: asking

    private func client(changes: Bool) throws(CommandFailure) -> AdminClient { AdminClient(try options.target(changes: changes)) }

    private func post(_ path: String, _ type: String, _ body: [UInt8]) throws(CommandFailure) -> Lines {
        Lines(try client(changes: true).ask("POST", path, body: (type, body)))
    }

    private static func query(_ members: [(String, String?)]) -> String {
        let allowed = CharacterSet.alphanumerics.intersection(CharacterSet(charactersIn: "\0"..."\u{7F}")).union(
            CharacterSet(charactersIn: "-._~"))
        return members.compactMap { name, value in
            value.map { "\(name)=\($0.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")" }
        }.joined(separator: "&")
    }
}

extension SuspensionsCommand.Filter {
    fileprivate var members: [(String, String?)] { [("directory", directory), ("tenant", tenant), ("user", user), ("source", source)] }

    /// Whether a call whose outcome is unknown is one of these. Ids are compared as they are listed.
    func takes(_ line: String) -> Bool {
        let call = Lines(Array(line.utf8))
        return [("directory", directory), ("tenant", tenant), ("user", user)].allSatisfy { name, wanted in
            wanted == nil || call.text(name)?.lowercased() == wanted?.lowercased()
        }
    }
}

/// An answer's JSON.
private struct Lines {
    private let document: JSONDocument?

    init(_ bytes: [UInt8]) { document = try? JSONDocument(bytes, limits: JSONLimits(bytes: 16 * Limits.learnedAnswer, depth: 8)) }

    private func value(_ name: String) -> JSONValue? { document.flatMap { $0.member(name, of: $0.root) } }

    func text(_ name: String) -> String? { value(name).flatMap { document?.string($0) }.map { String(decoding: $0, as: UTF8.self) } }

    func flag(_ name: String) -> Bool { value(name)?.kind == .true }

    func number(_ name: String) -> Int64? {
        guard let document, let value = value(name), value.kind == .number else { return nil }
        return Int64(String(decoding: document.bytes[value.start..<value.end], as: UTF8.self))
    }

    /// An array's objects, each as JSON.
    func elements(_ name: String) -> [String] {
        guard let document, let array = value(name) else { return [] }
        var elements: [String] = []
        document.forEachElement(of: array) { element in
            elements.append(String(decoding: document.bytes[element.start..<element.end], as: UTF8.self))
            return true
        }
        return elements
    }

    func texts(_ name: String) -> [String] {
        guard let document, let array = value(name) else { return [] }
        var texts: [String] = []
        document.forEachElement(of: array) { element in
            if let text = document.string(element) { texts.append(String(decoding: text, as: UTF8.self)) }
            return true
        }
        return texts
    }

    /// What stands after a lift, in words.
    var standing: [String] {
        elements("stands").map { element in
            let block = Lines(Array(element.utf8))
            let place = block.text("tenant").map { "in tenant \(PlainText.shown($0))" } ?? "in all tenants"
            return "\(place) by \(PlainText.shown(block.text("source") ?? ""))" + (block.flag("contested") ? Self.contested : "")
        }
    }

    private static let contested = """
         (another gateway of the fleet blocked this user at the same time, so the block stays: look at `log`, then lift once more if you mean \
        to)
        """

    /// How far a suspension reaches, in words behind it; nothing for a gateway by itself.
    var reach: String {
        guard let link = text("fleet") else { return "" }
        if text("reach") == "fleet" { return ", at every gateway of the fleet" }
        if link == "joined" { return ", at this gateway; the others follow" }
        return ".\nONLY AT THIS GATEWAY for now: the fleet's database can't be used. It reaches the others when that is back."
    }
}

/// Makes lines of what comes in pieces; empty ones only show that it goes on.
private final class LineSplitter: Sendable {
    private let rest = Mutex<[UInt8]>([])
    private let write: @Sendable (String) -> Void

    init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }

    func take(_ piece: [UInt8]) {
        let lines = rest.withLock { rest -> [ArraySlice<UInt8>] in
            rest += piece
            var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            rest = Array(lines.removeLast())
            return lines
        }
        for line in lines where !line.isEmpty { write(String(decoding: line, as: UTF8.self)) }
    }
}

/// A file of lines in parts that the admin listener takes.
private final class ImportParts {
    struct Part {
        /// The number of its first line in the file.
        let first: Int
        let bytes: [UInt8]
    }

    private let lines: LineFile
    private var read: (() throws -> [UInt8]?)?
    private var held: [UInt8]?
    /// Lines so far.
    private(set) var count = 0

    /// Lines of a part: answered in a second or so.
    private static let most = 20_000

    init(_ lines: LineFile) { self.lines = lines }

    /// Nil at the end.
    func next() throws(CommandFailure) -> Part? {
        do {
            if read == nil { read = try lines.open() }
            let first = count + 1
            var bytes: [UInt8] = []
            while count - first + 1 < Self.most, let line = try held ?? read?() {
                held = nil
                guard bytes.isEmpty || bytes.count + line.count < Limits.adminImportBody / 2 else {
                    held = line
                    break
                }
                bytes += line + [UInt8(ascii: "\n")]
                count += 1
            }
            return bytes.isEmpty ? nil : Part(first: first, bytes: bytes)
        } catch {
            throw CommandFailure("\(error)")
        }
    }
}
