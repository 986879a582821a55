/// README's reference of the file: one row per key, made from the declarations.
package enum ReferenceTable {
    /// Two tables in Markdown: the file's keys, then a dialect's.
    package static var markdown: String {
        """
        Durations are a whole number with `ms`, `s`, `m` or `h`; sizes are bytes, or a whole number with `KiB`, `MiB` or `GiB`. Relative paths
        start at the folder of the file that names them. `[]` stands for each entry of a list, `NAME` for a name that you choose.

        | key | type | default | bound | meaning |
        |---|---|---|---|---|
        \(rows(RootSection.shape))

        A dialect file:

        | key | type | default | bound | meaning |
        |---|---|---|---|---|
        \(rows(DialectFile.shape))
        """
    }

    /// The path of every key below `shape`, in the order of the declarations.
    static func paths(_ shape: SectionShape, below prefix: String = "") -> [(path: String, key: KeyDeclaration)] {
        shape.keys.flatMap { key in
            let path = prefix + key.name
            return [(path, key)] + key.children.flatMap { paths($0.shape, below: path + $0.suffix + ".") }
        }
    }

    private static func rows(_ shape: SectionShape) -> String {
        paths(shape).map { row in
            "| `\(row.path)` | \(row.key.kindName) | \(presence(row.key)) | \(row.key.bound ?? "") | \(row.key.meaning) |"
        }.joined(separator: "\n")
    }

    private static func presence(_ key: KeyDeclaration) -> String {
        switch key.presence {
        case .required: "**required**"
        case .optional(let text): text
        case .byDefault(let text): "`\(text)`"
        }
    }
}
