import Foundation
import Policy
import Synchronization
import Testing

@testable import Suspensions

/// What a gateway says to its fleet: every change of a block, each once, with the place in the shared log at which it was made.
@Suite("fleet: writing")
struct FleetWritingTests {
    private let folder: LedgerFolder
    private let ledger: SQLiteLedger

    init() throws {
        folder = try LedgerFolder()
        ledger = try folder.open()
        try join(ledger)
    }

    private func join(_ ledger: SQLiteLedger) throws {
        try ledger.commit([
            .fleet(
                FleetStep { transaction, scopes in
                    _ = try transaction.join(log: "log", epochs: firstEpoch, scopes)
                })
        ])
    }

    private func unsent(_ ledger: SQLiteLedger, limit: Int = 10_000) throws -> [FleetEntry] {
        let words = Mutex<[FleetEntry]>([])
        try ledger.commit([
            .fleet(
                FleetStep { transaction, scopes in
                    let found = try transaction.unsent(limit, scopes)
                    words.withLock { $0 = found }
                })
        ])
        return words.withLock { $0 }
    }

    private func hearing(_ entry: FleetEntry) -> LedgerChange {
        .fleet(FleetStep { transaction, scopes in _ = try transaction.hear([entry], upTo: entry.head.number!, &scopes) })
    }

    @Test("however a block comes or goes, the others are told; an outcome that changes none is no word")
    func everything() throws {
        var expected: [String] = []
        for learned in Learned.allCases where learned != .fleet {
            for source in BlockSource.allCases {
                for state in [UserState.suspended, .active] {
                    let subject = person(expected.count)
                    try ledger.commit([outcome(subject, .state(state), source: source, learned: learned)])
                    expected.append("person-\(expected.count) \(source) \(state) \(learned)")
                }
            }
        }
        try ledger.commit([outcome(person(900), .unknown(wanted: .suspended, blocks: true), learned: .unconfirmed)])
        expected.append("person-900 upstream suspended unconfirmed")
        try ledger.commit([
            outcome(person(901), .unknown(wanted: .active, blocks: false), learned: .unconfirmed),
            outcome(person(902), .seen(.active), learned: .read),
        ])
        let (losses, said) = try (unsent(ledger).filter(\.isLoss), unsent(ledger).filter { !$0.isLoss })
        #expect(losses.count == 2, "of nobody they say anything")
        let words = said.map { "\(String(decoding: $0.user, as: UTF8.self)) \($0.source) \($0.head.state) \($0.learned)" }
        #expect(words == expected)
    }

