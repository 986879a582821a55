import Dispatch
import Foundation
import Policy
import Synchronization
import Testing

@testable import Suspensions

/// Giving the ledger to another process, and taking it back.
@Suite("handing the ledger over", .serialized)
struct HandoverTests {
    private func authority(_ folder: LedgerFolder, _ clock: HandClock? = nil) throws -> SuspensionAuthority {
        var surroundings = AuthoritySurroundings.live()
        if let clock { surroundings.steady = { clock.now } }
        return try SuspensionAuthority(
            store: try folder.open(), reaches: [.tenant, .directory], surroundings: surroundings, onBlock: { _ in })
    }

    private func call(_ subject: Subject, _ wanted: UserState = .suspended) -> IntentCall {
        IntentCall(subject: subject, wanted: wanted, caller: Caller("admin"), requestID: [1])
    }

    private func suspend(_ subject: Subject, at authority: SuspensionAuthority) async throws {
        let ticket = try #require(await authority.begun(call(subject)).ticket)
        #expect(await authority.ended(ticket, .confirmed) == .settled)
    }

    @Test("a pause waits for the call that is out, holds the next one, and lets it go on when all goes on")
    func pause() async throws {
        let folder = try LedgerFolder()
        let authority = try authority(folder, HandClock())
        let ticket = try #require(await authority.begun(call(anna)).ticket)
        let paused = Promise<Bool>()
        authority.pause(patience: .seconds(60)) { paused.keep($0) }
        let held = Promise<Beginning>()
        authority.begin(call(bob)) { held.keep($0) }
        let hand = Promise<HandConclusion>()
        authority.byHand([change(bob, .suspended)]) { hand.keep($0) }
        #expect(await authority.ended(ticket, .confirmed) == .settled)
        #expect(await paused.value)
        #expect(held.current == nil && hand.current == nil)
        #expect(!authority.index.stands(.operator, for: bob))
        authority.goOn()
        let next = try #require(await held.value.ticket)
        #expect(await hand.value == .done)
        #expect(await authority.ended(next, .confirmed) == .settled)
        authority.close()
    }

    @Test("a call that doesn't end in time keeps the ledger here")
    func impatient() async throws {
        let authority = try authority(try LedgerFolder())
        let ticket = try #require(await authority.begun(call(anna)).ticket)
        let paused = Promise<Bool>()
        authority.pause(patience: .milliseconds(300)) { paused.keep($0) }
        #expect(await !paused.value)
        authority.goOn()
        #expect(await authority.ended(ticket, .confirmed) == .settled)
        try await suspend(bob, at: authority)
        authority.close()
    }

