import Policy
import StrictJSON
import Suspensions

/// Changing by hand who is blocked.
extension AdminAPI {
    func add(_ request: AdminRequest, _ reply: @escaping AdminEndpoint.Reply) {
        attempt(reply) {
            let wish = try AdminWish(request.body, takesSource: false)
            try sources.desk.add(wish.user, reason: wish.reason, by: request.actor) { [self] conclusion, stood in
                concludeReaching(conclusion, reply, telling: Telling(request, "suspended \(wish.text)", asked: "to suspend \(wish.text)")) {
                    reach in
                    var json = JSONWriter()
                    json.beginObject()
                    json.member("changed", !stood)
                    json.write(reach)
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
            try sources.desk.lift(wish.user, source: wish.source, reason: wish.reason, by: request.actor) { [self] conclusion, lifting in
                let telling = Telling(request, Self.words(lifting, wish), asked: "to lift (\(Self.names(lifting.asked))) \(wish.text)")
                conclude(conclusion, reply, telling: telling) { Self.lifted(wish.user, lifting) }
            }
        }
    }

    private static func names(_ asked: BlockSources) -> String {
        asked.isEmpty ? "an unconfirmed call" : asked.names.joined(separator: " and ")
    }

    private static func words(_ lifting: LiveDesk.Lifting, _ wish: AdminWish) -> String {
        guard !lifting.kept.isEmpty else { return "lifted (\(names(lifting.asked))) \(wish.text)" }
        let kept = "(\(names(lifting.kept))) \(wish.text): KEPT, another gateway blocked the user meanwhile"
        return (lifting.lifted.isEmpty ? "" : "lifted (\(names(lifting.lifted))) \(wish.text), and ") + "asked to lift " + kept
    }

    private static func lifted(_ user: NamedUser, _ lifting: LiveDesk.Lifting) -> AdminAnswer {
        var json = JSONWriter()
        json.beginObject()
        json.name("lifted")
        json.write(lifting.lifted.names)
        json.member("settled", lifting.asked.isEmpty)
        json.name("stands")
        json.beginArray()
        let standing = [
            (user.tenant, lifting.here, lifting.contestedHere), (nil, lifting.inAllTenants, lifting.contestedInAllTenants),
        ]
        for (tenant, left, contested) in standing {
            for source in BlockSource.allCases where left.contains(BlockSources(source)) {
                json.beginObject()
                if let tenant { json.member("tenant", tenant) }
                json.member("source", source.name)
                if contested.contains(BlockSources(source)) { json.member("contested", true) }
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
            guard !isTrial else { return reply(Self.imported(list.count, nil)) }
            sources.desk.run(list) { [self] conclusion in
                switch conclusion {
                case .done(let count):
                    let telling = Telling(request, "imported \(count) suspension\(count == 1 ? "" : "s")", asked: "to import")
                    concludeReaching(.done, reply, telling: telling) { Self.imported(count, $0) }
                case .stopped(let durable, let inForce, let reason):
                    stopped(request, durable, inForce: inForce, of: list.count, reason, reply)
                }
            }
        }
    }

    private func stopped(
        _ request: AdminRequest, _ durable: Int, inForce: Int, of count: Int, _ reason: HandConclusion, _ reply: AdminEndpoint.Reply
    ) {
        let rest = inForce > 0 ? "; the next \(inForce) are IN FORCE, NOT DURABLE" : ""
        sources.news.tell(
            "\(request.token.name)'s import stopped after \(durable) of \(count) lines\(rest) (request \(request.requestText))")
        let words = inForce > 0 ? " The next \(inForce) are in force here, but not on disk." : ""
        reply(
            Self.refusal(of: reason).answer(
                "It stopped after \(durable) of \(count) lines.\(words) \(Self.remedy(reason)), then repeat it all."
            ) {
                $0.member("durable", durable)
                $0.member("in_force", inForce)
            })
    }

    private static func remedy(_ reason: HandConclusion) -> String {
        switch reason {
        case .done, .notDurable, .undecided: "Make room on the ledger's disk"
        case .busy: "Wait a moment"
        case .draining: "Wait until the gateway is back"
        }
    }

    /// Without a reach it was a trial.
    private static func imported(_ count: Int, _ reach: AdminReach?) -> AdminAnswer {
        var json = JSONWriter()
        json.beginObject()
        json.member("lines", count)
        json.member("dry_run", reach == nil)
        if let reach { json.write(reach) }
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

    /// A change in words, for the line on standard error.
    private struct Telling: Sendable {
        let who: String
        let done: String
        let asked: String
        let request: String

        init(_ request: AdminRequest, _ done: String, asked: String) {
            (who, self.done, self.asked, self.request) = (request.token.name, done, asked, "(request \(request.requestText))")
        }
    }

    private func conclude(
        _ conclusion: HandConclusion, _ reply: @escaping AdminEndpoint.Reply, telling: Telling,
        done: @escaping @Sendable () -> AdminAnswer
    ) {
        conclude(conclusion, Ending(refused: reply) { reply(done()) }, telling: telling)
    }

    /// The same where it is told how far it reaches; that may take a second.
    private func concludeReaching(
        _ conclusion: HandConclusion, _ reply: @escaping AdminEndpoint.Reply, telling: Telling,
        done: @escaping @Sendable (AdminReach) -> AdminAnswer
    ) {
        let fleet = sources.fleet
        let ending = Ending(refused: reply) {
            AdminReach.find(fleet) { reach in
                var answer = done(reach)
                answer.fields.append(("Suspension-Reach", reach.name))
                reply(answer)
            }
        }
        conclude(conclusion, ending, telling: telling)
    }

    private struct Ending: Sendable {
        let refused: AdminEndpoint.Reply
        let done: @Sendable () -> Void
    }

    /// Goes on once every loop has seen what was changed. What is in force, or may come to be, is told on standard error, too.
    private func conclude(_ conclusion: HandConclusion, _ ending: Ending, telling: Telling) {
        let reply = ending.refused
        let refusal = Self.refusal(of: conclusion)
        switch conclusion {
        case .done:
            sources.news.tell("\(telling.who) \(telling.done) \(telling.request)")
            sources.gateway.afterEveryLoop(ending.done)
        case .notDurable(inForce: true):
            sources.news.tell("\(telling.who) \(telling.done): IN FORCE, NOT DURABLE, a restart may forget it \(telling.request)")
            reply(
                refusal.answer(
                    "In force here, but not on disk: it is written as soon as the disk takes it; a restart before that forgets it. "
                        + "Make room on the ledger's disk, then repeat."))
        case .notDurable(inForce: false):
            reply(refusal.answer("Nothing has changed: the ledger can't be written. Make room on its disk, then repeat."))
        case .undecided:
            sources.news.tell("\(telling.who) asked \(telling.asked): NOT KNOWN, the ledger's disk hangs \(telling.request)")
            reply(
                refusal.answer(
                    "Not known: the ledger's disk has not answered for \(Limits.ledgerPatienceSeconds) s. The user stays blocked for now, and is "
                        + "let in if the disk takes it after all. When it answers again, look at the log and the list, then repeat."))
        case .busy, .draining: reply(refusal.answer())
        }
    }

    private static func refusal(of conclusion: HandConclusion) -> AdminRefusal {
        switch conclusion {
        case .done, .notDurable: .suspensionNotDurable
        case .undecided: .outcomeUnknown
        case .busy: .overloaded
        case .draining: .draining
        }
    }

    private func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + (text.hasSuffix(".") ? "" : ".") }
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
