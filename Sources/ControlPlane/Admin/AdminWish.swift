import Policy
import StrictJSON
import Suspensions

/// Whom an operator means, and why: a request's JSON.
struct AdminWish: Sendable {
    let user: NamedUser
    let reason: String
    let source: BlockSource?

    init(_ body: [UInt8], takesSource: Bool) throws(AdminProblem) {
        let document: JSONDocument
        do { document = try JSONDocument(body, limits: JSONLimits(bytes: Limits.adminBody, depth: 1)) } catch {
            throw AdminProblem("The body is not one JSON object of strings: \(error).")
        }
        guard document.root.kind == .object else { throw AdminProblem("The body is not a JSON object.") }
        var texts: [String: [UInt8]] = [:]
        let known = ["directory", "tenant", "user", "reason"] + (takesSource ? ["source"] : [])
        try document.forEachMember(of: document.root) { name, value throws(AdminProblem) in
            let key = String(decoding: document.string(name) ?? [], as: UTF8.self)
            guard known.contains(key) else {
                throw AdminProblem("\"\(PlainText.shown(key, most: 64))\" is unknown here; known: \(known.joined(separator: ", ")).")
            }
            guard let text = document.string(value) else { throw AdminProblem("\"\(key)\" must be a string.") }
            texts[key] = text
            return true
        }
        guard let directory = texts["directory"], let user = texts["user"] else {
            throw AdminProblem("\"directory\" and \"user\" are required.")
        }
        guard let reason = texts["reason"], !PlainText.isBlank(String(decoding: reason, as: UTF8.self)) else {
            throw AdminProblem("A \"reason\" is required: why, for the log.")
        }
        if let name = texts["source"] {
            source = BlockSource.allCases.first { $0.name.utf8.elementsEqual(name) }
            guard source != nil else { throw AdminProblem("\"source\" is operator or upstream; without it both are meant.") }
        } else {
            source = nil
        }
        self.user = NamedUser(directory: String(decoding: directory, as: UTF8.self), tenant: texts["tenant"], user: user)
        self.reason = String(decoding: reason, as: UTF8.self)
    }

    /// For one line of people's.
    var text: String {
        let place = user.tenant.map { "tenant \(AdminNews.quoted($0))" } ?? "all tenants"
        let directory = PlainText.shown(user.directory, most: 64)
        return "user \(AdminNews.quoted(user.user)) in \(place) of directory \(directory): \(AdminNews.quoted(Array(reason.utf8)))"
    }
}