    @Test("what another process has done meanwhile is known when the ledger is taken back, and calls that waited go on")
    func takeBack() async throws {
        let folder = try LedgerFolder()
        let first = try authority(folder, HandClock())
        try await suspend(uuidUser, at: first)
        let paused = Promise<Bool>()
        first.pause(patience: .seconds(60)) { paused.keep($0) }
        #expect(await paused.value)
        first.yield()
        let held = Promise<Beginning>()
        first.begin(call(bob)) { held.keep($0) }

        let second = try authority(folder)
        #expect(throws: LedgerError.held(path: folder.path)) { try first.takeBack() }
        try await suspend(anna, at: second)
        _ = try #require(await second.begun(call(person(5))).ticket)
        second.close()

        try first.takeBack()
        #expect(first.index.stands(.upstream, for: anna) && first.index.stands(.upstream, for: uuidUser))
        let ticket = try #require(await held.value.ticket)
        #expect(await first.ended(ticket, .confirmed) == .settled)
        #expect(first.status.unconfirmedUsers == 1, "what the other one left open")
        first.close()
        let third = try authority(folder)
        for subject in [anna, bob, uuidUser] { #expect(third.index.stands(.upstream, for: subject)) }
        third.close()
    }

    private func mayAdmit(_ authority: SuspensionAuthority) -> Bool { authority.standing(of: authority.leave) == .good }

    @Test("users are admitted under a lease until it is over, and again when there is a newer one; an old one doesn't count")
    func lease() async throws {
        let clock = HandClock()
        let authority = try authority(try LedgerFolder(), clock)
        #expect(mayAdmit(authority) && authority.knownUntil == clock.now)
        let following = Promise<Void>()
        authority.follow(SilentSuccessor()) { following.keep(()) }
        await following.value
        let start = clock.now
        #expect(mayAdmit(authority))
        clock.pass(milliseconds: Limits.leaseMilliseconds - 1)
        #expect(mayAdmit(authority))
        clock.pass(milliseconds: 1)
        #expect(!mayAdmit(authority) && authority.knownUntil == start)
        authority.heard(at: start)
        await authority.settled()
        #expect(!mayAdmit(authority), "it is as old as the one before")
        authority.heard(at: clock.now - 1_000_000)
        await authority.settled()
        #expect(mayAdmit(authority))
        clock.pass(milliseconds: Limits.leaseMilliseconds)
        #expect(!mayAdmit(authority) && authority.isLapsed(for: 0) && !authority.isLapsed(for: 10_000_000_000))
        authority.close()
    }

    @Test("leave that was over, or another one, when the index had been asked admits nobody")
    func leave() async throws {
        let clock = HandClock()
        let authority = try authority(try LedgerFolder(), clock)
        let own = authority.leave
        #expect(authority.standing(of: own) == .good)
        let following = Promise<Void>()
        authority.follow(SilentSuccessor()) { following.keep(()) }
        await following.value
        #expect(authority.standing(of: own) == .changed, "what was asked by the ledger is asked again by the lease")
        let early = authority.leave
        clock.pass(milliseconds: Limits.leaseMilliseconds)
        authority.heard(at: clock.now)
        await authority.settled()
        #expect(authority.standing(of: early) == .unheard, "the index may have been asked when nobody was heard")
        let late = authority.leave
        #expect(authority.standing(of: late) == .good)
        authority.stopAdmitting()
        #expect(authority.standing(of: late) == .unheard)
        authority.close()
    }

    @Test("a gateway that is behind its fleet when the index has been asked is behind, whatever it was before or is after")
    func fleetLeave() throws {
        let authority = try authority(try LedgerFolder(), HandClock())
        authority.fleetGate.close(at: FleetGate.now() + 3_600_000_000_000)
        #expect(authority.standing(of: authority.leave) == .good)
        authority.fleetGate.close(at: 0)
        let leave = authority.leave
        authority.fleetGate.close(at: FleetGate.now() + 3_600_000_000_000)
        #expect(authority.standing(of: leave) == .behind)
        authority.close()
    }

    @Test("changes of the successor are in force here, calls are its own, and what answers show teaches nothing")
    func follow() async throws {
        let authority = try authority(try LedgerFolder())
        let successor = SilentSuccessor()
        let paused = Promise<Bool>()
        authority.pause(patience: .seconds(60)) { paused.keep($0) }
        #expect(await paused.value)
        authority.yield()
        let held = Promise<Beginning>()
        authority.begin(call(bob)) { held.keep($0) }
        authority.follow(successor) {}
        #expect(await held.value == .draining, "the successor's word, about a call that waited")
        #expect(await authority.begun(call(anna)) == .draining)
        #expect(await authority.ended(Ticket(number: 77), .confirmed) == .notDurable)
        #expect(successor.asked == [bob, anna])
        let blocked = Promise<Void>()
        authority.apply(.block([anna], .operator)) { blocked.keep(()) }
        await blocked.value
        #expect(authority.index.stands(.operator, for: anna))
        authority.apply(.lift(anna, .operator, at: 5)) {}
        authority.observe(suspended: [bob], caller: Caller("x"), requestID: [], age: .zero)
        await authority.settled()
        #expect(!authority.index.stands(.operator, for: anna) && !authority.index.stands(.upstream, for: bob))
    }

    @Test("a 2xx waits for the follower, which was told before; lifts and operators' changes wait, too")
    func lead() async throws {
        let authority = try authority(try LedgerFolder())
        let follower = SlowFollower()
        authority.lead(follower)
        let ticket = try #require(await authority.begun(call(anna)).ticket)
        let ended = Promise<Conclusion>()
        authority.finish(ticket, .confirmed) { ended.keep($0) }
        await follower.asked()
        #expect(follower.changes == [.block([anna], .upstream)])
        #expect(ended.current == nil)
        follower.followUp()
        #expect(await ended.value == .settled)
        let hand = Promise<HandConclusion>()
        authority.byHand([change(anna, .active)]) { hand.keep($0) }
        await follower.asked()
        #expect(hand.current == nil)
        guard case .lift(anna, .operator, _)? = follower.changes.last else { throw NoSuchChange() }
        follower.followUp()
        #expect(await hand.value == .done)
        authority.lead(nil)
        try await suspend(bob, at: authority)
        #expect(follower.changes.count == 2)
        authority.close()
    }

    private struct NoSuchChange: Error {}

    private func change(_ subject: Subject, _ state: UserState) -> Outcome {
        Outcome(
            intent: nil, subject: subject, source: .operator, result: .state(state), learned: .hand, actor: [1], requestID: [], reason: "",
            at: 5)
    }
}

/// A clock that goes on when it is told to.
private final class HandClock: Sendable {
    private let time = Mutex<Int64>(1_000_000_000_000)
    var now: Int64 { time.withLock { $0 } }
    func pass(milliseconds: Int64) { time.withLock { $0 += milliseconds * 1_000_000 } }
}

/// A value that comes once.
private final class Promise<Value: Sendable>: Sendable {
    private let state = Mutex<(value: Value?, waiting: [CheckedContinuation<Value, Never>])>((nil, []))

