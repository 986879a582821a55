import HTTPWire

// How single values are written.

extension Kind {
    /// A scalar that `parse` understands; it gets the text, and answers nil where that isn't one.
    static func scalar(
        _ name: String, bound: String? = nil, schema: SchemaValue, example: String, parse: @escaping @Sendable (String) -> Value?
    ) -> Kind {
        Kind(name: name, bound: bound, schema: schema, forms: [.scalar]) { node, reading in
            if case .scalar(let text, _, _) = node, let value = parse(text) { return value }
            return reading.refuse(
                node, expected: bound.map { "\(Spelling.withArticle(name)) of \($0)" } ?? Spelling.withArticle(name),
                fix: "for example `\(example)`")
        }
    }

    /// A word of a closed list.
    static func word(_ words: [(String, Value)]) -> Kind where Value: Sendable {
        let names = words.map(\.0)
        let expected = names.map { "`\($0)`" }.joined(separator: ", ")
        return Kind(
            name: expected.replacing("`, `", with: "` \\| `"), schema: .object([("enum", .array(names.map(SchemaValue.string)))]),
            forms: [.scalar]
        ) { node, reading in
            guard case .scalar(let text, _, _) = node else { return reading.refuse(node, expected: "one of \(expected)") }
            if let found = words.first(where: { $0.0 == text }) { return found.1 }
            let remedy = Spelling.nearest(to: text, in: names).map { "did you mean `\($0)`?" } ?? "write one of \(expected)"
            return reading.refuse(node, expected: names.count == 1 ? expected : "one of \(expected)", fix: remedy)
        }
    }
}

extension Kind where Value: RawRepresentable & CaseIterable & Sendable, Value.RawValue == String {
    /// A word for each case.
    static var choice: Kind { word(Value.allCases.map { ($0.rawValue, $0) }) }
}

extension Kind where Value == Bool {
    static var boolean: Kind {
        Kind(name: "boolean", schema: .object([("type", .string("boolean"))]), forms: [.scalar]) { node, reading in
            if case .scalar("true", true, _) = node { return true }
            if case .scalar("false", true, _) = node { return false }
            return reading.refuse(node, expected: "true or false", fix: "write `true` or `false`, without quotes")
        }
    }
}

extension Kind where Value == Int64 {
    /// A day, `2027-01-31`: the second (Unix time) in which it begins in UTC.
    static var date: Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))])
        return .scalar("date", schema: schema, example: "2027-01-31") { text in
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.map(\.utf8.count) == [4, 2, 2], text.utf8.allSatisfy({ $0 == 45 || (48...57).contains($0) }),
                let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
                let date = CivilDate(year: year, month: month, day: day)
            else { return nil }
            return Int64(date.daysSince1970) * 86_400
        }
    }
}

extension Kind where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> Kind {
        let bound = range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound)…\(range.upperBound)"
        let schema: SchemaValue = .object([
            ("type", .string("integer")), ("minimum", .integer(range.lowerBound)), ("maximum", .integer(range.upperBound)),
        ])
        return Kind(name: "integer", bound: bound, schema: schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, let plain, let place) = node, YAMLNode.coreType(text, plain: plain) == .integer else {
                return reading.refuse(node, expected: "a whole number", fix: "write a number of \(bound), without quotes")
            }
            if let value = Int(text), range.contains(value) { return value }
            reading.problems.error(place, "\(text) is out of bounds", fix: "write a number of \(bound)")
            return nil
        }
    }
}

extension Kind where Value == String {
    /// A string of 1…`bytes` bytes without control characters. Bare numbers, booleans and nulls must be quoted to be one.
    static func text(_ name: String = "string", bytes: Int = 1024) -> Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("minLength", .integer(1)), ("maxLength", .integer(bytes))])
        return Kind(name: name, schema: schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, let plain, let place) = node else {
                return reading.refuse(node, expected: Spelling.withArticle(name))
            }
            guard YAMLNode.coreType(text, plain: plain) == .string, !text.isEmpty else {
                let quoted = text.isEmpty || text == "~" ? "write \(Spelling.withArticle(name)) here" : "put it in quotes: \"\(text)\""
                return reading.refuse(node, expected: Spelling.withArticle(name), fix: quoted)
            }
            guard text.utf8.count <= bytes, !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
                reading.problems.error(
                    place, "this \(name) is longer than \(bytes) bytes or holds control characters",
                    fix: "shorten it to one line of plain text")
                return nil
            }
            return text
        }
    }
}
