/// One key of the file, declared once: the reader, the schema and the reference table are all made from it.
struct Key<Value>: Sendable {
    let name: String
    let kind: Kind<Value>
    let presence: Presence
    /// One or two sentences for the reference.
    let meaning: String

    init(_ name: String, _ kind: Kind<Value>, _ presence: Presence, _ meaning: String) {
        self.name = name
        self.kind = kind
        self.presence = presence
        self.meaning = meaning
    }
}

/// Whether a key must be written, and what holds where it isn't.
enum Presence: Sendable {
    case required
    /// Without a default; the text says for the reference what its absence means.
    case optional(String)
    /// The default as YAML text: read by the same reader as what the file says.
    case byDefault(String)
}

/// What schema and reference need of a key, without its type.
struct KeyDeclaration: Sendable {
    let name: String
    let presence: Presence
    let kindName: String
    let bound: String?
    let meaning: String
    let schema: SchemaValue
    let children: [SectionChild]
}

extension Key {
    var declaration: KeyDeclaration {
        KeyDeclaration(
            name: name, presence: presence, kindName: kind.name, bound: kind.bound, meaning: meaning, schema: kind.schema,
            children: kind.children)
    }
}

/// The keys of one kind of map in the file.
struct SectionShape: Sendable {
    /// Its name among the schema's definitions.
    let name: String
    let keys: [KeyDeclaration]
    /// Keys that a later version brings: errors that say so.
    let later: [String]
    /// What the JSON Schema says beside the keys.
    let rules: [(String, SchemaValue)]

    init(_ name: String, _ keys: [KeyDeclaration], later: [String] = [], rules: [(String, SchemaValue)] = []) {
        self.name = name
        self.keys = keys
        self.later = later
        self.rules = rules
    }
}
