import Dispatch
import Foundation
import Policy
import Synchronization
import Testing

@testable import Suspensions

/// Readers on other threads while the writer grows, moves and removes. What must never be seen: a user who is blocked throughout missing, a
/// user who was never blocked found.
@Suite("the suspension index under concurrent readers")
struct SuspensionIndexRaceTests {
    @Test("those who stay blocked are never missed and strangers never found while the table grows and churns")
    func readersDuringWrites() {
        let index = SuspensionIndex(reaches: [.tenant])
        let steady = 2_000
        for number in 0..<steady {
            index.insert(.upstream, for: Subject(directory: 0, tenant: tenant("steady").id, user: user(number * 3)))
        }
        let tally = Tally()
        let readers = DispatchGroup()
        for reader in 0..<2 {
            readers.enter()
            Thread.detachNewThread {
                ask(index, steady: steady, from: reader, tally)
                readers.leave()
            }
        }
        churn(index, steady: steady)
        tally.done.store(true, ordering: .relaxed)
        readers.wait()
        #expect(tally.missed.load(ordering: .relaxed) == 0)
        #expect(tally.foreign.load(ordering: .relaxed) == 0)
        #expect(tally.asked.load(ordering: .relaxed) > 0)
    }

    private func ask(_ index: SuspensionIndex, steady: Int, from start: Int, _ tally: Tally) {
        var number = start
        while !tally.done.load(ordering: .relaxed) {
            number = (number &+ 7919) % steady
            let question = TenantQuestion.selected(tenant("steady"))
            if !index.isSuspended(user(number * 3), in: 0, asking: question) { tally.missed.add(1, ordering: .relaxed) }
            if index.isSuspended(user(number * 3 + 1), in: 0, asking: question) { tally.foreign.add(1, ordering: .relaxed) }
            tally.asked.add(1, ordering: .relaxed)
        }
    }

    private final class Tally: Sendable {
        let done = Atomic(false)
        let missed = Atomic(0)
        let foreign = Atomic(0)
        let asked = Atomic(0)
    }

    /// Fills the table over several splits, gives steady users further tenants and takes them again, and empties what it filled.
    private func churn(_ index: SuspensionIndex, steady: Int) {
        for round in 0..<3 {
            for number in 0..<20_000 {
                index.insert(.upstream, for: Subject(directory: 0, tenant: tenant("t\(number % 50)").id, user: user(1_000_000 + number)))
                let other = Subject(directory: 0, tenant: tenant("o\(number % 3)").id, user: user(number % steady * 3))
                if number % 2 == round % 2 { index.insert(.operator, for: other) } else { index.remove(.operator, for: other) }
            }
            for number in 0..<20_000 {
                index.remove(.upstream, for: Subject(directory: 0, tenant: tenant("t\(number % 50)").id, user: user(1_000_000 + number)))
            }
        }
    }
}
