import HTTP2
import Policy

/// HTTP/2 streams that clients of one source address (IPv6 by /64) have taken back or had reset: who is sent away for too many on one
/// connection comes back with the next. Shared by all loops, without a lock.
final class SourceResets: Sendable {
    private let table: RateTable
    private let key: KeyedHash

    private static let interval = 1_000_000_000 / Int64(HTTP2Limits.sourceResetsPerSecond)
    private static let tolerance = interval * Int64(HTTP2Limits.sourceResets - 1)

    init() {
        table = RateTable(places: HTTP2Limits.resetSources)
        key = table.hash(for: "resets")
    }

    /// False where it was one too many. `now` in nanoseconds.
    func take(_ source: SourceAddress, now: Int64) -> Bool {
        let bytes = [source.high, source.low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) } }
        return table.take(key(bytes.span), interval: Self.interval, tolerance: Self.tolerance, now: now) == 0
    }
}
