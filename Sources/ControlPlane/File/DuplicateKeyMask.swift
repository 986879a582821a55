/// Lets reading go on after a duplicate key: the parser stops at the first, so the first of two equal keys is masked and put back later.
///
/// The first character of its text is replaced by a private-use one, which keeps every line and column. Bounded by the characters
/// that Unicode leaves for private use.
struct DuplicateKeyMask {
    private(set) var text: String
    private var masked: [Unicode.Scalar: Masked] = [:]

    private struct Masked {
        let original: Unicode.Scalar
        let line: Int
        let column: Int
    }

    init(_ text: String) { self.text = text }

    /// False where what stands there isn't simple enough to be masked.
    mutating func mask(line: Int, column: Int) -> Bool {
        guard masked.count < 256, let substitute = Unicode.Scalar(0xE000 + UInt32(masked.count)) else { return false }
        var scalars = text.unicodeScalars
        guard var index = Self.index(in: scalars, line: line, column: column) else { return false }
        if scalars[index] == "\"" || scalars[index] == "'" { index = scalars.index(after: index) }
        guard index < scalars.endIndex, Self.isSimple(scalars[index]), !scalars.contains(substitute) else { return false }
        masked[substitute] = Masked(original: scalars[index], line: line, column: column)
        scalars.replaceSubrange(index...index, with: CollectionOfOne(substitute))
        text = String(scalars)
        return true
    }

    /// The key as it was written.
    func original(_ key: String, line: Int, column: Int) -> String {
        guard let first = key.unicodeScalars.first, let entry = masked[first], entry.line == line, entry.column == column else {
            return key
        }
        var scalars = key.unicodeScalars
        scalars.replaceSubrange(scalars.startIndex...scalars.startIndex, with: CollectionOfOne(entry.original))
        return String(scalars)
    }

    private static func isSimple(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" || scalar == "<"
    }

    private static func index(in scalars: String.UnicodeScalarView, line: Int, column: Int) -> String.UnicodeScalarView.Index? {
        var at = line
        var index = scalars.startIndex
        while at > 1 {
            guard let end = scalars[index...].firstIndex(where: { $0 == "\n" }) else { return nil }
            index = scalars.index(after: end)
            at -= 1
        }
        guard let found = scalars.index(index, offsetBy: column - 1, limitedBy: scalars.endIndex), found < scalars.endIndex else {
            return nil
        }
        return found
    }
}
