import Foundation
import Policy
import Synchronization
import Testing

@testable import Suspensions

/// Calls of this gateway whose outcome is unknown, and words of others that did or didn't know of them. What memory and the ledger say of
/// them is the same at every step.
@Suite("fleet: unconfirmed calls")
struct FleetUnconfirmedTests {
    private let folder: LedgerFolder
    private let ledger: SQLiteLedger
    private let authority: SuspensionAuthority

    init() throws {
        folder = try LedgerFolder()
        ledger = try folder.open()
        authority = try joinedAuthority(ledger)
    }

    /// A call for anna whose answer is lost.
    private func lose(_ wanted: UserState, blocksOnUnknown: Bool = false) throws {
        let call = IntentCall(
            subject: anna, wanted: wanted, caller: Caller("admin"), requestID: [], suspendsOnUnknown: blocksOnUnknown)
        guard case .proceed(let ticket) = awaited({ authority.begin(call, then: $0) }) else { throw LedgerError.diskFull }
        let conclusion = awaited { authority.finish(ticket, .unconfirmed(cause: "timeout"), then: $0) }
        #expect(conclusion == .unconfirmed(blocked: blocksOnUnknown))
    }

    private func hear(_ entries: FleetEntry...) throws {
        _ = try authority.hear(entries, upTo: entries.map { $0.head.number! }.max()!)
    }

    /// This gateway's words come back with numbers from this one on.
    private func publish(from number: Int64) throws {
        let words = try authority.step { transaction, scopes in try transaction.unsent(10, scopes) }
        for (index, word) in words.enumerated() {
            var word = word
            word.head.number = fleetStart + number + Int64(index)
            try hear(word)
        }
    }

    private var isBlocked: Bool { authority.index.stands(.upstream, for: anna) }

