import Policy
import StrictJSON
import Suspensions

/// `tenantgate dialect test`: what one answer of a user service would teach, read as the running gateway would read it.
package struct DialectCommand: Sendable {
    package var dialectFile: String
    /// `POST /v1/users/42/suspend`, or the call as the dialect writes it, with `{user}`.
    package var call: String
    package var answerFile: String
    package var status = 200
    package var contentType = "application/json"
    /// The body of the call itself, where a field of it decides what is asked for, or names the user.
    package var body: String?

    package init(dialectFile: String, call: String, answerFile: String) {
        self.dialectFile = dialectFile
        self.call = call
        self.answerFile = answerFile
    }

    /// Good where the answer teaches what the call is there for.
    package func run() throws(CommandFailure) -> CommandResult {
        let (found, problems) = DialectFile.read(path: dialectFile)
        guard let dialect = found else { return CommandResult(errors: CheckReport.problems(problems), isGood: false) }
        let (call, user) = try find(in: dialect)
        // More than the gateway holds back: what is too large for it is to be judged, not refused here.
        let bytes = try FileBytes.read(answerFile, limit: 64 * 1024 * 1024, called: "The answer")
        let answer = ServiceAnswer(status: status, contentType: contentType.isEmpty ? nil : Array(contentType.utf8), body: bytes)
        let asked = try asked(by: call, of: dialect)
        let rehearsal = Rehearsal(of: answer, to: call, in: dialect, about: user ?? asked?.user, wanted: asked?.wanted)
        let lines = ["\(dialect.name): \(call.text), status \(status), \(bytes.count) bytes"] + rehearsal.lines.map { "  \($0)" }
        return CommandResult(lines.joined(separator: "\n") + "\n", errors: CheckReport.problems(problems), isGood: rehearsal.teaches)
    }

    private func find(in dialect: Dialect) throws(CommandFailure) -> (DialectCall, UserID?) {
        if let call = dialect.calls.first(where: { $0.text == self.call }) { return (call, nil) }
        let words = call.split(separator: " ")
        guard words.count == 2, words[1].first == "/" else {
            throw .usage("--call \(call) is not a method and a path. Write for example --call \"POST /v1/users/42/suspend\".")
        }
        let (method, path) = (Array(words[0].utf8), Array(words[1].utf8))
        switch CallTable(dialect.calls).match(path: path.span, method: method.span) {
        case .none:
            throw CommandFailure("\(call) is none of the dialect's calls, so nothing is learned from it. They are:\n\(list(dialect))")
        case .ambiguousPath:
            throw CommandFailure(
                "\(call) differs only in its spelling from one of the dialect's calls; the gateway would refuse it:\n\(list(dialect))")
        case .call(let index, let segment):
            let user = try segment.map { (range) throws(CommandFailure) in try self.user(path[range], dialect) }
            return (dialect.calls[index], user)
        }
    }

    private func user(_ segment: ArraySlice<UInt8>, _ dialect: Dialect) throws(CommandFailure) -> UserID {
        guard let id = percentDecodedSegment(Array(segment).span), let user = UserID(id.span, format: dialect.idFormat) else {
            throw CommandFailure(
                "\(String(decoding: segment, as: UTF8.self)) is no user id in the dialect's id_format (\(dialect.idFormat.rawValue)); "
                    + "the gateway would refuse the call with 400 bad_request.")
        }
        return user
    }

    private func list(_ dialect: Dialect) -> String { dialect.calls.map { "  \($0.text)" }.joined(separator: "\n") }

    /// What the call's body says; nil where it isn't given.
    private func asked(by call: DialectCall, of dialect: Dialect) throws(CommandFailure) -> (wanted: UserState, user: UserID?)? {
        guard let body, let reading = IntentReading(call, of: dialect) else { return nil }
        do throws(Denial) {
            return try reading.read(body: Array(body.utf8), contentType: nil)
        } catch {
            throw CommandFailure(
                "The gateway would refuse this call's body with \(error.status) \(error.code): it doesn't say what is wanted"
                    + (call.request == nil ? "." : ", or of whom."))
        }
    }
}
