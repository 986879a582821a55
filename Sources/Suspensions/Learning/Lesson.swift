package import Policy

/// What one answer of a user service teaches about one user (SPEC §4): his state, or nothing, with the reason.
package enum Lesson: Sendable, Equatable {
    case teaches(UserID, UserState)
    case teachesNothing(Silence)
}

/// What a list answer teaches.
package struct ListLesson: Sendable, Equatable {
    /// One per entry, in the answer's order. Entries that contradict each other about a user teach nothing about him.
    package let lessons: [Lesson]
    /// Whether more pages follow; nil where the dialect doesn't say how to know, or the answer doesn't say.
    package let hasMore: Bool?
    /// How many users there are on all pages; nil where the dialect doesn't say where that stands, or nothing sensible stands there.
    package var total: Int?
}

/// An answer as the user service gave it, held back whole.
package struct ServiceAnswer: Sendable {
    /// The status code.
    package let status: Int
    /// The field's value as received; nil where it was not sent. Several lines joined by ", " (which then fit nothing).
    package let contentType: [UInt8]?
    /// The same for `Content-Encoding`.
    package let contentEncoding: [UInt8]?
    /// The content, complete: a caller that doesn't have all of it has no answer.
    package let body: [UInt8]

    package init(status: Int, contentType: [UInt8]?, contentEncoding: [UInt8]? = nil, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.contentEncoding = contentEncoding
        self.body = body
    }
}

/// Reads what the answers to one dialect call teach. Made once per call when the file is loaded; a value, used on every loop.
package struct AnswerReader: Sendable {
    let answers: DialectCall.Answer
    let means: DialectCall.Meaning?
    let shape: UserShape?
    let format: IDFormat
    let total: JSONPointer?

    package init(_ call: DialectCall, of dialect: Dialect) {
        answers = call.answers
        means = call.means
        total = call.total
        shape = dialect.user
        format = dialect.idFormat
    }

    /// What the answer teaches about `user`, whom the call names; nil where it names nobody: then about whom the answer names. `asked`: the
    /// state that the call asked for, as far as that is known.
    ///
    /// Costs one pass over the body (about 0.6 µs per KiB) and a second one up to the id and the state.
    package func lesson(from answer: ServiceAnswer, about user: UserID?, asked: UserState? = nil) -> Lesson {
        do throws(Silence) {
            return try read(answer, about: user, asked)
        } catch {
            return .teachesNothing(error)
        }
    }

    /// What the answer to a list call teaches about everyone in it; throws why the whole teaches nothing.
    package func list(from answer: ServiceAnswer) throws(Silence) -> ListLesson {
        guard case .list(let items, let more, _) = answers, let shape else { throw .nothingDeclared }
        let document = try answer.document()
        guard let entries = document.value(at: items.steps), entries.kind == .array else { throw .noList }
        let entry = UserEntry(document: document, shape: shape, format: format)
        var lessons: [Lesson] = []
        document.forEachElement(of: entries) { value in
            lessons.append(entry.lesson(value))
            return true
        }
        let hasMore = more.flatMap { document.value(at: $0.steps) }.flatMap { document.bool($0) }
        let count = total.flatMap { document.value(at: $0.steps) }.flatMap { document.number($0)?.floor }
        return ListLesson(lessons: withoutContradictions(lessons), hasMore: hasMore, total: count.flatMap { Int(exactly: $0) })
    }

    private func read(_ answer: ServiceAnswer, about user: UserID?, _ asked: UserState?) throws(Silence) -> Lesson {
        if let means, answer.body.isEmpty {
            guard answer.isFinal else { throw .status(answer.status) }
            guard let user else { throw .nobodyNamed }
            switch means {
            case .state(let state): return .teaches(user, state)
            case .asked:
                guard let asked else { throw .nothingAsked }
                return .teaches(user, asked)
            }
        }
        guard answers == .user, let shape else { throw .nothingDeclared }
        let document = try answer.document()
        let entry = UserEntry(document: document, shape: shape, format: format)
        let (named, state) = try entry.read(document.root)
        guard user == nil || user == named else { throw .anotherUser }
        return .teaches(named, state)
    }
}

/// A list that says two things about a user says nothing about him.
private func withoutContradictions(_ lessons: [Lesson]) -> [Lesson] {
    var states: [UserID: UserState] = [:]
    var doubtful: Set<UserID> = []
    for case .teaches(let user, let state) in lessons {
        if let other = states.updateValue(state, forKey: user), other != state { doubtful.insert(user) }
    }
    guard !doubtful.isEmpty else { return lessons }
    return lessons.map { lesson in
        guard case .teaches(let user, _) = lesson, doubtful.contains(user) else { return lesson }
        return .teachesNothing(.contradiction)
    }
}
