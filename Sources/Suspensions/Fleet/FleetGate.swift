import Glibc
import Synchronization

/// Until when requests are served: a gateway that doesn't hear of the others refuses them where the file says so, and one whose lease runs
/// out does before its peers stop counting it. One load for a gateway that never refuses.
package final class FleetGate: Sendable {
    /// Nanoseconds of CLOCK_BOOTTIME, which also counts while the machine sleeps; `max` for ever.
    private let closes = Atomic<Int64>(.max)

    /// Whether requests of a directory are refused now.
    package var isClosed: Bool { Self.isOver(closing) }

    /// From any thread, on every request.
    var closing: Int64 { closes.load(ordering: .acquiring) }

    /// Whether this time has come.
    static func isOver(_ closing: Int64) -> Bool { closing != .max && now() >= closing }

    func close(at time: Int64) { closes.store(time, ordering: .releasing) }

    static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
