import Policy

/// One entry of a dialect's `calls`.
enum DialectCallSection {
    static let call = Key("call", .callLine, .required, "Method and path; `{user}` is the user's id.")
    static let answers = Key<AnswerWord>("answers", .choice, .required, "What a 2xx carries.")
    static let intent = Key(
        "intent", Kind<IntentWord>.choice.or(.section(IntentField.shape)), .optional("the call changes nobody's state"),
        "What the caller wants: a word, or the boolean of the request's body that says it.")
    static let request = Key(
        "request", .pointer, .optional("the path names the user"),
        "Where the request's body names the user, for calls with an `intent` whose path has no `{user}`.")
    static let means = Key<StateWord>(
        "means", .choice, .optional("the answer says it"),
        "The state that a 2xx without a body stands for; `asked`: the one that the field of the request's body asked for.")
    static let items = Key("items", .pointer, .optional("only for lists"), "Where a list's answer keeps the users.")
    static let more = Key("more", .pointer, .optional("one page"), "The boolean that says whether more pages follow.")
    static let page = Key("page", .text("query name", bytes: 64), .optional("one page"), "The query parameter that asks for a page.")
    static let total = Key(
        "total", .pointer, .optional("not told"), "The number of users on all pages: a list that ends before is not taken for the whole.")
    static let query = Key(
        "query", .text("query", bytes: 256), .optional("nothing"),
        "What the gateway's own requests for the list ask for beside the page: `limit=100`.")
    static let shape = SectionShape(
        "dialect_call",
        [
            call.declaration, answers.declaration, intent.declaration, request.declaration, means.declaration, items.declaration,
            more.declaration,
            page.declaration, total.declaration, query.declaration,
        ])

    /// What a 2xx carries.
    enum AnswerWord: String, CaseIterable { case user, list, nothing }
    enum IntentWord: String, CaseIterable { case suspend, activate }
    enum StateWord: String, CaseIterable {
        case suspended, active, asked

        var meaning: DialectCall.Meaning {
            switch self {
            case .suspended: .state(.suspended)
            case .active: .state(.active)
            case .asked: .asked
            }
        }
    }

    static func read(_ section: Section, hasUser: Bool) -> (call: DialectCall, section: Section)? {
        let line = section[call]
        let answers = section[answers]
        let intent = intent(section)
        let (request, means) = (section[request], section[means]?.meaning)
        let (items, more, page) = (section[items], section[more], section[page])
        let (total, query) = (section[total], section[query])
        checkQuery(section, query)
        guard let line, let answers else { return nil }
        checkList(section, answers, more: more, page: page)
        checkUser(section, answers, line, hasUser: hasUser)
        checkIntent(section, answers)
        checkNamed(section, line)
        if section.has(Self.means) == (means != nil) { checkMeaning(section, intent, means) }
        let shape: DialectCall.Answer =
            switch answers {
            case .user: .user
            case .list: .list(items: items ?? JSONPointer(steps: []), more: more, page: page)
            case .nothing: .nothing
            }
        let call = DialectCall(
            method: line.method, pattern: line.pattern, answers: shape, intent: intent, request: request, means: means, total: total,
            query: query, text: line.text)
        return (call, section)
    }

    private static func intent(_ section: Section) -> DialectCall.Intent? {
        switch section[intent] {
        case .first(.suspend)?: .suspend
        case .first(.activate)?: .activate
        case .second(let field)?: IntentField.read(field)
        case nil: nil
        }
    }

    private static func checkList(_ section: Section, _ answers: AnswerWord, more: JSONPointer?, page: String?) {
        if answers == .list, !section.has(items) {
            section.refuse(items, "a list needs `items`", fix: "add `items: /data` (where the answer keeps the users)")
        }
        if answers != .list {
            for (key, isThere) in [
                ("items", section.has(items)), ("more", section.has(Self.more)), ("page", section.has(Self.page)),
                ("total", section.has(total)), ("query", section.has(query)),
            ] where isThere {
                section.reading.problems.error(section.place, "`\(key)` is for `answers: list`", fix: "remove it, or write `answers: list`")
            }
        }
        if answers == .list, (more == nil) != (page == nil) {
            section.refuse(Self.answers, "`more` and `page` belong together", fix: "write both or neither")
        }
    }

