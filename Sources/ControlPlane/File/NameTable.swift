/// The names of one part of the file, which others refer to; remembers which were.
final class NameTable {
    let names: [String]
    private(set) var used: Set<Int> = []

    init(_ names: [String]) { self.names = names }

    /// The place of `name` in the list; reports one that isn't there.
    func resolve(_ name: Located<String>, _ what: String, _ problems: ProblemList) -> Int? {
        if let index = names.firstIndex(of: name.value) {
            used.insert(index)
            return index
        }
        let plural = what == "directory" ? "directories" : what + "s"
        let remedy =
            Spelling.nearest(to: name.value, in: names).map { "did you mean `\($0)`?" }
            ?? (names.isEmpty
                ? "declare it under `\(plural)`" : "write one of \(names.joined(separator: ", ")), or declare it under `\(plural)`")
        problems.error(name.place, "there is no \(what) `\(name.value)`", fix: remedy)
        return nil
    }
}
