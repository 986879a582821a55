import Testing

@testable import Policy
@testable import Proxy

@Suite("Counters by label")
struct LabelledRowsTests {
    private static let bound = Limits.goneMetricLabels

    /// Files that each name as many labels of their own as may be kept of gone ones.
    private func labels(_ file: Int) -> [String] { (0..<Self.bound).map { "\(file)/\($0)" } }

    private func count(_ rows: LabelledRows, _ label: String) -> Int? {
        let figures = rows.figures
        return figures.labels.firstIndex(of: label).map { figures.row($0).last! }
    }

    @Test("of a label that is gone are told on, and go on when it comes back")
    func comingBack() {
        var rows = LabelledRows(width: 2)
        #expect(rows.adopt(["a", "b"]) == nil)
        rows.add(3, rows.row(of: "a"), 1)
        #expect(rows.adopt(["b"]) == nil)
        #expect(count(rows, "a") == 3)
        #expect(rows.adopt(["a", "b"]) == nil)
        rows.add(1, rows.row(of: "a"), 1)
        #expect(count(rows, "a") == 4)
    }

    @Test("never grow beyond the labels in force and the bound of gone ones, however often the file changes")
    func bounded() {
        var rows = LabelledRows(width: 2)
        for file in 0..<20 {
            _ = rows.adopt(labels(file))
            for label in labels(file) { _ = rows.row(of: label) }
            #expect(rows.figures.labels.count <= 2 * Self.bound)
            #expect(rows.figures.cells.count == rows.figures.labels.count * 2)
        }
    }

    @Test("keep what labels in force have counted when others are forgotten, and say where their rows are now")
    func moving() throws {
        var rows = LabelledRows(width: 2)
        _ = rows.adopt(labels(0) + ["kept"])
        for label in labels(0) { rows.add(7, rows.row(of: label), 1) }
        let before = rows.row(of: "kept")
        rows.add(5, before, 1)
        #expect(rows.adopt(["kept"]) == nil, "as many as may be kept")
        #expect(count(rows, labels(0)[0]) == 7)
        _ = rows.adopt(["kept", "one more"])
        let moved = rows.adopt(["kept"])
        let moves = try #require(moved, "one too many")
        #expect(moves[before] == rows.row(of: "kept"))
        #expect(moves.filter { $0 != nil }.count == 1)
        #expect(count(rows, "kept") == 5)
        #expect(count(rows, labels(0)[0]) == nil)
    }

    @Test("rare endings move with their rows")
    func rareEndings() {
        let rare = [0, 1, 2].map { OddEnding(row: $0, code: .clientClosed, status: 0) }
        let counts = Dictionary(uniqueKeysWithValues: zip(rare, [10, 11, 12]))
        #expect(OddEnding.moved(counts, [0, nil, 1]) == [rare[0]: 10, rare[1]: 12])
    }
}
