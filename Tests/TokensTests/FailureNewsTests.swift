import Policy
import Testing

@testable import Tokens

/// What people are told of an issuer that fails now and then, or now so and now so: never more than a few lines an hour.
@Suite("what is told of failing issuers") struct FailureNewsTests {
    private let world = FetchedWorld()

    /// The lines of so many fetches, one every five minutes, each of which comes to what `set` sets.
    private func lines(_ refresher: KeyRefresher, fetches: Int, _ set: (Int) -> Void) -> [String] {
        for number in 0..<fetches {
            set(number)
            world.advance(300_000)
            refresher.tick()
        }
        return world.takeLines()
    }

    private func started() -> KeyRefresher {
        world.answer(FetchedSets.one)
        let refresher = world.refresher()
        refresher.tick()
        _ = world.takeLines()
        return refresher
    }

    @Test("an issuer out of reach, which shows by different causes, is one trouble; another cause is another")
    func reach() {
        let refresher = started()
        let causes: [FetchFailure.Cause] = [.timeout, .dns, .connect]
        var told = lines(refresher, fetches: 9) { world.fail(causes[$0 % 3], "again \($0)") }
        #expect(told.count == 1 && told[0].contains("can't be fetched: timeout: again 0; the keys of "))
        #expect(refresher.statuses[0].error == FetchFailure(.connect, "again 8"), "whoever asks hears the last")
        told = lines(refresher, fetches: 2) { world.fail($0 == 0 ? .certificate : .dns) }
        #expect(told.count == 1 && told[0].contains("certificate: "))
    }

    @Test("what lasts is told again after an hour")
    func hourly() {
        let refresher = started()
        #expect(lines(refresher, fetches: 12) { _ in world.fail(.status) }.count == 1)
        #expect(lines(refresher, fetches: 12) { _ in world.fail(.status) }.count == 1)
        #expect(lines(refresher, fetches: 1) { _ in world.fail(.status) }.count == 1)
    }

    @Test("good and bad in turn: the first failure and its end are told, the next only after an hour")
    func flapping() {
        let refresher = started()
        let flap = { [world] (number: Int) in if number % 2 == 0 { world.fail(.connect) } else { world.answer(FetchedSets.one) } }
        let told = lines(refresher, fetches: 12, flap)
        #expect(told.count == 2 && told[0].contains("connect: ") && told[1].hasSuffix(": 1 key (one)"))
        #expect(lines(refresher, fetches: 12, flap).count == 2)
    }

    @Test("other keys are told, whatever was told before")
    func otherKeys() {
        let refresher = started()
        _ = lines(refresher, fetches: 3) { if $0 == 1 { world.answer(FetchedSets.one) } else { world.fail(.connect) } }
        let told = lines(refresher, fetches: 1) { _ in world.answer(FetchedSets.two) }
        #expect(told.count == 1 && told[0].hasSuffix(": 2 keys (one, two)"))
    }
}
