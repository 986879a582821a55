package import Policy

/// How a request ended, as one number: what the log calls its `code`.
package struct EndingCode: Hashable, Sendable {
    private let number: UInt8

    /// The upstream's own answer, passed on whole.
    static let answered = EndingCode(number: 253)
    static let clientClosed = EndingCode(number: 254)
    static let upstreamAborted = EndingCode(number: 255)

    private init(number: UInt8) { self.number = number }

    init(_ denial: Denial) { number = denial.rawValue }

    /// The log's `code`.
    package var text: StaticString {
        switch self {
        case .answered: "-"
        case .clientClosed: "client_closed"
        case .upstreamAborted: "upstream_aborted"
        default: denial?.code ?? "-"
        }
    }

    /// The log's `stage`.
    package var stage: Stage { denial?.stage ?? .respond }

    private var denial: Denial? { Denial(rawValue: number) }
}

/// The cells of one route: refusals by code, answers by status, and the histogram of durations.
///
/// What doesn't fit (an unregistered status, an answer that was broken off) is counted in a table beside it; it is rare.
enum RouteCells {
    /// Room for every code; a literal, since every request asks.
    static let refusals = 64
    private static let answers = 62
    static let histogram = refusals + answers
    static let count = histogram + DurationBuckets.cells

    /// The cell of a whole answer with this status; nil for one that is not registered.
    static func answer(_ status: UInt16) -> Int? {
        let status = Int(status)
        return switch status {
        case 200...208: refusals + status - 200
        case 226: refusals + 9
        case 300...308: refusals + 10 + status - 300
        case 400...418: refusals + 19 + status - 400
        case 421...431: refusals + 38 + status - 421
        case 451: refusals + 49
        case 500...511: refusals + 50 + status - 500
        default: nil
        }
    }

    /// What each cell before the histogram counts.
    static let meanings: [(code: EndingCode, status: UInt16)] = {
        precondition(Denial.allCases.count <= refusals, "a code without a cell")
        let refused = (0..<refusals).map { cell in
            let denial = Denial(rawValue: UInt8(cell)) ?? .internalError
            return (EndingCode(denial), denial.status)
        }
        let answered = (200...511).filter { answer(UInt16($0)) != nil }.map { (EndingCode.answered, UInt16($0)) }
        return refused + answered
    }()
}

/// What is rare enough to be looked up: an ending that has no cell of its own.
package struct OddEnding: Hashable, Sendable {
    let row: Int
    let code: EndingCode
    let status: UInt16

    /// The same counts after the rows have moved; those of rows that are forgotten are forgotten.
    static func moved(_ counts: [OddEnding: Int], _ moves: [Int?]) -> [OddEnding: Int] {
        var moved: [OddEnding: Int] = [:]
        for (ending, count) in counts {
            if let row = moves[ending.row] { moved[OddEnding(row: row, code: ending.code, status: ending.status)] = count }
        }
        return moved
    }
}
