/// A JSON value of which the JSON Schema is made; members keep their order.
indirect enum SchemaValue: Sendable {
    case object([(String, SchemaValue)])
    case array([SchemaValue])
    case string(String)
    case integer(Int)
    case boolean(Bool)
    case null
    /// A number as JSON writes it.
    case decimal(String)

    /// Indented JSON text.
    func text(indent: String = "") -> String {
        let inner = indent + "  "
        switch self {
        case .object(let members):
            guard !members.isEmpty else { return "{}" }
            let lines = members.map { "\(inner)\(Self.quoted($0.0)): \($0.1.text(indent: inner))" }
            return "{\n\(lines.joined(separator: ",\n"))\n\(indent)}"
        case .array(let values): return "[\(values.map { $0.text(indent: inner) }.joined(separator: ", "))]"
        case .string(let text): return Self.quoted(text)
        case .integer(let value): return String(value)
        case .boolean(let value): return String(value)
        case .decimal(let text): return text
        case .null: return "null"
        }
    }

    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            default:
                let hex = String(scalar.value, radix: 16)
                if scalar.value < 0x20 {
                    out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }
}
