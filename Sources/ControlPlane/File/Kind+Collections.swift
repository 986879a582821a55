// Lists, and maps whose keys are names that the file chooses.

extension Kind {
    /// A list of `count` values.
    static func list<Element>(of element: Kind<Element>, _ count: ClosedRange<Int>) -> Kind where Value == [Element] {
        let schema: SchemaValue = .object([
            ("type", .string("array")), ("items", element.schema), ("minItems", .integer(count.lowerBound)),
            ("maxItems", .integer(count.upperBound)),
        ])
        let children = element.children.map { SectionChild(suffix: "[]" + $0.suffix, shape: $0.shape) }
        return Kind(
            name: element.children.isEmpty ? "list of \(element.name)s" : "list", bound: "\(count.lowerBound)…\(count.upperBound) entries",
            schema: schema, forms: [.list], children: children
        ) { node, reading in
            guard case .list(let nodes, let place) = node else {
                let remedy =
                    if case .scalar(let text, _, _) = node, !text.isEmpty { "write `[\(text)]`" } else {
                        "write `[…]` or one `- …` per line"
                    }
                return reading.refuse(node, expected: "a list", fix: remedy)
            }
            let values = nodes.compactMap { element.read($0, reading) }
            guard count.contains(nodes.count) else {
                let what = nodes.isEmpty ? "the list is empty" : "the list has \(nodes.count) entries"
                reading.problems.error(place, what, fix: "write \(count.lowerBound)…\(count.upperBound) entries")
                return nil
            }
            return values.count == nodes.count ? values : nil
        }
    }

    /// A map from names (letters, digits, `-`, `_`, `.`; 1…64) to values, in the file's order. Names of wrong values are kept with nil.
    static func named<Element>(_ element: Kind<Element>, _ count: ClosedRange<Int>) -> Kind where Value == [Named<Element>] {
        let schema: SchemaValue = .object([
            ("type", .string("object")), ("additionalProperties", element.schema),
            ("propertyNames", .object([("pattern", .string("^[A-Za-z0-9_.-]{1,64}$"))])),
            ("minProperties", .integer(count.lowerBound)), ("maxProperties", .integer(count.upperBound)),
        ])
        let children = element.children.map { SectionChild(suffix: ".NAME" + $0.suffix, shape: $0.shape) }
        return Kind(
            name: "map by name", bound: "\(count.lowerBound)…\(count.upperBound) entries", schema: schema, forms: [.map], children: children
        ) { node, reading in
            guard case .map(let entries, let place) = node else {
                return reading.refuse(node, expected: "a map from names to maps", fix: "write `NAME: {…}`")
            }
            if !count.contains(entries.count) {
                reading.problems.error(
                    place, entries.isEmpty ? "there is nothing in it" : "there are \(entries.count) entries",
                    fix: "write \(count.lowerBound)…\(count.upperBound) entries")
            }
            return entries.map { entry in
                if !isName(entry.key) {
                    reading.problems.error(
                        entry.place, "`\(entry.key)` can't be a name", fix: "use 1…64 letters, digits, `-`, `_` and `.`")
                }
                return Named(name: entry.key, place: entry.place, value: element.read(entry.value, reading))
            }
        }
    }
}

/// An entry of a map by name; the value is nil where it is wrong.
struct Named<Element> {
    let name: String
    let place: Place
    let value: Element?
}

private func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
        && text.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
        }
}
