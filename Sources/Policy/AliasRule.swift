/// Another name of a directory's users, which an identity provider knows them by: where a user object tells it, and where it tells that the
/// service has verified it (SPEC §2). Two rules that differ in anything name different things.
package struct AliasRule: Hashable, Sendable {
    /// When the field's value counts.
    package enum Condition: Hashable, Sendable {
        /// The service keeps no other values than verified ones.
        case always
        /// Where this boolean is true.
        case field(JSONPointer)
    }

    /// What credential blocks call it: `email`.
    package let name: String
    package let field: JSONPointer
    package let condition: Condition
    /// ASCII letters are compared without regard to case. No others are: what Unicode folds differs between services, and a look-alike that
    /// folds to an ASCII letter (the Kelvin sign) would be somebody else's address.
    package let foldsCase: Bool
    /// The whole rule as text: what the ledger keeps aliases under, so that those read by another rule are never taken for this one's.
    package let kind: [UInt8]

    package init(name: String, field: JSONPointer, condition: Condition, foldsCase: Bool = false) {
        self.name = name
        self.field = field
        self.condition = condition
        self.foldsCase = foldsCase
        let verified =
            switch condition {
            case .always: "always"
            case .field(let pointer): pointer.text
            }
        kind = Array("\(name)\n\(field.text)\n\(verified)\n\(foldsCase ? "case" : "")".utf8)
    }

    /// An alias as it is compared. Nil for what can't be one: nothing, more than `Limits.idBytes` bytes, controls, malformed UTF-8.
    package func value(_ text: Span<UInt8>) -> [UInt8]? {
        guard case .string(var bytes)? = FormattedID(text, format: .string) else { return nil }
        guard foldsCase else { return bytes }
        for index in bytes.indices where 65...90 ~= bytes[index] { bytes[index] |= 0x20 }
        return bytes
    }
}

/// A user as a token names it: by an alias of a rule.
package struct UserAlias: Hashable, Sendable {
    package let rule: AliasRule
    /// As `AliasRule.value` made it.
    package let value: [UInt8]

    package init(rule: AliasRule, value: [UInt8]) {
        self.rule = rule
        self.value = value
    }
}

/// One entry of a dialect's `aliases`.
package struct DialectAlias: Hashable, Sendable {
    package let rule: AliasRule
    /// Nil where the service can't be asked whose an alias is.
    package let search: AliasSearch?

    package init(rule: AliasRule, search: AliasSearch? = nil) {
        self.rule = rule
        self.search = search
    }
}

/// The call that asks a service whose an alias is: a GET.
package struct AliasSearch: Hashable, Sendable {
    /// What stands before and behind the alias in the request's target.
    package let before: String
    package let after: String
    /// Where the answer keeps the users; nil where the answer is the user.
    package let items: JSONPointer?

    package init(before: String, after: String, items: JSONPointer?) {
        self.before = before
        self.after = after
        self.items = items
    }
}

extension JSONPointer {
    /// As RFC 6901 writes it.
    package var text: String {
        steps.map { "/" + String(decoding: $0, as: UTF8.self).replacing("~", with: "~0").replacing("/", with: "~1") }.joined()
    }
}
