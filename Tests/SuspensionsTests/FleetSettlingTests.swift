import Foundation
import Policy
import Testing

@testable import Suspensions

/// Calls that overlapped at two gateways: suspended, until a read, a later change or a person says more.
@Suite("fleet: settling")
struct FleetSettlingTests {
    private let folder: LedgerFolder
    private let authority: SuspensionAuthority

    init() throws {
        folder = try LedgerFolder()
        authority = try joinedAuthority(folder)
    }

    private func hear(_ number: Int64, base: Int64, _ state: UserState, _ source: BlockSource = .upstream) throws {
        _ = try authority.hear([othersWord(number, base: base, state, source)], upTo: fleetStart + number)
    }

    private func byHand(_ state: UserState, _ source: BlockSource, at gateway: SuspensionAuthority? = nil) -> HandConclusion? {
        guard case .record(let outcome) = outcome(anna, .state(state), source: source, learned: .hand) else { return nil }
        return awaited { (gateway ?? authority).byHand([outcome], then: $0) }
    }

    private var isBlocked: Bool { authority.index.stands(.upstream, for: anna) }

    private func wait(until isGood: () -> Bool) -> Bool {
        let end = Date.now.addingTimeInterval(20)
        while !isGood(), Date.now < end { usleep(1000) }
        return isGood()
    }

    /// A suspension here and a reactivation there, neither of which knew of the other.
    private func overlap() throws {
        #expect(byHand(.suspended, .upstream) == .done)
        try hear(1, base: 0, .active)
        #expect(isBlocked)
        #expect(authority.status.unconfirmedUsers == 1)
        #expect(authority.contestedUsers == 1)
    }

    @Test("what the service says when it is read is the last word", arguments: [UserState.active, .suspended])
    func read(_ state: UserState) throws {
        try overlap()
        authority.readUsers(from: OneWord(state: state), late: [1, 1])
        #expect(wait { authority.contestedUsers == 0 && authority.status.unconfirmedUsers == 0 })
        #expect(wait { isBlocked == (state == .suspended) })
        let words = try authority.step { transaction, scopes in try transaction.unsent(10, scopes) }
        #expect(words.map(\.head.state) == [state])
        #expect(words.map(\.head.base) == [fleetStart + 1], "it knew of both")
    }

    /// What a breadth-first search over a model once took for a fault: the operator there knows of the suspension here by the read's word
    /// alone, which has taken the place of the suspension's before it was published.
    @Test("what a read has shown here, an operator at another gateway lifts everywhere, and with it the call that it stands for")
    func readThenLiftedElsewhere() throws {
        let folder = try LedgerFolder()
        let there = try joinedAuthority(folder)
        confirmCall(.active, at: there)
        confirmCall(.suspended, at: authority)
        try publish(there, as: 1, to: [authority, there])
        #expect(isBlocked && authority.contestedUsers == 1)
        authority.readUsers(from: OneWord(state: .suspended), late: [1, 1])
        #expect(wait { authority.contestedUsers == 0 && authority.status.unconfirmedUsers == 0 })
        let word = try publish(authority, as: 2, to: [there, authority])
        #expect(word.learned == .read, "the call's own word was replaced before anybody heard of it")
        #expect(isBlocked && there.index.stands(.upstream, for: anna) && there.contestedUsers == 0)
        #expect(byHand(.active, .upstream, at: there) == .done)
        try publish(there, as: 3, to: [there, authority])
        #expect(!isBlocked && !there.index.stands(.upstream, for: anna))
        #expect(authority.contestedUsers == 0 && there.contestedUsers == 0)
        there.close()
    }

    /// The one word that a gateway has to say goes into the shared log, and is heard.
    @discardableResult
    private func publish(_ gateway: SuspensionAuthority, as number: Int64, to all: [SuspensionAuthority]) throws -> FleetEntry {
        let words = try gateway.step { transaction, scopes in try transaction.unsent(10, scopes) }
        try #require(words.count == 1)
        var word = words[0]
        word.head.number = fleetStart + number
        for each in all { _ = try each.hear([word], upTo: fleetStart + number) }
        return word
    }

