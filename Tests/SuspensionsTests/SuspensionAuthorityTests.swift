import Dispatch
import Foundation
import Policy
import Synchronization
import Testing

@testable import Suspensions

/// The authority on real threads, over the real ledger.
@Suite("the suspension authority")
struct SuspensionAuthorityTests {
    private func authority(_ folder: LedgerFolder, onBlock: @escaping SuspensionAuthority.BlockListener = { _ in }) throws
        -> SuspensionAuthority
    {
        try SuspensionAuthority(store: try folder.open(), reaches: [.tenant, .directory], onBlock: onBlock)
    }

    private func call(_ subject: Subject, _ wanted: UserState, by caller: String = "admin") -> IntentCall {
        IntentCall(subject: subject, wanted: wanted, caller: Caller(caller), requestID: Array("r".utf8))
    }

    @Test("a suspension that was read holds after a restart; the listener heard of it before the answer")
    func suspendAndRestart() async throws {
        let folder = try LedgerFolder()
        let heard = Mutex<[Subject]>([])
        let first = try authority(folder) { blocked in heard.withLock { $0 += blocked } }
        let ticket = try #require(await first.begin(call(anna, .suspended)).ticket)
        #expect(await first.finish(ticket, .confirmed) == .settled)
        #expect(heard.withLock { $0 } == [anna])
        #expect(first.index.isSuspended(anna.user, in: 1, asking: .unknown))
        first.close()
        let second = try authority(folder)
        #expect(second.index.isSuspended(anna.user, in: 1, asking: .unknown))
        let again = try #require(await second.begin(call(anna, .active)).ticket)
        #expect(await second.finish(again, .confirmed) == .settled)
        #expect(!second.index.isSuspended(anna.user, in: 1, asking: .unknown))
        second.close()
        #expect(try !authority(folder).index.isSuspended(anna.user, in: 1, asking: .unknown))
    }

    @Test("whoever is lifted was marked as reactivated before, for all who ask, and is after a restart")
    func reactivation() async throws {
        let folder = try LedgerFolder()
        let authority = try authority(folder)
        let asked = AskedUser()
        let reader = DispatchGroup()
        reader.enter()
        Thread.detachNewThread {
            asked.ask(authority.index)
            reader.leave()
        }
        for number in 1...100 {
            let subject = person(number)
            let ticket = try #require(await authority.begin(call(subject, .suspended)).ticket)
            #expect(await authority.finish(ticket, .confirmed) == .settled)
            asked.number.store(number, ordering: .releasing)
            let again = try #require(await authority.begin(call(subject, .active)).ticket)
            #expect(await authority.finish(again, .confirmed) == .settled)
        }
        asked.number.store(0, ordering: .releasing)
        #expect(await withCheckedContinuation { done in reader.notify(queue: .global()) { done.resume(returning: true) } })
        #expect(asked.free.load(ordering: .relaxed) == 0, "somebody who was lifted was found neither suspended nor reactivated")
        #expect(asked.lifted.load(ordering: .relaxed) > 0)
        authority.close()
        let second = try self.authority(folder)
        #expect((1...100).allSatisfy { second.index.wasReactivated(since: 1, person($0).user, in: 1, asking: .unknown) })
        #expect(!second.index.wasReactivated(since: 1, person(101).user, in: 1, asking: .unknown))
    }

    /// A reader asks about one user from its suspension on.
    private final class AskedUser: Sendable {
        /// 0 ends it.
        let number = Atomic(-1)
        let free = Atomic(0)
        let lifted = Atomic(0)

        func ask(_ index: SuspensionIndex) {
            while true {
                sched_yield()
                let number = number.load(ordering: .acquiring)
                if number == 0 { return }
                guard number > 0, !index.isSuspended(person(number).user, in: 1, asking: .unknown) else { continue }
                let counter = index.wasReactivated(since: 1, person(number).user, in: 1, asking: .unknown)
                if counter { lifted.add(1, ordering: .relaxed) } else { free.add(1, ordering: .relaxed) }
            }
        }
    }

    @Test("a call that was open when the gateway stopped shows as unconfirmed")
    func stoppedInBetween() async throws {
        let folder = try LedgerFolder()
        let first = try authority(folder)
        _ = try #require(await first.begin(call(anna, .suspended)).ticket)
        #expect(await first.drain(patience: .zero) == 1)
        first.close()
        let second = try authority(folder)
        #expect(second.status.unconfirmedUsers == 1 && !second.index.isSuspended(anna.user, in: 1, asking: .unknown))
    }

    @Test("many users' calls at once are all settled and all durable")
    func manyAtOnce() async throws {
        let folder = try LedgerFolder()
        let authority = try authority(folder)
        let conclusions = await withTaskGroup(of: Conclusion?.self) { group in
            for number in 0..<200 {
                group.addTask {
                    guard let ticket = await authority.begin(call(person(number), .suspended, by: "caller \(number)")).ticket else {
                        return nil
                    }
                    return await authority.finish(ticket, .confirmed)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(conclusions.allSatisfy { $0 == .settled })
        #expect(await authority.drain(patience: .seconds(10)) == 0)
        authority.close()
        let store = try folder.open()
        #expect(try store.blockCount() == 200 && store.verify() == 200)
    }

    @Test("a suspended user in another answer is blocked; what is known already costs no write")
    func observe() async throws {
        let folder = try LedgerFolder()
        let authority = try authority(folder)
        for _ in 0..<3 {
            authority.observe(suspended: [anna, bob], caller: Caller("reader"), requestID: [], age: .zero)
            // Another user's call, to know that the authority has come past the sighting.
            let ticket = try #require(await authority.begin(call(person(1), .suspended)).ticket)
            #expect(await authority.finish(ticket, .notSent) == .unchanged)
        }
        #expect(authority.index.stands(.upstream, for: anna) && authority.index.stands(.upstream, for: bob))
        _ = await authority.drain(patience: .zero)
        authority.close()
        #expect(try folder.open().verify() == 2)
    }
}

extension SuspensionAuthority {
    fileprivate func begin(_ call: IntentCall) async -> Beginning {
        await withCheckedContinuation { continuation in begin(call) { continuation.resume(returning: $0) } }
    }

    fileprivate func finish(_ ticket: Ticket, _ outcome: UpstreamOutcome) async -> Conclusion {
        await withCheckedContinuation { continuation in finish(ticket, outcome) { continuation.resume(returning: $0) } }
    }

    fileprivate func drain(patience: Duration) async -> Int {
        await withCheckedContinuation { continuation in drain(patience: patience) { continuation.resume(returning: $0) } }
    }
}

extension Beginning {
    fileprivate var ticket: Ticket? {
        if case .proceed(let ticket) = self { ticket } else { nil }
    }
}