    private static func checkQuery(_ section: Section, _ text: String?) {
        guard let text else { return }
        let isQuery = text.utf8.allSatisfy { 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "#") } && !text.hasPrefix("?") && !text.hasPrefix("&")
        guard !isQuery else { return }
        section.refuse(query, "`\(text)` is no query", fix: "write it as it stands in a URL after `?`: `limit=100`")
    }

    private static func checkUser(_ section: Section, _ answers: AnswerWord, _ line: CallLine, hasUser: Bool) {
        if answers != .nothing, !hasUser {
            section.refuse(
                Self.answers, "`answers: \(answers.rawValue)` needs the dialect's `user`",
                fix: "add `user: {id: /id, suspended: {field: …, is: …}}`")
        }
        if answers == .nothing, section.has(Self.intent), !section.has(means) {
            section.refuse(
                Self.answers, "a call with an intent whose 2xx says nothing could never be confirmed",
                fix: "add `means: suspended`, `means: active` or `means: asked`, or write `answers: user`")
        }
    }

    private static func checkIntent(_ section: Section, _ answers: AnswerWord) {
        if section.has(Self.intent), answers == .list {
            section.refuse(Self.answers, "a call with an intent is about one user", fix: "write `answers: user`")
        }
        if section.has(means), answers == .list {
            section.refuse(means, "`means` is for calls about one user", fix: "remove it")
        }
    }

    /// Who is meant is said once: in the path, or by `request`.
    private static func checkNamed(_ section: Section, _ line: CallLine) {
        let isInPath = line.pattern.segment(named: "user") != nil
        if section.has(request) {
            if isInPath {
                section.refuse(request, "the path names the user already", fix: "remove `request`, or `{user}` from the path")
            } else if !section.has(intent) {
                section.refuse(request, "only the bodies of calls with an intent are read", fix: "remove it, or add `intent`")
            }
        } else if section.has(intent), !isInPath {
            section.refuse(
                call, "a call with an intent needs the user's id in its path",
                fix: "write `{user}` where it stands, or `request: /…` where the request's body has it")
        } else if section.has(means), !isInPath {
            section.refuse(call, "a call with `means` needs the user's id in its path", fix: "write `{user}` where it stands")
        }
    }

    /// A 2xx that means something else than what was asked for would never confirm the call.
    private static func checkMeaning(_ section: Section, _ intent: DialectCall.Intent?, _ meaning: DialectCall.Meaning?) {
        guard let meaning else { return }
        switch (intent, meaning) {
        case (.field?, .state):
            section.refuse(
                means, "the request's body decides, so that the other value could never be confirmed", fix: "write `means: asked`")
        case (.suspend?, .state(.active)), (.activate?, .state(.suspended)):
            section.refuse(means, "the call asks for the other state and could never be confirmed", fix: "write the state that it asks for")
        case (.field?, .asked), (_, .state): break
        case (_, .asked):
            section.refuse(means, "no field of the request says what is asked for", fix: "write `means: suspended` or `means: active`")
        }
    }
}

/// `intent: {field, suspend}`: a boolean of the request's body decides.
enum IntentField {
    static let field = Key("field", .pointer, .required, "The boolean of the request's body.")
    static let suspend = Key("suspend", .boolean, .required, "The value that asks for a suspension; the other asks for reactivation.")
    static let shape = SectionShape("dialect_intent", [field.declaration, suspend.declaration])

    static func read(_ section: Section) -> DialectCall.Intent? {
        let (field, suspend) = (section[field], section[suspend])
        guard let field, let suspend else { return nil }
        return .field(field, suspend: suspend)
    }
}

/// `POST /v1/users/{user}/suspend`, taken apart.
struct CallLine: Sendable {
    let method: [UInt8]
    let pattern: PathPattern
    let text: String
}

extension Kind where Value == CallLine {
    fileprivate static var callLine: Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^[A-Z0-9_-]{1,32} /[^ ]*$"))])
        return Kind(name: "METHOD /path", schema: schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, _, let place) = node else { return reading.refuse(node, expected: "a method and a path") }
            let parts = text.split(separator: " ", omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                return reading.refuse(node, expected: "a method and a path", fix: "for example `\"POST /v1/users/{user}/suspend\"`")
            }
            let method = Kind<[UInt8]>.method.read(.scalar(String(parts[0]), plain: true, place), reading)
            let pattern = Kind<PathPattern>.pattern.read(.scalar(String(parts[1]), plain: true, place), reading)
            guard let method, let pattern else { return nil }
            return CallLine(method: method, pattern: pattern, text: text)
        }
    }
}
