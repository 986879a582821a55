import Policy
import Testing

@testable import Suspensions

/// Rows of the shared log as nobody writes who takes part.
@Suite("fleet: rows")
struct FleetRowTests {
    private func row(at: String = "5", since: String? = nil, state: String = "1", source: String = "1", user: String? = "anna") -> [String?]
    {
        ["7", "w", "1", "0", "rinne", nil, user, source, state, "1", "", "", "", at, since]
    }

    @Test("a time that can't be is one that can be reckoned with")
    func times() throws {
        let now: Int64 = 1_800_000_000_000
        var times = FleetTimes()
        for at in [Int64.min, Int64.max, -1, 0] {
            let entry = try #require(FleetEntry(row(at: "\(at)", since: "\(at)")))
            #expect((0...253_402_300_799_999).contains(entry.at) && entry.since == entry.at)
            for _ in 0..<3 { times.add(now - entry.at) }
        }
        for _ in 0..<3 { times.add(.max) }
        #expect(times.buckets.reduce(0, +) == 15)
    }

    @Test("a state that isn't known is suspended; who can't be told is nobody")
    func unknown() {
        #expect(FleetEntry(row(state: "2"))?.head.state == .suspended)
        #expect(FleetEntry(row(state: "-1"))?.head.state == .suspended)
        #expect(FleetEntry(row(state: "0"))?.head.state == .active)
        #expect(FleetEntry(row(source: "9")) == nil)
        #expect(FleetEntry(row(user: nil)) == nil)
    }
}
