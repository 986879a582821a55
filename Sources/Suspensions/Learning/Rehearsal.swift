package import Policy

/// What an answer would teach, in words: `tenantgate dialect test`.
package struct Rehearsal: Sendable, Equatable {
    /// Whether the answer teaches what the call is there for.
    package let teaches: Bool
    /// One finding per line.
    package let lines: [String]

    /// Reads `answer` as the gateway would read it. `user` is whom the call names, in its path or body; nil where it names nobody (`{user}` as such).
    /// `wanted` is what the call's body asks for, where a field decides.
    package init(of answer: ServiceAnswer, to call: DialectCall, in dialect: Dialect, about user: UserID?, wanted: UserState? = nil) {
        let reader = AnswerReader(call, of: dialect)
        if case .list = call.answers {
            self.init(list: reader, answer)
            return
        }
        let lesson = reader.lesson(from: answer, about: user, asked: wanted)
        guard case .teaches(let named, let state) = lesson else {
            self.init(silent: lesson, call)
            return
        }
        let goal = wanted ?? call.intent.flatMap(\.fixedGoal)
        let says = "teaches: user \(spelled(named)) is \(state.word)"
        if let goal, goal != state {
            let verdict = "does not confirm the call, which asks for \(goal.word): 502 suspension_unconfirmed"
            self.init(teaches: false, lines: [says, verdict])
        } else if call.intent == nil {
            self.init(teaches: true, lines: [says, state.passiveEffect])
        } else {
            let call = goal == nil ? "a call that asks for it" : "the call"
            self.init(teaches: true, lines: [says, "confirms \(call); then \(state.effect)"])
        }
    }

    private init(silent lesson: Lesson, _ call: DialectCall) {
        var lines: [String] = []
        if case .teachesNothing(let silence) = lesson { lines.append("teaches nothing: \(silence.words)") }
        if call.intent != nil { lines.append("as the answer to this call a 2xx like it would become 502 suspension_unconfirmed") }
        self.init(teaches: false, lines: lines)
    }

    private init(list reader: AnswerReader, _ answer: ServiceAnswer) {
        do throws(Silence) {
            let list = try reader.list(from: answer)
            let lines = list.lessons.enumerated().map { place, lesson in
                switch lesson {
                case .teaches(let user, let state): "entry \(place) teaches: user \(spelled(user)) is \(state.word)"
                case .teachesNothing(let silence): "entry \(place) teaches nothing: \(silence.words)"
                }
            }
            let more = list.hasMore.map { $0 ? "says that more pages follow" : "says that it is the last page" }
            self.init(
                teaches: list.lessons.contains { if case .teaches = $0 { true } else { false } },
                lines: ["a list of \(list.lessons.count)" + (more.map { ", which " + $0 } ?? "")] + lines)
        } catch {
            self.init(teaches: false, lines: ["teaches nothing: \(error.words)"])
        }
    }

    private init(teaches: Bool, lines: [String]) {
        self.teaches = teaches
        self.lines = lines
    }
}

private func spelled(_ user: UserID) -> String { String(decoding: user.id.canonical, as: UTF8.self) }

extension DialectCall.Intent {
    fileprivate var fixedGoal: UserState? {
        switch self {
        case .suspend: .suspended
        case .activate: .active
        case .field: nil
        }
    }
}

extension UserState {
    fileprivate var word: String { self == .suspended ? "suspended" : "active" }
    fileprivate var effect: String { self == .suspended ? "the user is refused" : "what was learned about the user is lifted" }
    fileprivate var passiveEffect: String {
        switch self {
        case .suspended: "seen in passing, it blocks the user"
        case .active: "seen in passing, it changes nothing: blocks are lifted by reactivate calls"
        }
    }
}
