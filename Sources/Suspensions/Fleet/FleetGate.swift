import Glibc
import Synchronization

/// Until when requests are served: a gateway that doesn't hear of the others refuses them where the file says so, and one whose lease runs
/// out does before its peers stop counting it. One load for a gateway that never refuses.
package final class FleetGate: Sendable {
    /// Nanoseconds of CLOCK_BOOTTIME, which also counts while the machine sleeps; `max` for ever.
    private let closes = Atomic<Int64>(.max)

    /// Whether requests of a directory are refused now. From any thread, on every request.
    package var isClosed: Bool {
        let closes = closes.load(ordering: .acquiring)
        return closes != .max && Self.now() >= closes
    }

    func close(at time: Int64) { closes.store(time, ordering: .releasing) }

    static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
