import Policy
import StrictJSON
import Suspensions

/// Changing by hand who is blocked.
extension AdminAPI {
    func add(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        attempt(reply) {
            let wish = try AdminWish(request.body, takesSource: false)
            try sources.desk.add(wish.user, reason: wish.reason, by: request.actor) { [self] conclusion, stood in
                conclude(conclusion, reply) { [self] in
                    sources.news.tell("\(request.token.name) suspended \(wish.text) (request \(request.requestText))")
                    var json = JSONWriter()
                    json.beginObject()
                    json.member("changed", !stood)
                    json.name("suspension")
                    json.beginObject()
                    json.write(wish.user)
                    json.member("source", "operator")
                    json.member("reason", wish.reason)
                    json.endObject()
                    json.endObject()
                    return AdminAnswer(json)
                }
            }
        }
    }

    func lift(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        attempt(reply) {
            let wish = try AdminWish(request.body, takesSource: true)
            try sources.desk.lift(wish.user, source: wish.source, reason: wish.reason, by: request.actor) { [self] conclusion, lifted in
                conclude(conclusion, reply) { [self] in
                    let names = lifted.names.isEmpty ? "an unconfirmed call" : lifted.names.joined(separator: " and ")
                    sources.news.tell("\(request.token.name) lifted (\(names)) \(wish.text) (request \(request.requestText))")
                    return liftedAnswer(wish.user, lifted)
                }
            }
        }
    }

    private func liftedAnswer(_ user: NamedUser, _ lifted: BlockSources) -> AdminAnswer {
        var json = JSONWriter()
        json.beginObject()
        json.name("lifted")
        json.write(lifted.names)
        json.member("settled", lifted.isEmpty)
        json.name("stands")
        json.beginArray()
        let standing = try? sources.desk.standing(user)
        for (tenant, left) in [(user.tenant, standing?.here ?? []), (nil, standing?.inAllTenants ?? [])] {
            for name in left.names {
                json.beginObject()
                if let tenant { json.member("tenant", tenant) }
                json.member("source", name)
                json.endObject()
            }
        }
        json.endArray()
        json.endObject()
        return AdminAnswer(json)
    }

    func importLines(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        attempt(reply) {
            let isTrial = try request.parameters.flag("dry_run")
            let list: LiveDesk.CheckedImport
            do throws(ImportRefused) {
                list = try sources.desk.check(request.body, by: request.actor)
            } catch {
                return reply(Self.refused(error))
            }
            guard !isTrial else { return reply(Self.imported(list.count, isTrial: true)) }
            sources.desk.run(list) { [self] conclusion in
                switch conclusion {
                case .done(let count):
                    conclude(.done, reply) { [self] in
                        sources.news.tell("\(request.token.name) imported \(count) suspensions (request \(request.requestText))")
                        return Self.imported(count, isTrial: false)
                    }
                case .stopped(let durable, let reason):
                    sources.news.tell(
                        "\(request.token.name)'s import stopped after \(durable) of \(list.count) lines (request \(request.requestText))")
                    reply(
                        Self.refusal(of: reason).answer(
                            "It stopped after \(durable) of \(list.count) lines. Make room, then repeat it all."
                        ) {
                            $0.member("durable", durable)
                        })
                }
            }
        }
    }

    private static func imported(_ count: Int, isTrial: Bool) -> AdminAnswer {
        var json = JSONWriter()
        json.beginObject()
        json.member("lines", count)
        json.member("dry_run", isTrial)
        json.endObject()
        return AdminAnswer(json)
    }

    private static func refused(_ refused: ImportRefused) -> AdminAnswer {
        let count = refused.problems.count + refused.unnamed
        return AdminRefusal.importRefused.answer("\(count) line\(count == 1 ? " is" : "s are") bad: nothing was imported.") { json in
            json.member("bad_lines", count)
            json.name("problems")
            json.beginArray()
            for problem in refused.problems {
                json.beginObject()
                json.member("line", problem.line)
                json.member("problem", problem.what)
                json.endObject()
            }
            json.endArray()
        }
    }
}

// MARK: - how it ends

extension AdminAPI {
    /// Runs `work`, which replies; what it throws is answered in the API's words.
    func attempt(_ reply: AdminEndpoint.Reply, _ work: () throws -> Void) {
        do {
            try work()
        } catch let problem as AdminProblem {
            reply(AdminRefusal.badRequest.answer(problem.text))
        } catch OperatorError.notBlocked(let user) {
            reply(AdminRefusal.notSuspended.answer(sentence("\(OperatorError.notBlocked(user))")))
        } catch let error as OperatorError {
            reply(AdminRefusal.badRequest.answer(sentence("\(error)")))
        } catch {
            reply(AdminRefusal.overloaded.answer(sentence("\(error)")))
        }
    }

    /// Answers once every loop has seen what was changed.
    private func conclude(
        _ conclusion: HandConclusion, _ reply: @escaping AdminEndpoint.Reply, done: @escaping @Sendable () -> AdminAnswer
    ) {
        guard conclusion == .done else {
            let text: String? =
                switch conclusion {
                case .notDurable(inForce: true):
                    "In force here, but not on disk: it is written as soon as the disk takes it; a restart before that forgets it. "
                        + "Make room on the ledger's disk, then repeat."
                case .notDurable(inForce: false): "Nothing has changed: the ledger can't be written. Make room on its disk, then repeat."
                default: nil
                }
            return reply(Self.refusal(of: conclusion).answer(text))
        }
        sources.gateway.afterEveryLoop { reply(done()) }
    }

    private static func refusal(of conclusion: HandConclusion) -> AdminRefusal {
        switch conclusion {
        case .done, .notDurable: .suspensionNotDurable
        case .busy: .overloaded
        case .draining: .draining
        }
    }

    private func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + (text.hasSuffix(".") ? "" : ".") }
}

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
                throw AdminProblem("\"\(key.prefix(64))\" is unknown here; known: \(known.joined(separator: ", ")).")
            }
            guard let text = document.string(value) else { throw AdminProblem("\"\(key)\" must be a string.") }
            texts[key] = text
            return true
        }
        guard let directory = texts["directory"], let user = texts["user"] else {
            throw AdminProblem("\"directory\" and \"user\" are required.")
        }
        guard let reason = texts["reason"], !reason.isEmpty else { throw AdminProblem("A \"reason\" is required: why, for the log.") }
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
        return "user \(AdminNews.quoted(user.user)) in \(place) of directory \(user.directory): \(AdminNews.quoted(Array(reason.utf8)))"
    }
}

extension AdminRequest {
    var actor: LiveDesk.Actor { LiveDesk.Actor(name: token.name, requestID: requestID) }
    var requestText: String { String(decoding: requestID, as: UTF8.self) }
}

extension BlockSources {
    var names: [String] { BlockSource.allCases.filter { contains(BlockSources($0)) }.map(\.name) }
}

extension JSONWriter {
    mutating func write(_ user: NamedUser) {
        member("directory", user.directory)
        if let tenant = user.tenant { member("tenant", tenant) }
        member("user", user.user)
    }

    /// An array of strings.
    mutating func write(_ texts: [String]) {
        beginArray()
        for text in texts { string(text) }
        endArray()
    }
}
