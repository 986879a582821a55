import Dispatch
import Glibc

/// Time and thread of an authority: real ones in a gateway, hand-turned ones in tests.
package struct AuthoritySurroundings: Sendable {
    /// Nanoseconds that only go forward.
    package var steady: @Sendable () -> Int64
    /// Milliseconds since 1970.
    package var wall: @Sendable () -> Int64
    /// Runs work on the authority's thread, one after the other in the order given.
    package var run: @Sendable (@escaping @Sendable () -> Void) -> Void
    /// Runs work there again and again, at least four times a second, until it says false.
    package var everyTick: @Sendable (@escaping @Sendable () -> Bool) -> Void

    package init(
        steady: @escaping @Sendable () -> Int64, wall: @escaping @Sendable () -> Int64,
        run: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void,
        everyTick: @escaping @Sendable (@escaping @Sendable () -> Bool) -> Void
    ) {
        self.steady = steady
        self.wall = wall
        self.run = run
        self.everyTick = everyTick
    }

    /// The kernel's clocks and a thread of its own.
    package static func live() -> AuthoritySurroundings {
        let thread = DispatchQueue(label: "tenantgate.suspensions", qos: .userInitiated)
        return AuthoritySurroundings(
            steady: { clock(CLOCK_MONOTONIC) }, wall: { clock(CLOCK_REALTIME) / 1_000_000 }, run: { thread.async(execute: $0) },
            everyTick: { repeatTick(on: thread, $0) })
    }

    private static func repeatTick(on thread: DispatchQueue, _ work: @escaping @Sendable () -> Bool) {
        thread.asyncAfter(deadline: .now() + .milliseconds(200)) {
            if work() { repeatTick(on: thread, work) }
        }
    }
}

/// Nanoseconds of one of the kernel's clocks.
private func clock(_ which: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(which, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

extension Duration {
    /// Whole nanoseconds.
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
