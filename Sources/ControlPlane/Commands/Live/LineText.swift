import Policy
import StrictJSON

/// A line of a listing or of the log for a person at a terminal, made from its JSON.
enum LineText {
    /// The line itself where it is none of these.
    static func text(_ line: String) -> String {
        guard let document = try? JSONDocument(Array(line.utf8), limits: JSONLimits(bytes: 1 << 20, depth: 2)) else { return line }
        func text(_ name: String) -> String? {
            document.member(name, of: document.root).flatMap { document.string($0) }.map { PlainText.shown($0) }
        }
        guard let directory = text("directory"), let user = text("user"), let at = text("at") else { return line }
        let whom = "\(directory)  \(text("tenant").map { "tenant \($0)" } ?? "all tenants")  user \(user)"
        let reason = text("reason").map { "  (\($0))" } ?? ""
        if let wanted = text("unconfirmed") {
            return "UNKNOWN    \(whom)  \(wanted) by \(text("caller") ?? "?") at \(at): \(text("cause") ?? "?")"
        }
        if let to = text("to"), let from = text("from") {
            let number = document.member("number", of: document.root).map {
                String(decoding: document.bytes[$0.start..<$0.end], as: UTF8.self)
            }
            return "\(number ?? "")  \(at)  \(whom)  \(from) -> \(to)  source \(text("source") ?? "?"), \(text("learned") ?? "?"), "
                + "by \(text("actor") ?? "?")\(reason)"
        }
        let isContested = document.member("contested", of: document.root)?.kind == .true
        let state = isContested ? "CONTESTED" : "SUSPENDED"
        return "\(state)  \(whom)  by \(text("source") ?? "?") (\(text("learned") ?? "?")) since \(at)\(reason)"
    }
}
