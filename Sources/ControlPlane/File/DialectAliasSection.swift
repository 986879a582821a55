import Policy

/// One entry of a dialect's `aliases`: another name of users, which identity providers know.
enum DialectAliasSection {
    static let field = Key("field", .pointer, .required, "Where the user object keeps the alias.")
    static let condition = Key(
        "if", .aliasCondition, .required,
        "The boolean that says that the service has verified it: only then it counts. `always` where it keeps no others.")
    static let fold = Key<FoldWord>(
        "fold", .choice, .optional("compared byte by byte"), "`case`: ASCII letters are compared without regard to case.")
    static let search = Key(
        "search", .section(AliasSearchSection.shape), .optional("nobody is asked"),
        "How the gateway asks whose an alias is that it doesn't know, with a service token.")
    static let shape = SectionShape(
        "dialect_alias", [field.declaration, condition.declaration, fold.declaration, search.declaration])

    enum FoldWord: String, CaseIterable { case `case` }

    static func read(_ name: String, _ section: Section) -> DialectAlias? {
        let (field, condition, fold) = (section[field], section[condition], section[fold])
        let search = section[search].flatMap(AliasSearchSection.read)
        guard let field, let condition else { return nil }
        return DialectAlias(rule: AliasRule(name: name, field: field, condition: condition, foldsCase: fold != nil), search: search)
    }
}

/// `search:` of an alias.
enum AliasSearchSection {
    static let call = Key(
        "call", .searchCall, .required,
        "A GET whose path or query holds `{alias}`: `GET /v1/users?email={alias}`. The path is the service's own.")
    static let items = Key("items", .pointer, .optional("the answer is the user"), "Where the answer keeps the users, if it is a list.")
    static let shape = SectionShape("alias_search", [call.declaration, items.declaration])

    static func read(_ section: Section) -> AliasSearch? {
        let (call, items) = (section[call], section[items])
        guard let call else { return nil }
        return AliasSearch(before: call.before, after: call.after, items: items)
    }
}

extension Kind where Value == AliasRule.Condition {
    fileprivate static var aliasCondition: Kind {
        let pointer = Kind<JSONPointer>.pointer
        return Kind(
            name: "JSON Pointer \\| `always`",
            schema: .object([("type", .string("string")), ("pattern", .string("^((/([^~/]|~[01])*)+|always)$"))]), forms: [.scalar]
        ) { node, reading in
            if case .scalar("always", _, _) = node { return .always }
            return pointer.read(node, reading).map { .field($0) }
        }
    }
}

/// The target of a search, in two parts.
struct SearchCall: Sendable {
    let before: String
    let after: String
}

extension Kind where Value == SearchCall {
    fileprivate static var searchCall: Kind {
        .scalar(
            "GET with `{alias}`", schema: .object([("type", .string("string")), ("pattern", .string("^GET /[^ #]*\\{alias\\}[^ #]*$"))]),
            example: "GET /v1/users?email={alias}"
        ) { text in
            guard text.hasPrefix("GET /"), text.utf8.count <= 1024 else { return nil }
            let target = text.dropFirst(4)
            let parts = target.split(separator: "{alias}", omittingEmptySubsequences: false)
            guard parts.count == 2,
                parts.allSatisfy({ $0.utf8.allSatisfy { 0x21...0x7E ~= $0 && ![35, 92, 123, 125].contains($0) } }),
                !parts[0].hasPrefix("//")
            else { return nil }
            return SearchCall(before: String(parts[0]), after: String(parts[1]))
        }
    }
}
