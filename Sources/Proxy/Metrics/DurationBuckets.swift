/// The buckets of every duration that is measured: from what the gateway itself takes to what no client waits for.
package enum DurationBuckets {
    /// Upper bounds in nanoseconds, inclusive; above the last comes one more bucket.
    package static let bounds: [Int64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
    ]

    /// Cells that a histogram takes: its buckets, not cumulated, and the sum in nanoseconds.
    static let cells = 19

    /// Counts a duration in the histogram whose cells begin at `first`.
    @inline(__always)
    static func count(_ nanoseconds: Int64, in cells: inout [Int], from first: Int = 0) {
        cells[first + bucket(of: nanoseconds)] &+= 1
        cells[first + Self.cells - 1] &+= Int(nanoseconds)
    }

    /// Where a duration is counted. Compared with constants, since every request comes here.
    private static func bucket(of nanoseconds: Int64) -> Int {
        switch nanoseconds {
        case ...100_000: 0
        case ...250_000: 1
        case ...500_000: 2
        case ...1_000_000: 3
        case ...2_500_000: 4
        case ...5_000_000: 5
        case ...10_000_000: 6
        case ...25_000_000: 7
        case ...50_000_000: 8
        case ...100_000_000: 9
        case ...250_000_000: 10
        case ...500_000_000: 11
        case ...1_000_000_000: 12
        case ...2_500_000_000: 13
        case ...5_000_000_000: 14
        case ...10_000_000_000: 15
        case ...30_000_000_000: 16
        default: 17
        }
    }
}

/// A histogram as it is told: buckets that are not cumulated yet, and the sum.
package struct HistogramFigures: Sendable, Equatable {
    /// One for each of `DurationBuckets.bounds` and one above.
    package private(set) var buckets: [Int]
    /// Nanoseconds.
    package private(set) var sum: Int

    package init() {
        buckets = Array(repeating: 0, count: DurationBuckets.cells - 1)
        sum = 0
    }

    init(_ cells: ArraySlice<Int>) {
        buckets = Array(cells.dropLast())
        sum = cells.last ?? 0
    }

    package mutating func add(_ other: Self) {
        for index in buckets.indices { buckets[index] += other.buckets[index] }
        sum += other.sum
    }
}
