/// A YAML value with its place: what is left of a document once everything that the file doesn't take has been refused.
indirect enum YAMLNode: Sendable {
    /// `plain` tells `8443` and `true` from `"8443"` and `"true"`.
    case scalar(String, plain: Bool, Place)
    case list([YAMLNode], Place)
    case map([YAMLEntry], Place)
    /// Something was wrong here and has been reported: readers pass over it in silence.
    case invalid(Place)

    var place: Place {
        switch self {
        case .scalar(_, _, let place), .list(_, let place), .map(_, let place), .invalid(let place): place
        }
    }

    /// What a person calls it in "expected …, found …".
    var description: String {
        switch self {
        case .scalar(let text, let plain, _):
            switch Self.coreType(text, plain: plain) {
            case .null: "nothing"
            case .boolean: "the boolean \(text)"
            case .integer, .float: "the number \(text)"
            case .string: text.isEmpty ? "an empty string" : "\(plain ? text : "\"\(text)\"")"
            }
        case .list: "a list"
        case .map: "a map"
        case .invalid: "something else"
        }
    }
}

/// A key of a map, its place and its value.
struct YAMLEntry: Sendable {
    let key: String
    let place: Place
    let value: YAMLNode
}

extension YAMLNode {
    /// What a plain scalar means by YAML 1.2's core schema (§10.3.2); `yes`, `no`, `on` and `off` are strings there.
    enum CoreType { case null, boolean, integer, float, string }

    static func coreType(_ text: String, plain: Bool) -> CoreType {
        guard plain else { return .string }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "false", "False", "FALSE": return .boolean
        default: break
        }
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        guard text.utf8.count - digits.count <= 1, let first = digits.first else { return .string }
        if !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) }) { return .integer }
        let isNumeric = digits.allSatisfy { (48...57).contains($0) || [46, 69, 101, 43, 45].contains($0) }
        return isNumeric && ((48...57).contains(first) || first == 46) && Double(text) != nil ? .float : .string
    }
}
