import Policy
import Testing

@testable import Suspensions

/// Users of whom a call was just heard: as many as come.
@Suite("quiet users")
struct QuietUsersTests {
    @Test("300,000 users of whom others have spoken within a second keep nobody waiting")
    func many() {
        var machine = CallMachine(bounds: CallerAllowances.Bounds(open: 4, perMinute: 300), unconfirmed: [], standing: { _ in true })
        let begun = FleetGate.now()
        var batches = 0
        let now = Moment(steady: 1_000_000_000_000, wall: 0)
        for batch in 0..<600 where FleetGate.now() - begun < 60_000_000_000 {
            let effects = (0..<500).map { number in
                FleetEffect(
                    subject: person(batch * 500 + number), source: .upstream, state: .suspended, at: 0, isContested: false, open: nil
                )
            }
            _ = machine.handle(.heard(effects, isLosing: []), at: now)
            batches += 1
        }
        #expect(batches == 600, "\(batches) batches in a minute")
        #expect(machine.quiet.isQuiet(person(299_999), at: now.steady))
        #expect(machine.quiet.isQuiet(anna, at: now.steady), "too many to tell who isn't")
        let later = now.steady + 61_000_000_000
        #expect(!machine.quiet.isQuiet(anna, at: later))
        machine.quiet.begin(anna, at: later)
        #expect(machine.quiet.isQuiet(anna, at: later) && !machine.quiet.isQuiet(bob, at: later), "there is room again")
    }
}
