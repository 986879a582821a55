import HTTPWire

#if canImport(Glibc)
    import Glibc
#endif

/// One loop's idea of the time: read once per event, not once per question.
final class LoopClock {
    /// Nanoseconds of the monotonic clock. Durations and deadlines.
    private(set) var now: Int64 = 0
    /// Nanoseconds between the monotonic clock and the Unix epoch; corrected at each tick.
    private var epoch: Int64 = 0

    init() { correct() }

    /// Reads the monotonic clock.
    func read() {
        now = SocketLoop.now
    }

    /// Follows the system's wall clock, which an administrator may step.
    func correct() {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        read()
        epoch = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) - now
    }

    /// Seconds since 1970: what tokens are judged by.
    var unixSeconds: Int64 { (epoch + now) / 1_000_000_000 }
    /// Milliseconds since 1970.
    var unixMilliseconds: Int64 { (epoch + now) / 1_000_000 }
}

/// The log's time stamp (RFC 3339, UTC, milliseconds); the text up to the second is made once a second.
struct LogClock {
    private var second: Int64 = -1
    private var milliseconds: Int64 = 0
    private var text: [UInt8] = []

    mutating func update(_ unixMilliseconds: Int64) {
        milliseconds = unixMilliseconds % 1000
        let current = unixMilliseconds / 1000
        guard current != second else { return }
        second = current
        text = Self.render(current)
    }

    func put(into line: inout Composer) {
        line.put(text)
        line.put(decimal: Int(milliseconds), digits: 3)
        line.put(byte: UInt8(ascii: "Z"))
    }

    /// `2026-11-21T22:47:48.` for seconds since 1970.
    private static func render(_ seconds: Int64) -> [UInt8] {
        let time = Int(seconds % 86_400)
        var out = Array("\(CivilDate(daysSince1970: Int(seconds / 86_400)).text)T".utf8)
        func digits(_ value: Int, _ suffix: Character) {
            out.append(UInt8(ascii: "0") + UInt8(value / 10))
            out.append(UInt8(ascii: "0") + UInt8(value % 10))
            out.append(suffix.asciiValue ?? 0)
        }
        digits(time / 3600, ":")
        digits(time / 60 % 60, ":")
        digits(time % 60, ".")
        return out
    }
}
