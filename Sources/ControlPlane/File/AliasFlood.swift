/// Finds documents whose aliases could multiply (a "billion laughs"), before the parser sees them.
///
/// The parser compares keys by what their aliases stand for, in a time that doubles with every level. Aliases are refused one by one
/// after parsing; here only more of them than could do harm are.
enum AliasFlood {
    /// Aliases that a document may show the parser.
    static let bound = 8

    /// The first one's place where there are anchors and more aliases than `bound`, comments included.
    static func place(in text: String, file: String) -> Place? {
        var scan = Scan()
        for scalar in text.unicodeScalars { scan.take(scalar) }
        guard scan.anchors > 0, scan.aliases > bound, let first = scan.first else { return nil }
        return Place(file: file, line: first.line, column: first.column)
    }

    private struct Scan {
        var anchors = 0
        var aliases = 0
        var first: (line: Int, column: Int)?
        private var (line, column) = (1, 0)
        private var before: Unicode.Scalar = "\n"
        private var last: Unicode.Scalar = "\n"

        /// An indicator after a break, followed by something that isn't one.
        mutating func take(_ scalar: Unicode.Scalar) {
            if last == "*" || last == "&", Self.isBreak(before), !Self.isBreak(scalar) {
                if last == "&" { anchors += 1 } else { aliases += 1 }
                if last == "*", first == nil { first = (line, column) }
            }
            if scalar == "\n" { (line, column) = (line + 1, 0) } else { column += 1 }
            (before, last) = (last, scalar)
        }

        private static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isWhitespace || "[]{},:?-\"'".unicodeScalars.contains(scalar)
        }
    }
}
