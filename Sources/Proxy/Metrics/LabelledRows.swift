import Policy

/// Rows of counters in one array, one row for each label: those of the file in force, and of earlier ones as many as
/// `Limits.goneMetricLabels`.
struct LabelledRows {
    private let width: Int
    private var labels: [String] = []
    private var rows: [String: Int] = [:]
    private var cells: [Int] = []
    /// Whose labels are in force.
    private var current: Set<String> = []
    /// Labels that were in force and no longer are.
    private var gone: Set<String> = []

    init(width: Int) { self.width = width }

    /// From now on these labels are in force. What others have counted stays, until there are too many of them: then all of theirs is
    /// forgotten. Which, depends on nothing but the files read so far, so that every loop forgets the same.
    ///
    /// Returns where each row is now, nil for one that is forgotten; nil if none has moved.
    mutating func adopt(_ inForce: some Sequence<String>) -> [Int?]? {
        let before = current
        current = Set(inForce)
        gone = gone.union(before).subtracting(current)
        guard gone.count > Limits.goneMetricLabels else { return nil }
        gone = []
        return forgetOthers()
    }

    private mutating func forgetOthers() -> [Int?] {
        var kept = LabelledRows(width: width)
        let moves = labels.indices.map { row -> Int? in
            guard current.contains(labels[row]) else { return nil }
            let place = kept.row(of: labels[row])
            kept.cells.replaceSubrange(place * width..<(place + 1) * width, with: cells[row * width..<(row + 1) * width])
            return place
        }
        (labels, rows, cells) = (kept.labels, kept.rows, kept.cells)
        return moves
    }

    /// The row of a label; a new one where there was none.
    mutating func row(of label: String) -> Int {
        if let row = rows[label] { return row }
        let row = labels.count
        rows[label] = row
        labels.append(label)
        cells.append(contentsOf: repeatElement(0, count: width))
        return row
    }

    mutating func add(_ amount: Int, _ row: Int, _ cell: Int) { cells[row * width + cell] &+= amount }

    /// Counts a duration in the histogram that begins at `cell`.
    mutating func measure(_ nanoseconds: Int64, _ row: Int, _ cell: Int) {
        DurationBuckets.count(nanoseconds, in: &cells, from: row * width + cell)
    }

    /// A copy in memory of its own.
    var figures: RowFigures { RowFigures(labels: labels, width: width, cells: cells.map { $0 }) }
}

/// Counted rows as they are told.
struct RowFigures: Sendable {
    let labels: [String]
    let width: Int
    let cells: [Int]

    func row(_ index: Int) -> ArraySlice<Int> { cells[index * width..<(index + 1) * width] }
}
