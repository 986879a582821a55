/// Finds what somebody probably meant.
enum Spelling {
    /// The nearest of `candidates` by edit distance (swapped neighbours count once), within a third of the length; nil where none is near.
    static func nearest(to word: String, in candidates: [String]) -> String? {
        let folded = fold(word)
        guard !folded.isEmpty, folded.count <= 64 else { return nil }
        let ranked = candidates.map { (distance(folded, fold($0)), $0) }
        guard let best = ranked.min(by: { $0.0 < $1.0 }), best.0 <= max(1, folded.count / 3) else { return nil }
        return best.1
    }

    /// `a token`, `an address`.
    static func withArticle(_ noun: String) -> String {
        let vowels: Set<Character> = ["a", "e", "i", "o", "u"]
        return "\(noun.first.map(vowels.contains) == true ? "an" : "a") \(noun)"
    }

    private static func fold(_ word: String) -> [UInt8] {
        word.lowercased().utf8.map { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: " ") ? UInt8(ascii: "_") : $0 }
    }

    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var rows = [Array(0...b.count)]
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var best = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
