import Testing

@testable import Policy
@testable import Proxy

@Suite("How fast a client must move a body")
struct BodyPaceTests {
    private static let second: Int64 = 1_000_000_000
    private static let rule = BodyPace.Rule(rate: 240, grace: 5000, most: 30_000)

    /// Looks five times a second for so long, with so many bytes more each time; how many seconds it was kept.
    private func seconds(
        _ pace: inout BodyPace, for duration: Double, bytes: Int, owes: (Int) -> Bool = { _ in true },
        _ pressure: BodyPace.Pressure = .none,
        from: Int64 = 0,
        moved: Int = 0, rule: BodyPace.Rule = rule
    ) -> Double {
        for look in 0...Int(duration * 5) {
            let now = from + Int64(look) * Self.second / 5
            guard pace.isKept(moved: moved + look * bytes, owes: owes(look), pressure, now: now, rule) else {
                return Double(look) / 5
            }
        }
        return duration
    }

    @Test("nothing at all is too slow after the grace, and what is a little too slow some time later")
    func silence() {
        var pace = BodyPace()
        #expect(seconds(&pace, for: 60, bytes: 0) == 5.2)
        pace = BodyPace()
        #expect(seconds(&pace, for: 60, bytes: 24) == 10.2, "half the rate")
        pace = BodyPace()
        #expect(seconds(&pace, for: 600, bytes: 48) == 600, "the rate itself")
    }

    @Test("who has sent much may pause, but not for longer than a silence may last")
    func pause() {
        var pace = BodyPace()
        #expect(seconds(&pace, for: 1, bytes: 1 << 20) == 1)
        #expect(seconds(&pace, for: 60, bytes: 0, from: 1_200_000_000, moved: 5 << 20) == 30)
        pace = BodyPace()
        #expect(seconds(&pace, for: 1, bytes: 96) == 1, "twice the rate")
        #expect(seconds(&pace, for: 60, bytes: 0, from: 1_200_000_000, moved: 480) == 6)
    }

    @Test("time in which nothing more would have been taken doesn't count")
    func waiting() {
        var pace = BodyPace()
        #expect(seconds(&pace, for: 60, bytes: 0, owes: { _ in false }) == 60)
        pace = BodyPace()
        // One second in two: two looks of ten have one before them in which the client owed too.
        #expect(seconds(&pace, for: 60, bytes: 0, owes: { $0 % 10 < 5 }) > 10)
    }

    @Test("while others wait, little of the grace is left, and nothing is taken from who is in time")
    func pressure() {
        var pace = BodyPace()
        #expect(seconds(&pace, for: 60, bytes: 0, .greedy) == 1.2)
        pace = BodyPace()
        #expect(seconds(&pace, for: 600, bytes: 48, .greedy) == 600)
        pace = BodyPace()
        #expect(seconds(&pace, for: 60, bytes: 0, .greedy, rule: BodyPace.Rule(rate: 240, grace: 500, most: 30_000)) == 0.6)
    }

    @Test("who has little of what others wait for may be behind by the grace from when they began to wait, however far ahead it was")
    func pressureOfOthers() {
        var pace = BodyPace()
        #expect(seconds(&pace, for: 60, bytes: 0, .others) == 5.2)
        pace = BodyPace()
        #expect(seconds(&pace, for: 1, bytes: 1 << 20) == 1)
        #expect(seconds(&pace, for: 10, bytes: 0, from: 1_200_000_000, moved: 5 << 20) == 10, "ahead, and nobody waits")
        #expect(seconds(&pace, for: 60, bytes: 0, .others, from: 11_400_000_000, moved: 5 << 20) == 5)
        pace = BodyPace()
        var now: Int64 = 0
        for round in 0..<10 {
            #expect(seconds(&pace, for: 4, bytes: 0, .others, from: now, moved: round << 20) == 4, "then it goes on")
            now += 4_200_000_000
        }
    }

    @Test("what had moved before counts for nothing; a rate of 0 is no bound; no number is too large")
    func edges() {
        var pace = BodyPace(counted: 1 << 30)
        #expect(seconds(&pace, for: 60, bytes: 0, moved: 1 << 30) == 5.2)
        pace = BodyPace()
        #expect(seconds(&pace, for: 600, bytes: 0, rule: BodyPace.Rule(rate: 0, grace: 5000, most: 30_000)) == 600)
        pace = BodyPace()
        let isKept = pace.isKept(
            moved: .max, owes: true, .greedy, now: .max, BodyPace.Rule(rate: 1, grace: 300_000, most: 3_600_000))
        #expect(isKept)
    }
}
