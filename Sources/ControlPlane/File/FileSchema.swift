/// The JSON Schemas (2020-12) of the file and of dialects, made from the declarations: for editors; the reader checks more.
package enum FileSchema {
    /// The content of `config/tenantgate.schema.json`.
    package static var file: String { text(RootSection.shape, title: "tenantgate's file") }

    /// The content of `config/dialect.schema.json`.
    package static var dialect: String {
        text(DialectFile.shape, title: "A dialect of tenantgate: how one user service speaks about its users")
    }

    /// The content of `config/credentials.schema.json`: a file of `credentials_dir`.
    package static var credentials: String {
        let entry: SchemaValue = .object([("$ref", .string("#/$defs/\(CredentialSection.shape.name)"))])
        let list: SchemaValue = .object([("type", .string("array")), ("items", entry)])
        return text(
            CredentialSection.shape, title: "A file of tenantgate's credentials_dir", root: ("anyOf", .array([entry, list])))
    }

    private static func text(_ root: SectionShape, title: String) -> String {
        text(root, title: title, root: ("$ref", .string("#/$defs/\(root.name)")))
    }

    private static func text(_ shape: SectionShape, title: String, root: (String, SchemaValue)) -> String {
        let definitions = shapes(from: shape).map { ($0.name, object($0)) }
        let schema: SchemaValue = .object([
            ("$schema", .string("https://json-schema.org/draft/2020-12/schema")), ("title", .string(title)), root,
            ("$defs", .object(definitions)),
        ])
        return schema.text() + "\n"
    }

    /// The root and everything below it, each once.
    static func shapes(from root: SectionShape) -> [SectionShape] {
        var found: [SectionShape] = []
        var open = [root]
        while !open.isEmpty {
            let shape = open.removeFirst()
            guard !found.contains(where: { $0.name == shape.name }) else { continue }
            found.append(shape)
            open += shape.keys.flatMap(\.children).map(\.shape)
        }
        return found
    }

    private static func object(_ shape: SectionShape) -> SchemaValue {
        let properties = shape.keys.map { key in (key.name, property(key)) }
        let required = shape.keys.filter { if case .required = $0.presence { true } else { false } }.map { SchemaValue.string($0.name) }
        var members: [(String, SchemaValue)] = [
            ("type", .string("object")), ("properties", .object(properties)), ("additionalProperties", .boolean(false)),
        ]
        if !required.isEmpty { members.append(("required", .array(required))) }
        return .object(members + shape.rules)
    }

    private static func property(_ key: KeyDeclaration) -> SchemaValue {
        guard case .object(var members) = key.schema else { return key.schema }
        members.append(("description", .string(key.meaning.replacing("`", with: ""))))
        if case .byDefault(let text) = key.presence, let value = YAMLDocument.read(text, file: "", problems: ProblemList())?.json {
            members.append(("default", value))
        }
        return .object(members)
    }
}

extension YAMLNode {
    /// The same as JSON, plain scalars meaning what YAML's core schema says.
    var json: SchemaValue {
        switch self {
        case .scalar(let text, let plain, _):
            switch Self.coreType(text, plain: plain) {
            case .null: .null
            case .boolean: .boolean(text.lowercased() == "true")
            case .integer: Int(text).map(SchemaValue.integer) ?? .string(text)
            case .float: .decimal(text)
            case .string: .string(text)
            }
        case .list(let nodes, _): .array(nodes.map(\.json))
        case .map(let entries, _): .object(entries.map { ($0.key, $0.value.json) })
        case .invalid: .null
        }
    }
}