    /// What is listed as unconfirmed: by memory and by the ledger.
    private func unconfirmed() throws -> [UserState] {
        let calls = try ledger.unconfirmedCalls()
        #expect(
            authority.state.withLock { $0.machine.lost.mapValues(\.wanted) }
                == Dictionary(uniqueKeysWithValues: calls.map { ($0.subject, $0.wanted) }))
        #expect(
            authority.state.withLock { $0.machine.lost.mapValues(\.isBlocking) }
                == Dictionary(uniqueKeysWithValues: calls.map { ($0.subject, $0.isBlocking) }))
        return calls.map(\.wanted)
    }

    @Test("an operator's word of another gateway says nothing of the service", arguments: [UserState.suspended, .active])
    func byOperator(_ state: UserState) throws {
        try lose(.suspended)
        try hear(othersWord(1, base: 0, .suspended, .operator))
        if state == .active { try hear(othersWord(2, base: 1, .active, .operator)) }
        #expect(try unconfirmed() == [.suspended])
        #expect(!isBlocked, "nobody is blocked by an unconfirmed call")
    }

    @Test(
        "a call that was confirmed at another gateway takes effect, and settles no call here that it didn't know of",
        arguments: [UserState.suspended, .active], [UserState.suspended, .active])
    func calls(_ lost: UserState, _ heard: UserState) throws {
        try lose(lost)
        try hear(othersWord(1, base: 0, heard))
        #expect(try unconfirmed() == [lost])
        #expect(isBlocked == (heard == .suspended))
    }

    @Test("one that was begun when the lost call was known there settles it", arguments: [UserState.suspended, .active])
    func known(_ state: UserState) throws {
        try lose(.suspended, blocksOnUnknown: true)
        #expect(isBlocked)
        try publish(from: 1)
        try hear(othersWord(2, base: 1, state))
        #expect(try unconfirmed().isEmpty)
        #expect(isBlocked == (state == .suspended))
    }

    @Test("one that was begun after the lost call settles it", arguments: [UserState.suspended, .active])
    func after(_ state: UserState) throws {
        try lose(.suspended)
        try publish(from: 5)
        #expect(try authority.step { transaction, scopes in try transaction.unsent(10, scopes) }.isEmpty)
        try hear(othersWord(6, base: 4, state))
        #expect(try unconfirmed() == [.suspended], "that one may have come before")
        try hear(othersWord(7, base: 6, state, .operator))
        #expect(try unconfirmed() == [.suspended], "that one says nothing of the service")
        try hear(othersWord(8, base: 7, state, learned: .passive))
        #expect(try unconfirmed() == [.suspended], "nor does an answer that passed by say when it was made")
        try hear(othersWord(9, base: 5, state))
        #expect(try unconfirmed().isEmpty)
        #expect(isBlocked == (state == .suspended))
    }

    @Test("what is lost after the number was given out is settled by nothing that began before the next one")
    func lostAgain() throws {
        try lose(.suspended)
        try publish(from: 1)
        usleep(2000)
        try lose(.active)
        try hear(othersWord(2, base: 1, .suspended))
        #expect(try unconfirmed() == [.active])
        try publish(from: 3)
        try hear(othersWord(4, base: 3, .suspended))
        #expect(try unconfirmed().isEmpty)
    }

    @Test("while something else of the user is being written, memory and the ledger go on saying the same")
    func besides() throws {
        try lose(.suspended)
        try publish(from: 1)
        let other = outcome(anna, .state(.suspended), learned: .hand)
        authority.state.withLock { _ = $0.fleet?.stamp([other], CallMachine.Write(purpose: .debts)) }
        try hear(othersWord(2, base: 1, .suspended))
        #expect(try unconfirmed().isEmpty)
    }

    @Test("a number that the database has lost is given out anew: what was begun by the old one settles nothing")
    func lostNumber() throws {
        try lose(.suspended)
        try publish(from: 5)
        let epochs = FleetEpochs(firstEpoch.all + [FleetEpochs.Epoch(number: 2, after: fleetStart + 3)])
        let next = Int64(2) << FleetEpochs.digits
        _ = try authority.step { transaction, scopes in try transaction.join(log: "log", epochs: epochs, last: next, scopes) }
        let again = try authority.step { transaction, scopes in try transaction.unsent(10, scopes) }
        #expect(again.map(\.isLoss) == [true])
        var word = othersWord(1, base: 0, .suspended)
        (word.head.number, word.head.base) = (next + 2, next + 1)
        try hear(word)
        #expect(try unconfirmed() == [.suspended])
        try publish(from: next - fleetStart + 3)
        var later = othersWord(2, base: 0, .suspended)
        (later.head.number, later.head.base) = (next + 4, next + 3)
        try hear(later)
        #expect(try unconfirmed().isEmpty)
    }

    @Test("another log's numbers are none of this one's")
    func otherLog() throws {
        try lose(.suspended)
        try publish(from: 1)
        _ = try authority.step { transaction, scopes in try transaction.join(log: "another", epochs: firstEpoch, scopes) }
        try hear(othersWord(2, base: 1, .suspended))
        #expect(try unconfirmed() == [.suspended])
        #expect(try authority.step { transaction, scopes in try transaction.unsent(10, scopes) }.contains(where: \.isLoss))
    }

    @Test("what was confirmed elsewhere while this gateway was away settles what was told before")
    func away() throws {
        try lose(.suspended)
        try publish(from: 1)
        authority.close()
        let again = try joinedAuthority(folder)
        #expect(again.status.unconfirmedUsers == 1)
        _ = try again.hear([othersWord(2, base: 1, .suspended)], upTo: fleetStart + 2)
        #expect(again.status.unconfirmedUsers == 0)
        again.close()
    }

    @Test("calls that were lost before the fleet was joined, or by a program that doesn't tell them, are told at the next start")
    func untold() throws {
        try lose(.suspended)
        try publish(from: 1)
        // Lost again, and not told.
        _ = try authority.step { transaction, _ in try transaction.db.execute(sql: "UPDATE unconfirmed SET at = at + 1") }
        try hear(othersWord(2, base: 1, .suspended))
        #expect(try ledger.unconfirmedCalls().count == 1, "the number is of another loss")
        authority.close()
        let again = try joinedAuthority(folder)
        let loss = try #require(try again.step { transaction, scopes in try transaction.unsent(10, scopes) }.first { $0.isLoss })
        var told = loss
        told.head.number = fleetStart + 3
        _ = try again.hear([told, othersWord(4, base: 3, .suspended)], upTo: fleetStart + 4)
        #expect(again.status.unconfirmedUsers == 0)
        again.close()
    }

    @Test("an older lost call is settled by it, and the one after that isn't")
    func second() throws {
        try lose(.suspended, blocksOnUnknown: true)
        try publish(from: 1)
        usleep(2000)
        try lose(.active)
        try hear(othersWord(2, base: 1, .suspended))
        #expect(try unconfirmed() == [.active])
        #expect(isBlocked)
    }

    @Test("a suspension that is confirmed at another gateway is no longer a block of nothing but an unknown outcome")
    func confirmedThere() throws {
        try lose(.suspended, blocksOnUnknown: true)
        try hear(othersWord(1, base: 0, .suspended))
        #expect(try unconfirmed() == [.suspended])
        #expect(authority.state.withLock { $0.machine.lost[anna]?.isBlocking } == false)
        #expect(isBlocked)
    }

    @Test("words that overlapped leave a lost call where it is, when they are settled too")
    func contested() throws {
        let block = outcome(anna, .state(.suspended), learned: .hand)
        guard case .record(let hand) = block else { return }
        #expect(awaited { authority.byHand([hand], then: $0) } == .done)
        try lose(.suspended)
        try hear(othersWord(1, base: 0, .active))
        #expect(authority.contestedUsers == 1 && isBlocked)
        #expect(try ledger.unconfirmedCalls().map(\.cause) == ["timeout"])
        try publish(from: 2)
        try hear(othersWord(3, base: 2, .active))
        #expect(authority.contestedUsers == 0 && !isBlocked)
        #expect(try unconfirmed() == [.suspended])
    }

    @Test("a suspension that was heard after a lost reactivation is lifted by no read before neither can come late any more")
    func lateReactivation() throws {
        try lose(.active)
        try hear(othersWord(1, base: 0, .suspended))
        let service = CountingWord(state: .active)
        authority.readUsers(from: service, late: [60, 60])
        let end = Date.now.addingTimeInterval(20)
        // The first read has been dealt with when there is a second one.
        while service.reads.load(ordering: .acquiring) < 2, Date.now < end { usleep(1000) }
        #expect(service.reads.load(ordering: .acquiring) >= 2)
        #expect(isBlocked)
        #expect(try ledger.unconfirmedCalls().count == 1)
    }

    @Test("lost calls are the same after a restart")
    func restarted() throws {
        try lose(.suspended)
        try hear(othersWord(1, base: 0, .suspended, .operator), othersWord(2, base: 0, .active))
        authority.close()
        let again = try joinedAuthority(folder)
        #expect(again.status.unconfirmedUsers == 1)
        again.close()
    }
}

/// A service that says the same of everybody and counts how often.
private final class CountingWord: UserSource {
    let state: UserState
    let reads = Atomic<Int>(0)

    init(state: UserState) { self.state = state }

    func read(_ subject: Subject, then: @escaping @Sendable (ReadOutcome) -> Void) {
        reads.add(1, ordering: .acquiringAndReleasing)
        then(.state(state))
    }
    func lists(of directory: DirectoryIndex) -> [UserList] { [] }
    func page(_ number: Int, of list: UserList, then: @escaping @Sendable (Result<ListLesson, ReadFailure>) -> Void) {
        then(.failure(ReadFailure("there is no list")))
    }
}
