/// How a value is written in the file, what it becomes, and how the schema and the reference call it.
///
/// Reading reports what is wrong itself and answers nil then.
struct Kind<Value>: Sendable {
    /// For people: "duration", "list of methods".
    var name: String
    /// For people: `1s…1h`; nil where there is no bound to tell.
    var bound: String?
    var schema: SchemaValue
    var forms: Set<ValueForm>
    /// The sections inside, each with what stands between this key's name and theirs: `[]`, `.NAME` or nothing.
    var children: [SectionChild] = []
    var read: @Sendable (YAMLNode, Reading) -> Value?
}

/// What a value looks like from outside: by it two ways to write a value are told apart.
enum ValueForm: Sendable { case scalar, list, map }

/// A section within a key's value.
struct SectionChild: Sendable {
    var suffix: String
    var shape: SectionShape
}

/// What all readers of one run share.
final class Reading {
    let problems: ProblemList
    /// The folder of the file that is being read, to which relative paths are relative; empty for the current one.
    let folder: String

    init(problems: ProblemList, folder: String) {
        self.problems = problems
        self.folder = folder
    }

    /// The path as the process can open it.
    func resolve(_ path: String) -> String {
        path.hasPrefix("/") || folder.isEmpty ? path : "\(folder)/\(path)"
    }

    /// The folder part of a path, without the last slash; empty for none.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// A value together with the place where it stands, for checks that come later.
struct Located<Value> {
    let value: Value
    let place: Place
}

extension Located: Sendable where Value: Sendable {}

/// One of two ways to write a value.
enum Either<First, Second> {
    case first(First)
    case second(Second)
}

extension Kind {
    /// The same with the value's place kept.
    var located: Kind<Located<Value>> {
        convert { value, node, _ in Located(value: value, place: node.place) }
    }

    /// The same, made into something else; nil after the closure has reported why not.
    func convert<Other>(_ make: @escaping @Sendable (Value, YAMLNode, Reading) -> Other?) -> Kind<Other> {
        let read = read
        return Kind<Other>(name: name, bound: bound, schema: schema, forms: forms, children: children) { node, reading in
            guard let value = read(node, reading) else { return nil }
            return make(value, node, reading)
        }
    }

    /// This, or where the value has another form, `other`.
    func or<Other>(_ other: Kind<Other>) -> Kind<Either<Value, Other>> {
        let (first, second) = (self, other)
        let expected = "\(name) or \(other.name)"
        return Kind<Either<Value, Other>>(
            name: expected, bound: bound ?? other.bound, schema: .object([("anyOf", .array([schema, other.schema]))]),
            forms: forms.union(other.forms), children: children + other.children
        ) { node, reading in
            guard let form = node.form else { return nil }
            if first.forms.contains(form) { return first.read(node, reading).map(Either.first) }
            if second.forms.contains(form) { return second.read(node, reading).map(Either.second) }
            return reading.refuse(node, expected: expected)
        }
    }
}

extension YAMLNode {
    /// Nil for what has been refused already.
    var form: ValueForm? {
        switch self {
        case .scalar: .scalar
        case .list: .list
        case .map: .map
        case .invalid: nil
        }
    }
}

extension Reading {
    /// Reports a value of a wrong type; nothing where the value has been refused before.
    func refuse<Value>(_ node: YAMLNode, expected: String, fix remedy: String? = nil) -> Value? {
        if case .invalid = node { return nil }
        problems.error(node.place, "expected \(expected), found \(node.description)", fix: remedy ?? "write \(expected)")
        return nil
    }
}
