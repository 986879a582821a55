import Policy

/// What one answer of a service has said of users, for another process that answers from what it has learned itself.
package struct AliasWord: Sendable, Equatable {
    /// Rows of one word as it is told: each has two ids, a rule and an alias, and a message is 64 KiB.
    package static let rows = 16

    /// When the answer was asked for (steady nanoseconds, which processes of one machine have in common).
    package let asked: Int64
    package let rows: [AliasRow]

    package init(asked: Int64, rows: [AliasRow]) {
        self.asked = asked
        self.rows = rows
    }

    init(_ readings: [AliasReading], directory: DirectoryIndex, tenant: FormattedID?, asked: Int64) {
        self.asked = asked
        rows = readings.map {
            AliasRow(directory: directory, tenant: tenant, kind: $0.rule.kind, user: $0.user, value: $0.value)
        }
    }

    /// The same in pieces that a message has room for: what was asked for at one time says the same in pieces.
    var parts: [AliasWord] {
        stride(from: 0, to: rows.count, by: Self.rows).map {
            AliasWord(asked: asked, rows: Array(rows[$0..<min($0 + Self.rows, rows.count)]))
        }
    }
}
