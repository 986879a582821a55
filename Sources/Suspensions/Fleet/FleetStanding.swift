import Synchronization

/// How a gateway stands with its fleet, for `/readyz`, `/metrics` and the log.
package struct FleetStatus: Sendable, Equatable {
    /// Where the connection is.
    package enum Link: String, Sendable, CaseIterable { case joined, away, refused }

    package var link = Link.away
    /// Why it isn't joined; nil where it is.
    package var trouble: String? = "not yet connected"
    /// Whether that is the ledger's doing and not the database's. It may be joined all the same: then what others suspend is held in memory.
    package var isLedgerTrouble = false
    /// The last row of the shared log that could not be read, or that is beyond its counter; nobody is told of what it says.
    package var unreadable: Int64?
    /// Whether news come at once; otherwise they are polled for.
    package var hears = true
    /// The last number of the shared log that is in force here.
    package var applied: Int64 = 0
    /// Words of this gateway that the others don't have yet.
    package var unsent = 0
    /// Nanoseconds (CLOCK_BOOTTIME) when the gateway began to take part.
    let begunAt = FleetGate.now()
    /// Nanoseconds (CLOCK_BOOTTIME) when everything that the others had published was in force here; 0 for never since the start.
    package var caughtUpAt: Int64 = 0
    /// Subjects with calls that overlapped and aren't settled.
    package var contested = 0
    /// Entries of others that were put in force, and words that were published.
    package var heard = 0
    package var published = 0
    /// The gateways of the fleet, this one too, as they last said: at most `Limits.fleetMembers`.
    package var members: [FleetPeer] = []
    /// Whether requests are refused now.
    package var isRefusing = false
    /// From the confirmation at another gateway until it was in force here, by both machines' clocks.
    package var propagation = FleetTimes()

    package init() {}

    /// Seconds since everything was in force here that the others had published, or since the start.
    package var behindSeconds: Double { max(0, Double(FleetGate.now() - max(caughtUpAt, begunAt)) / 1_000_000_000) }
}

/// A gateway of the fleet as the shared log knows it.
package struct FleetPeer: Sendable, Equatable {
    /// The file's `fleet.name`.
    package let name: String
    package let isThis: Bool
    /// Whether the others count on it: its lease has not run out.
    package let isLive: Bool
    /// Milliseconds since it last said what is in force there.
    package let seenMilliseconds: Int64
    /// Entries of the shared log that weren't in force there then, up to `Limits.fleetBehindCounted`.
    package let behind: Int
}

/// Durations in buckets.
package struct FleetTimes: Sendable, Equatable {
    /// Milliseconds: upper bounds, the last bucket has none.
    package static let bounds: [Int64] = [1, 2, 5, 10, 20, 50, 100, 250, 500, 1000, 5000, 60_000]
    package private(set) var buckets = [Int](repeating: 0, count: bounds.count + 1)
    /// Milliseconds.
    package private(set) var sum: Int64 = 0

    mutating func add(_ milliseconds: Int64) {
        // An hour: clocks that are further apart tell nothing.
        let time = min(max(0, milliseconds), 3_600_000)
        buckets[Self.bounds.firstIndex { time <= $0 } ?? Self.bounds.count] += 1
        sum += time
    }
}
