package import Policy
import StrictJSON

/// What a user object of an answer says of one alias of its user.
package struct AliasReading: Sendable, Equatable {
    package let user: UserID
    package let rule: AliasRule
    /// The verified alias; nil where the user has none: what was known of one is void.
    package let value: [UInt8]?

    package init(user: UserID, rule: AliasRule, value: [UInt8]?) {
        self.user = user
        self.rule = rule
        self.value = value
    }
}

/// Reads users' aliases in the answers to one call. A value, used on every loop; costs one more pass over the body.
package struct AliasReader: Sendable {
    private let rules: [AliasRule]
    private let shape: UserShape
    private let format: IDFormat
    /// Where a list keeps the users; nil where the answer is the user.
    private let items: JSONPointer?

    /// Nil where there is nothing to be read: no rules, no user objects.
    package init?(_ call: DialectCall, of dialect: Dialect, rules: [AliasRule]) {
        switch call.answers {
        case .nothing: return nil
        case .user: self.init(of: dialect, rules: rules, items: nil)
        case .list(let items, _, _): self.init(of: dialect, rules: rules, items: items)
        }
    }

    /// For the answers to a search.
    package init?(of dialect: Dialect, rules: [AliasRule], items: JSONPointer?) {
        guard !rules.isEmpty, let shape = dialect.user else { return nil }
        self.rules = rules
        self.shape = shape
        self.items = items
        format = dialect.idFormat
    }

    /// What an answer says of users.
    package struct Word {
        package var readings: [AliasReading] = []
        /// Whom it shows as suspended.
        package var suspended: [UserID] = []

        package init() {}
    }

    /// What the answer says of aliases; nil where it can't be read. `user`: whom the call's path names.
    package func readings(from answer: ServiceAnswer, about user: UserID? = nil) -> [AliasReading]? {
        word(of: answer, about: user)?.readings
    }

    /// Everything that it says.
    package func word(of answer: ServiceAnswer, about user: UserID? = nil) -> Word? {
        guard let document = try? answer.document() else { return nil }
        let entry = UserEntry(document: document, shape: shape, format: format)
        var word = Word()
        guard let items else {
            return append(entry, document.root, about: user, to: &word) ? word : nil
        }
        guard let entries = document.value(at: items.steps), entries.kind == .array else { return nil }
        document.forEachElement(of: entries) { value in
            _ = append(entry, value, about: nil, to: &word)
            return true
        }
        return word
    }

    /// False where the object is no whole user, or not the one that was asked for.
    private func append(_ entry: UserEntry, _ object: JSONValue, about user: UserID?, to word: inout Word) -> Bool {
        guard let (named, state) = try? entry.read(object), user == nil || user == named else { return false }
        if state == .suspended { word.suspended.append(named) }
        for rule in rules {
            switch alias(rule, entry.document, object) {
            case .silent: break
            case .none: word.readings.append(AliasReading(user: named, rule: rule, value: nil))
            case .alias(let value): word.readings.append(AliasReading(user: named, rule: rule, value: value))
            }
        }
        return true
    }

    private enum Said {
        /// The object doesn't speak of it: a shorter form of users, as lists have.
        case silent
        case none
        case alias([UInt8])
    }

    private func alias(_ rule: AliasRule, _ document: JSONDocument, _ object: JSONValue) -> Said {
        let field = document.value(at: rule.field.steps, from: object)
        var isVerified = true
        if case .field(let pointer) = rule.condition {
            let said = document.value(at: pointer.steps, from: object)
            if field == nil, said == nil { return .silent }
            isVerified = said.flatMap { document.bool($0) } == true
        }
        guard let field else { return rule.condition == .always ? .silent : .none }
        guard isVerified, let text = document.string(field), let value = rule.value(text.span) else { return .none }
        return .alias(value)
    }
}