    @Test("of many words and many lost calls each batch has some of both, and all come")
    func batches() throws {
        for number in 0..<30 {
            try ledger.commit([
                outcome(person(number), .state(.suspended)), outcome(person(100 + number), .unknown(wanted: .active, blocks: false)),
            ])
        }
        var (heard, number) = (0, fleetStart)
        while heard < 60 {
            let batch = try unsent(ledger, limit: 10)
            try #require(!batch.isEmpty && batch.count <= 10)
            if heard < 40 { #expect(batch.contains(where: \.isLoss) && batch.contains { !$0.isLoss }) }
            for entry in batch {
                var entry = entry
                number += 1
                entry.head.number = number
                try ledger.commit([hearing(entry)])
            }
            heard += batch.count
        }
        #expect(try unsent(ledger).isEmpty)
    }

    @Test("a lift is kept out of memory by a word that came in the same transaction, also where it is settled by its end")
    func kept() throws {
        let lift = outcome(anna, .state(.active), learned: .hand)
        try ledger.commit([hearing(othersWord(1, base: 0, .suspended)), lift])
        #expect(ledger.fleet.verdict(on: [lift]).kept.isEmpty)
        try ledger.commit([lift, hearing(othersWord(2, base: 1, .suspended))])
        #expect(ledger.fleet.verdict(on: [lift]).kept == [BlockKey(anna, .upstream)])
        #expect(ledger.fleet.verdict(on: [lift]).contested == [anna])
        #expect(ledger.fleet.contestedCount == 1)
        try ledger.commit([lift])
        #expect(ledger.fleet.verdict(on: [lift]).kept.isEmpty)
        #expect(ledger.fleet.contestedCount == 0)
        #expect(try ledger.unconfirmedCalls().isEmpty)
        #expect(try ledger.blockCount() == 0)
    }

    @Test("an outcome that settles an unknown call leaves a contest where it is: it is listed until the words agree")
    func listed() throws {
        try ledger.commit([outcome(anna, .state(.active)), hearing(othersWord(1, base: 0, .suspended))])
        #expect(try ledger.unconfirmedCalls().map(\.subject) == [anna])
        try ledger.commit([outcome(anna, .seen(.active), learned: .read)])
        #expect(try ledger.unconfirmedCalls().map(\.subject) == [anna])
        try ledger.commit([outcome(anna, .state(.suspended), source: .operator, learned: .hand)])
        #expect(try ledger.unconfirmedCalls().map(\.subject) == [anna], "an operator's block says nothing of the service")
        try ledger.commit([outcome(anna, .state(.active), learned: .read)])
        #expect(try ledger.unconfirmedCalls().isEmpty)
    }

    @Test("a call that a crash ended knows no more than when it began")
    func crashed() throws {
        try ledger.commit([
            intent(1, anna, blocksOnUnknown: true).based(fleetStart), hearing(othersWord(1, base: 0, .active)),
        ])
        ledger.close()
        let again = try folder.open()
        try again.recover(at: 5000)
        #expect(try unsent(again).filter { !$0.isLoss }.map(\.head.base) == [fleetStart])
        #expect(again.fleet.contestedCount == 1, "nobody knows which came last: suspended")
        #expect(try again.blockCount() == 1)
    }

    @Test("what memory hands to be published is all there is, or the ledger is asked")
    func outbox() throws {
        try ledger.commit([outcome(anna, .state(.suspended))])
        #expect(ledger.fleet.takeOutbox() == nil, "nobody has asked yet what there was before")
        let told = try unsent(ledger)
        #expect(ledger.fleet.takeOutbox() == [])
        try ledger.commit([outcome(bob, .state(.suspended)), outcome(bob, .state(.active))])
        let words = try #require(ledger.fleet.takeOutbox())
        #expect(words.map(\.head.state) == [.suspended, .active])
        #expect(try unsent(ledger) == told + [words[1]], "the first was replaced before anybody heard of it")
        for number in 0...Limits.fleetBatch { try ledger.commit([outcome(person(number), .state(.suspended))]) }
        #expect(ledger.fleet.takeOutbox() == nil, "too many")
        _ = try unsent(ledger)
        try join(ledger)
        #expect(ledger.fleet.takeOutbox() == nil, "another epoch makes them others")
    }

    @Test("a ledger's blocks from before are said in pieces, each once, and those that were lifted meanwhile are not")
    func stood() throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        for number in 0..<25 { try ledger.commit([outcome(person(number), .state(.suspended))]) }
        try ledger.commit([outcome(uuidUser, .state(.suspended)), outcome(bob, .state(.suspended), source: .operator)])
        let last = Mutex<LedgerTransaction.Stood?>(nil)
        var pieces = 0
        repeat {
            try ledger.commit([
                .fleet(
                    FleetStep { transaction, _ in
                        let from = last.withLock { $0 }
                        let next = try transaction.sayWhatStood(after: from, 10)
                        last.withLock { $0 = next }
                    })
            ])
            if pieces == 0 { for number in 0..<25 { try ledger.commit([outcome(person(number), .state(.active))]) } }
            pieces += 1
        } while last.withLock { $0 } != nil && pieces < 10
        try join(ledger)
        let words = try unsent(ledger)
        let standing = words.filter { $0.head.state == .suspended }.map { String(decoding: $0.user, as: UTF8.self) }
        let expected = [uuidUser, bob].map { String(decoding: $0.user.id.canonical, as: UTF8.self) }
        #expect(standing.sorted() == expected.sorted())
        #expect(words.filter { $0.head.state == .active }.count == 25)
        #expect(Set(words.map(\.head.local)).count == words.count)
    }

    @Test("what is owed to a disk that fails keeps the place at which it was made")
    func owed() throws {
        var side = FleetSide(FleetLedger())
        side.stands(at: 5)
        let made = outcome(anna, .state(.suspended), source: .operator, learned: .hand)
        guard case .record(let block) = made else { return }
        let (changes, write) = side.stamp([made], CallMachine.Write(purpose: .byHand(1, [block])))
        guard case .record(let written) = changes[0], case .byHand(_, let outcomes) = write.purpose else {
            Issue.record("\(changes)")
            return
        }
        #expect(written.base == 5 && outcomes[0].base == 5)
        side.written(changes, FleetVerdict())
        side.stands(at: 9)
        let later = side.stamp([.record(outcomes[0])], CallMachine.Write(purpose: .debts))
        #expect(later.0 == [.record(outcomes[0])], "not 9: of what came meanwhile it knew nothing")
    }
}

extension LedgerChange {
    /// An intent that began when this number was in force.
    fileprivate func based(_ number: Int64) -> LedgerChange {
        guard case .intend(var intent) = self else { return self }
        intent.base = number
        return .intend(intent)
    }
}
