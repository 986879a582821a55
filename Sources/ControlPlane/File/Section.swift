import Synchronization
import Tokens

/// A map of the file whose keys have been held against their declarations; values are read by typed key.
///
/// Making one reports unknown, unsupported and missing keys. Reading a key reports what is wrong with its value.
struct Section {
    let place: Place
    let reading: Reading
    private let shape: SectionShape
    private let entries: [String: YAMLEntry]

    init(_ entries: [YAMLEntry], at place: Place, shape: SectionShape, reading: Reading) {
        self.place = place
        self.reading = reading
        self.shape = shape
        self.entries = Dictionary(entries.map { ($0.key, $0) }) { first, _ in first }
        let meant = Set(entries.compactMap { reportUnknown($0) })
        for key in shape.keys where self.entries[key.name] == nil && !meant.contains(key.name) {
            guard case .required = key.presence else { continue }
            reading.problems.error(place, "`\(key.name)` is missing here", fix: "add `\(key.name):` (\(key.kindName))")
        }
    }

    /// The value of `key`, its default where it isn't written; nil where it is wrong (reported) or has neither.
    subscript<Value>(_ key: Key<Value>) -> Value? {
        precondition(shape.keys.contains { $0.name == key.name }, "\(key.name) is not declared in \(shape.name)")
        if let entry = entries[key.name] { return key.kind.read(entry.value, reading) }
        guard case .byDefault(let text) = key.presence else { return nil }
        return Self.value(ofDefault: text, key: key, reading: reading)
    }

    /// What each key says, as it is written, with its place: defaults are not among them.
    var traces: [String: SectionTrace] {
        entries.mapValues { SectionTrace(digest: Digest.sha256(Array($0.value.json.text().utf8).span), place: $0.place) }
    }

    func has<Value>(_ key: Key<Value>) -> Bool { entries[key.name] != nil }

    /// Whether it has keys that were refused: what seems to be missing may have been meant by one of them.
    var hasUnknownKeys: Bool { entries.keys.contains { name in !shape.keys.contains { $0.name == name } } }

    /// Where the key stands, or the section where it isn't written.
    func place<Value>(_ key: Key<Value>) -> Place { place(key.name) }

    func place(_ name: String) -> Place { entries[name]?.place ?? place }

    /// Reports that `key` says what it can't say here.
    func refuse<Value>(_ key: Key<Value>, _ message: String, fix remedy: String) {
        reading.problems.error(place(key), message, fix: remedy)
    }

    /// The key that was probably meant.
    private func reportUnknown(_ entry: YAMLEntry) -> String? {
        guard !shape.keys.contains(where: { $0.name == entry.key }) else { return nil }
        if shape.later.contains(entry.key) {
            reading.problems.error(
                entry.place, "`\(entry.key)` is not supported by this version", fix: "remove it until a version that knows it is installed")
            return nil
        }
        let names = shape.keys.map(\.name)
        let meant = Spelling.nearest(to: entry.key, in: names + shape.later)
        let remedy = meant.map { "did you mean `\($0)`?" } ?? "remove it; known here: \(names.joined(separator: ", "))"
        reading.problems.error(entry.place, "unknown key `\(entry.key)`", fix: remedy)
        return meant
    }

    /// Defaults that have been parsed, by their text: thousands of entries have the same.
    private static let defaults = Mutex<[String: YAMLNode]>([:])

    private static func value<Value>(ofDefault text: String, key: Key<Value>, reading: Reading) -> Value? {
        let problems = ProblemList()
        let node = Self.defaults.withLock { known -> YAMLNode? in
            if let node = known[text] { return node }
            let node = YAMLDocument.read(text, file: "default of \(key.name)", problems: problems)
            known[text] = node
            return node
        }
        let value = node.flatMap { key.kind.read($0, Reading(problems: problems, folder: reading.folder)) }
        precondition(value != nil && problems.all.isEmpty, "the default of \(key.name) is not one")
        return value
    }
}

extension Kind where Value == Section {
    /// A map with the keys of `shape`.
    static func section(_ shape: SectionShape) -> Kind<Section> {
        Kind(
            name: "map", schema: .object([("$ref", .string("#/$defs/\(shape.name)"))]), forms: [.map],
            children: [SectionChild(suffix: "", shape: shape)]
        ) { node, reading in
            guard case .map(let entries, let place) = node else {
                return reading.refuse(
                    node, expected: "a map", fix: "write `{\(shape.keys.prefix(2).map { "\($0.name): …" }.joined(separator: ", "))}`")
            }
            return Section(entries, at: place, shape: shape, reading: reading)
        }
    }
}

/// What one key at the top of the file says, to tell whether another file says the same.
package struct SectionTrace: Hashable, Sendable {
    /// SHA-256 of its value, however it is laid out.
    package var digest: [UInt8]
    package var place: Place
}