    @Test("an operator's word that knew of both is the last one")
    func byOperator() throws {
        try overlap()
        #expect(byHand(.active, .upstream) == .done)
        #expect(!isBlocked)
        #expect(authority.contestedUsers == 0)
        #expect(authority.status.unconfirmedUsers == 0)
    }

    @Test(
        "a lift by hand that did not know of another gateway's block gives way to it; the next one lifts it",
        arguments: BlockSource.allCases)
    func overlapped(_ source: BlockSource) throws {
        try hear(1, base: 0, .suspended, source)
        #expect(byHand(.active, source) == .done)
        #expect(!authority.index.stands(source, for: anna))
        try hear(2, base: 1, .suspended, source)
        #expect(authority.index.stands(source, for: anna))
        #expect(authority.contestedUsers == 1)
        #expect(byHand(.active, source) == .done)
        #expect(!authority.index.stands(source, for: anna))
        #expect(authority.contestedUsers == 0)
    }

    @Test("an answer that was asked for before another gateway's word was heard teaches nothing")
    func touched() throws {
        let mark = authority.mark
        authority.look(true)
        try hear(1, base: 0, .suspended)
        let batch = apply(Finding(subject: anna, state: .active, mark: mark))
        #expect(batch.overtaken == [anna])
        #expect(isBlocked)
        let later = apply(Finding(subject: anna, state: .active, mark: authority.mark))
        #expect(later.waiting == 1, "a call was just made there")
        #expect(isBlocked)
        authority.look(false)
    }

    private func apply(_ finding: Finding) -> FindingBatch {
        awaited { authority.apply([finding], then: $0) }
    }

    @Test("whom another gateway has just suspended is lifted by no reconcile run, also after a restart")
    func quiet() throws {
        try hear(1, base: 0, .suspended)
        authority.close()
        let again = try joinedAuthority(folder)
        let batch = awaited { again.apply([Finding(subject: anna, state: .active, mark: again.mark)], then: $0) }
        #expect(batch.waiting == 1 && batch.lifted == 0)
        #expect(again.index.stands(.upstream, for: anna))
        again.close()
    }

    @Test("contested users for whom there was no room are taken up from the ledger, and read, when there is some")
    func takenUp() throws {
        try overlap()
        authority.state.withLock { state in
            state.machine.lost = [:]
            state.machine.hasContestsLeftOut = true
        }
        #expect(wait { authority.status.unconfirmedUsers == 1 })
        #expect(authority.state.withLock { !$0.machine.hasContestsLeftOut })
        authority.readUsers(from: OneWord(state: .active), late: [1, 1])
        #expect(wait { authority.contestedUsers == 0 && !isBlocked })
    }

    @Test("contested users that memory has no room for stay suspended, and there is room when half are settled")
    func bounded() {
        let room = CallMachine(bounds: CallerAllowances.Bounds(open: 4, perMinute: 300), unconfirmed: [], standing: { _ in true })
        var machine = room
        for number in 0...Limits.fleetContestedUsers { machine.contest(person(number), Moment(steady: 0, wall: 0)) }
        #expect(machine.lost.count == Limits.fleetContestedUsers)
        #expect(machine.hasContestsLeftOut && !machine.hasRoomForContests)
        for number in 0..<Limits.fleetContestedUsers / 2 { machine.lost[person(number)] = nil }
        #expect(machine.hasRoomForContests)
    }
}

/// A service that says the same of everybody.
private struct OneWord: UserSource {
    let state: UserState

    func read(_ subject: Subject, then: @escaping @Sendable (ReadOutcome) -> Void) { then(.state(state)) }
    func lists(of directory: DirectoryIndex) -> [UserList] { [] }
    func page(_ number: Int, of list: UserList, then: @escaping @Sendable (Result<ListLesson, ReadFailure>) -> Void) {
        then(.failure(ReadFailure("there is no list")))
    }
}
