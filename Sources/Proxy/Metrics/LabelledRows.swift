/// Rows of counters in one array, one row for each label that has ever been asked for.
struct LabelledRows {
    private let width: Int
    private var labels: [String] = []
    private var rows: [String: Int] = [:]
    private var cells: [Int] = []

    init(width: Int) { self.width = width }

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
