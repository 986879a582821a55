// Durations and sizes: a whole number and a unit.

extension Kind where Value == Int64 {
    /// Milliseconds, written `500ms`, `30s`, `5m`, `1h`.
    static func duration(_ lowest: String, _ highest: String) -> Kind {
        let range = Quantity.duration.value(lowest)!...Quantity.duration.value(highest)!
        return quantity(.duration, "duration", "\(lowest)…\(highest)", range, example: "30s")
    }

    /// Bytes, written `512`, `8KiB`, `10MiB`, `1GiB`.
    static func size(_ lowest: String, _ highest: String) -> Kind {
        let range = Quantity.size.value(lowest)!...Quantity.size.value(highest)!
        return quantity(.size, "size", "\(lowest)…\(highest)", range, example: "8KiB")
    }

    private static func quantity(_ quantity: Quantity, _ name: String, _ bound: String, _ range: ClosedRange<Int64>, example: String)
        -> Kind
    {
        Kind(name: name, bound: bound, schema: quantity.schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, _, let place) = node, let value = quantity.value(text) else {
                let unit =
                    "write a whole number with a unit (\(quantity.units.map(\.name).filter { !$0.isEmpty }.joined(separator: ", "))): `\(example)`"
                return reading.refuse(node, expected: Spelling.withArticle(name), fix: unit)
            }
            if range.contains(value) { return value }
            reading.problems.error(place, "\(text) is out of bounds", fix: "write a \(name) of \(bound)")
            return nil
        }
    }
}

/// A family of units.
struct Quantity: Sendable {
    let units: [(name: String, factor: Int64)]

    static let duration = Quantity(units: [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)])
    static let size = Quantity(units: [("", 1), ("KiB", 1024), ("MiB", 1 << 20), ("GiB", 1 << 30)])

    /// The value in the smallest unit; nil for anything but digits and one of the units.
    func value(_ text: String) -> Int64? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard (1...12).contains(digits.utf8.count), let number = Int64(digits) else { return nil }
        guard let unit = units.first(where: { $0.name == text[digits.endIndex...] }) else { return nil }
        let (value, overflow) = number.multipliedReportingOverflow(by: unit.factor)
        return overflow ? nil : value
    }

    var schema: SchemaValue {
        let names = units.map(\.name).filter { !$0.isEmpty }.joined(separator: "|")
        let bare = units.contains { $0.name.isEmpty }
        let text: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^[0-9]{1,12}(\(names))\(bare ? "?" : "")$"))])
        guard bare else { return text }
        return .object([("anyOf", .array([text, .object([("type", .string("integer")), ("minimum", .integer(0))])]))])
    }
}
