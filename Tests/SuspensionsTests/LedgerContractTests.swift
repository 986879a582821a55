import Policy
import Testing

@testable import Suspensions

/// What every store must do, asked of each.
@Suite("every ledger")
struct LedgerContractTests {
    enum Kind: CaseIterable { case sqlite, memory }

    private func withStore(_ kind: Kind, _ body: (any LedgerStore) throws -> Void) throws {
        switch kind {
        case .memory: try body(MemoryLedger())
        case .sqlite:
            let folder = try LedgerFolder()
            let store = try folder.open()
            try body(store)
            store.close()
        }
    }

    private func reactivations(_ store: any LedgerStore) throws -> [Subject: Int64] {
        var reactivations: [Subject: Int64] = [:]
        try store.forEachReactivation { reactivations[$0] = $1 }
        return reactivations
    }

    private func blocks(_ store: any LedgerStore) throws -> [Subject: BlockSources] {
        var blocks: [Subject: BlockSources] = [:]
        try store.forEachBlock { subject, source in blocks[subject, default: []].formUnion(BlockSources(source)) }
        return blocks
    }

    @Test("keeps blocks by subject and source, and gives them all back", arguments: Kind.allCases)
    func blocks(kind: Kind) throws {
        try withStore(kind) { store in
            try store.commit([
                outcome(anna, .state(.suspended)), outcome(anna, .state(.suspended), source: .operator),
                outcome(bob, .state(.suspended)), outcome(uuidUser, .state(.suspended)),
            ])
            #expect(try blocks(store) == [anna: [.upstream, .operator], bob: .upstream, uuidUser: .upstream])
            #expect(try store.blockCount() == 4)
        }
    }

    @Test("lifts one source and leaves the other", arguments: Kind.allCases)
    func lift(kind: Kind) throws {
        try withStore(kind) { store in
            try store.commit([outcome(anna, .state(.suspended)), outcome(anna, .state(.suspended), source: .operator)])
            try store.commit([outcome(anna, .state(.active))])
            #expect(try blocks(store) == [anna: .operator])
        }
    }

    @Test("keeps when everybody was last reactivated, by a call or by hand, and nothing else is a reactivation", arguments: Kind.allCases)
    func reactivations(kind: Kind) throws {
        try withStore(kind) { store in
            try store.commit([
                outcome(anna, .state(.suspended), at: 10), outcome(anna, .state(.active), at: 20),
                outcome(bob, .unknown(wanted: .active, blocks: false), learned: .unconfirmed, at: 30),
                outcome(uuidUser, .state(.suspended), source: .operator, learned: .hand, at: 40),
                outcome(uuidUser, .state(.active), source: .operator, learned: .hand, at: 50), intent(1, bob, .active),
            ])
            try store.recover(at: 60)
            #expect(try reactivations(store) == [anna: 20, uuidUser: 50])
            // A clock that was set back makes no reactivation earlier; a new suspension takes none away.
            try store.commit([outcome(anna, .state(.active), at: 15), outcome(uuidUser, .state(.suspended), at: 70)])
            #expect(try reactivations(store) == [anna: 20, uuidUser: 50])
            try store.commit([outcome(anna, .state(.active), at: 80)])
            #expect(try reactivations(store) == [anna: 80, uuidUser: 50])
        }
    }

    @Test("says about whom calls and operators have changed something lately, and not what was merely seen", arguments: Kind.allCases)
    func recent(kind: Kind) throws {
        try withStore(kind) { store in
            try store.commit([
                outcome(anna, .state(.suspended), at: 900), outcome(anna, .state(.active), at: 1000),
                outcome(bob, .unknown(wanted: .active, blocks: false), learned: .unconfirmed, at: 1001),
                outcome(uuidUser, .state(.suspended), source: .operator, learned: .hand, at: 1002),
                outcome(person(1), .state(.suspended), at: 999), outcome(person(2), .state(.suspended), learned: .passive, at: 1003),
                outcome(person(3), .state(.suspended), learned: .reconcile, at: 1003), intent(1, person(4)),
            ])
            try store.recover(at: 1004)
            var recent: [Subject: Int64] = [:]
            try store.forEachRecentChange(since: 1000) { recent[$0] = max($1, recent[$0] ?? 0) }
            #expect(recent == [anna: 1000, bob: 1001, uuidUser: 1002, person(4): 1004])
        }
    }

    @Test("a pending intent blocks nobody and is gone once it is forgotten or concluded", arguments: Kind.allCases)
    func intents(kind: Kind) throws {
        try withStore(kind) { store in
            try store.commit([intent(1, anna), intent(2, bob)])
            #expect(try blocks(store).isEmpty)
            try store.commit([.forget(intent: 1), outcome(bob, .state(.suspended), intent: 2)])
            try store.recover(at: 9)
            #expect(try store.unconfirmedCalls().isEmpty)
            #expect(try blocks(store) == [bob: .upstream])
        }
    }

    @Test("intents that a crash left become unconfirmed calls and change nothing", arguments: Kind.allCases)
    func recovery(kind: Kind) throws {
        try withStore(kind) { store in
            try store.commit([outcome(bob, .state(.suspended)), intent(1, anna), intent(2, bob, .active)])
            try store.recover(at: 9)
            let calls = try store.unconfirmedCalls()
            #expect(Set(calls.map(\.subject)) == [anna, bob])
            #expect(calls.allSatisfy { $0.at == 9 && $0.caller == Array("admin".utf8) })
            #expect(try blocks(store) == [bob: .upstream])
            try store.recover(at: 10)
            #expect(try store.unconfirmedCalls().count == 2)
        }
    }

    @Test("a lost suspension of a route with on_unknown: suspend blocks after the crash", arguments: Kind.allCases)
    func recoveryBlocks(kind: Kind) throws {
        try withStore(kind) { store in
            try store.commit([intent(1, anna, blocksOnUnknown: true), intent(2, bob, .active, blocksOnUnknown: true)])
            try store.recover(at: 9)
            #expect(try blocks(store) == [anna: .upstream])
        }
    }

    @Test("a confirmed call and the operator settle an unconfirmed one, a passive answer doesn't", arguments: Kind.allCases)
    func settling(kind: Kind) throws {
        try withStore(kind) { store in
            try store.commit([outcome(anna, .unknown(wanted: .active, blocks: false), learned: .unconfirmed, reason: "timeout")])
            try store.commit([outcome(anna, .state(.suspended), learned: .passive)])
            #expect(try store.unconfirmedCalls().map(\.cause) == ["timeout"])
            try store.commit([outcome(anna, .state(.active))])
            #expect(try store.unconfirmedCalls().isEmpty)
            try store.commit([outcome(anna, .unknown(wanted: .active, blocks: false), learned: .unconfirmed, reason: "timeout")])
            try store.commit([outcome(anna, .state(.suspended), source: .operator, learned: .hand)])
            #expect(try store.unconfirmedCalls().isEmpty)
        }
    }
}