    var current: Value? { state.withLock { $0.value } }

    func keep(_ value: Value) {
        let waiting = state.withLock { state in
            state.value = value
            defer { state.waiting = [] }
            return state.waiting
        }
        for one in waiting { one.resume(returning: value) }
    }

    var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                let value = state.withLock { state in
                    if state.value == nil { state.waiting.append(continuation) }
                    return state.value
                }
                if let value { continuation.resume(returning: value) }
            }
        }
    }
}

/// A process that is gone, and answers so.
private final class SilentSuccessor: SuspensionSuccessor {
    private let subjects = Mutex<[Subject]>([])
    var asked: [Subject] { subjects.withLock { $0 } }

    func begin(_ call: IntentCall, then answer: @escaping @Sendable (Beginning) -> Void) {
        subjects.withLock { $0.append(call.subject) }
        answer(.draining)
    }

    func finish(_ ticket: Ticket, _ outcome: UpstreamOutcome, then answer: @escaping @Sendable (Conclusion) -> Void) { answer(.notDurable) }

    func learned(_ word: AliasWord) {}
}

/// One that follows when a test says so.
private final class SlowFollower: SuspensionFollower {
    private let state = Mutex<(changes: [SuspensionChange], waiting: [@Sendable () -> Void])>(([], []))
    var changes: [SuspensionChange] { state.withLock { $0.changes } }

    func changed(_ change: SuspensionChange) { state.withLock { $0.changes.append(change) } }
    func whenFollowed(_ next: @escaping @Sendable () -> Void) { state.withLock { $0.waiting.append(next) } }

    /// Waits until somebody waits, at most 10 seconds.
    func asked() async {
        let end = ContinuousClock.now + .seconds(10)
        while state.withLock({ $0.waiting.isEmpty }), ContinuousClock.now < end { await Task.yield() }
    }

    func followUp() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for next in waiting { next() }
    }
}

extension SuspensionAuthority {
    fileprivate func begun(_ call: IntentCall) async -> Beginning {
        await withCheckedContinuation { continuation in begin(call) { continuation.resume(returning: $0) } }
    }

    fileprivate func ended(_ ticket: Ticket, _ outcome: UpstreamOutcome) async -> Conclusion {
        await withCheckedContinuation { continuation in finish(ticket, outcome) { continuation.resume(returning: $0) } }
    }

    /// Everything that was handed to the authority's thread is done.
    func settled() async {
        await withCheckedContinuation { continuation in surroundings.run { continuation.resume() } }
    }
}

extension Beginning {
    fileprivate var ticket: Ticket? { if case .proceed(let ticket) = self { ticket } else { nil } }
}
