import Yams

/// Reads YAML text strictly into a `YAMLNode` tree.
///
/// One document; no anchors, aliases, merge keys or tags, so that what stands at a place is what is meant there; keys are plain
/// strings, each once in its map. Bounds: `bytes` and `depth`. A syntax error ends the reading, everything else is collected.
struct YAMLDocument {
    /// Bytes of a file: thousands of routes fit.
    static let bytes = 1024 * 1024
    /// Levels of maps and lists.
    static let depth = 24

    /// The root, or nil with the reason in `problems`.
    static func read(_ bytes: [UInt8], file: String, problems: ProblemList) -> YAMLNode? {
        let start = Place(file: file, line: 1, column: 1)
        guard bytes.count <= Self.bytes else {
            problems.error(start, "the file is larger than \(Self.bytes / 1024) KiB", fix: "split the work over several gateways")
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            problems.error(invalidPlace(bytes, file: file), "the file is not UTF-8 text here", fix: "save the file as UTF-8")
            return nil
        }
        return read(text, file: file, problems: problems)
    }

    static func read(_ text: String, file: String, problems: ProblemList) -> YAMLNode? {
        if let place = AliasFlood.place(in: text, file: file) {
            problems.error(place, "aliases (*name) are not taken in this file", fix: "write the value out where it is meant")
            return nil
        }
        var source = DuplicateKeyMask(text)
        while true {
            do {
                let parser = try Parser(yaml: source.text)
                let root = try parser.singleRoot()
                return withExtendedLifetime(parser) {
                    YAMLConversion(file: file, problems: problems, mask: source).root(root)
                }
            } catch YamlError.duplicatedKeysInMapping(_, let context) {
                if source.mask(line: context.mark.line, column: context.mark.column) { continue }
                let place = Place(file: file, line: context.mark.line, column: context.mark.column)
                problems.error(place, "a key is given twice in this map", fix: "keep one of them")
                return nil
            } catch {
                problems.error(place(of: error, in: text, file: file), reason(of: error), fix: "correct the YAML syntax here")
                return nil
            }
        }
    }

    private static func place(of error: any Error, in text: String, file: String) -> Place {
        switch error {
        case YamlError.scanner(_, _, let mark, _), YamlError.parser(_, _, let mark, _), YamlError.composer(_, _, let mark, _):
            return Place(file: file, line: mark.line, column: mark.column)
        case YamlError.reader(_, let offset?, _, _):
            let before = text.prefix(offset).unicodeScalars
            let line = before.count { $0 == "\n" } + 1
            let column = before.reversed().prefix { $0 != "\n" }.count + 1
            return Place(file: file, line: line, column: column)
        default: return Place(file: file, line: 1, column: 1)
        }
    }

    private static func reason(of error: any Error) -> String {
        switch error {
        case YamlError.scanner(let context, let problem, _, _), YamlError.parser(let context, let problem, _, _):
            return "not YAML: \(problem)\(context.map { " (\($0.text))" } ?? "")"
        case YamlError.composer(_, "found undefined alias", _, _): return "an alias (*name) is not taken in this file"
        case YamlError.composer(_, let problem, _, _): return "not one YAML document: \(problem)"
        case YamlError.reader(let problem, _, _, _): return "not YAML: \(problem)"
        default: return "not YAML: \(error)"
        }
    }

    private static func invalidPlace(_ bytes: [UInt8], file: String) -> Place {
        var (line, start) = (1, 0)
        for index in bytes.indices where bytes[index] == 10 {
            guard String(validating: bytes[start..<index], as: UTF8.self) != nil else { break }
            line += 1
            start = index + 1
        }
        let rest = bytes[start...]
        var good = 0
        while good < min(rest.count, 4096), String(validating: rest.prefix(good + 1), as: UTF8.self) != nil { good += 1 }
        return Place(file: file, line: line, column: good + 1)
    }
}
