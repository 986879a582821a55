import Dispatch
import GRDB
import Policy
import Testing

@testable import Suspensions

/// What others say while the ledger takes nothing: suspensions are in force in memory, and nothing else is so.
@Suite("fleet: a failing ledger")
struct FleetFailingLedgerTests {
    private let folder: LedgerFolder
    private let ledger: SQLiteLedger
    private let authority: SuspensionAuthority

    init() throws {
        folder = try LedgerFolder()
        ledger = try folder.open()
        authority = try joinedAuthority(ledger)
    }

    private static let tables = ["fleet", "fleet_heads", "log", "intents"]

    private func fail() throws {
        for table in Self.tables {
            for change in ["INSERT", "UPDATE", "DELETE"] {
                try ledger.database.inDatabase { db in
                    try db.execute(
                        sql: """
                            CREATE TEMP TRIGGER fails_\(table)_\(change) BEFORE \(change) ON main.\(table)
                            BEGIN SELECT raise(ABORT, 'no space left'); END
                            """)
                }
            }
        }
    }

    private func heal() throws {
        for table in Self.tables {
            for change in ["INSERT", "UPDATE", "DELETE"] {
                try ledger.database.inDatabase { try $0.execute(sql: "DROP TRIGGER temp.fails_\(table)_\(change)") }
            }
        }
    }

    private var isBlocked: Bool { authority.index.stands(.upstream, for: anna) }
    private func applied() throws -> Int64 { try authority.step { transaction, _ in try transaction.known().applied } }
    private func hear(_ words: [FleetEntry]) throws { _ = try authority.hear(words, upTo: words.last!.head.number!) }

    @Test("who is suspended elsewhere is refused here, and nothing counts as heard; later the ledger has it all")
    func held() throws {
        try fail()
        let word = othersWord(1, base: 0, .suspended)
        #expect(throws: LedgerError.self) { try hear([word]) }
        authority.hold([word])
        #expect(isBlocked)
        #expect(try applied() == 0)
        #expect(authority.state.withLock { $0.fleet?.applied } == 0)
        try heal()
        try hear([word])
        authority.holdNobody()
        try authority.release([word])
        #expect(isBlocked)
        #expect(try applied() == fleetStart + 1)
        authority.close()
        #expect(try folder.open().blockCount() == 1)
    }

    @Test("nobody who is held is lifted before the ledger has heard all of it; then who isn't suspended by it is")
    func released() throws {
        try fail()
        let words = [othersWord(1, base: 0, .suspended), othersWord(2, base: 1, .active), othersWord(3, base: 2, .suspended)]
        for word in words { authority.hold([word]) }
        try heal()
        try hear([words[0], words[1]])
        #expect(isBlocked, "the third is known to memory alone")
        let last = othersWord(4, base: 3, .active)
        authority.hold([last])
        #expect(isBlocked, "suspended wins as long as the ledger isn't asked")
        try hear([words[2], last])
        #expect(isBlocked)
        authority.holdNobody()
        try authority.release(words)
        #expect(!isBlocked)
    }

    @Test("a lift by hand that the ledger takes in between waits until it has heard what memory was told")
    func lifted() throws {
        try hear([othersWord(1, base: 0, .suspended)])
        authority.hold([othersWord(2, base: 1, .suspended)])
        guard case .record(let lift) = outcome(anna, .state(.active), learned: .hand) else { return }
        #expect(awaited { authority.byHand([lift], then: $0) } == .done)
        #expect(isBlocked)
        try hear([othersWord(2, base: 1, .suspended)])
        authority.holdNobody()
        try authority.release([othersWord(2, base: 1, .suspended)])
        #expect(isBlocked, "neither knew of the other")
        #expect(authority.contestedUsers == 1)
    }

    @Test("words that this gateway has said, and whom a later word of the same entries has reactivated, are not held")
    func passedOver() throws {
        var own = othersWord(1, base: 0, .suspended)
        own.head = FleetHead(writer: authority.fleetWriter, local: 1, number: fleetStart + 1, base: 0, state: .suspended)
        authority.hold([own])
        #expect(!isBlocked)
        authority.hold([othersWord(2, base: 1, .suspended), othersWord(3, base: 2, .active)])
        #expect(!isBlocked)
        authority.hold([othersWord(2, base: 1, .suspended), othersWord(3, base: 1, .active, directory: "elsewhere")])
        #expect(isBlocked)
    }

    @Test("too many to remember: nobody at all is lifted until the ledger has heard it")
    func bounded() {
        var held = FleetHeld()
        for number in 0..<Limits.fleetHeldUsers { held.insert(person(number)) }
        #expect(!held.contains(anna))
        held.insert(bob)
        #expect(held.contains(anna))
    }

    @Test("a disk that hangs is told as one that fails, and one step at a time waits for it")
    func hangs() throws {
        let gate = DispatchSemaphore(value: 0)
        #expect(throws: LedgerError.self) { _ = try authority.step(patience: 1) { _, _ in gate.wait() } }
        #expect(throws: LedgerError.writeFailed("it still hangs")) { _ = try authority.step(patience: 1) { _, _ in } }
        gate.signal()
        _ = try authority.step { _, _ in }
        #expect(try authority.step(patience: 60) { _, _ in 7 } == 7)
    }

    @Test("a run is known to the next one; of too many those are forgotten that have left no word")
    func runs() throws {
        try hear([othersWord(1, base: 0, .suspended)])
        try authority.step { transaction, _ in
            try transaction.noteRun()
            for number in 0..<Limits.fleetRuns { try transaction.run("INSERT INTO fleet_runs VALUES (?)", ["run-\(number)"]) }
            try transaction.run("INSERT INTO fleet_runs VALUES ('other')", [])
        }
        authority.close()
        let again = try folder.open()
        #expect(again.fleet.earlierRuns.count == Limits.fleetRuns + 2)
        try again.commit([.fleet(FleetStep { transaction, _ in try transaction.noteRun() })])
        again.close()
        #expect(try folder.open().fleet.earlierRuns.sorted() == ["other", again.fleet.writer].sorted(), "one has a word, one is the last")
    }

    @Test("a joined log that is as it was is entered without a write")
    func entered() throws {
        try fail()
        let position = try authority.step { transaction, scopes in try transaction.join(log: "log", epochs: firstEpoch, scopes) }
        #expect(position == LedgerTransaction.Position(applied: 0, isBehindUs: false))
    }

    @Test("a position beyond the shared log's counter is none of its own: what follows is heard, and what was noted there is said again")
    func beyond() throws {
        var word = othersWord(1, base: 0, .suspended)
        word.head.number = .max
        _ = try authority.hear([word], upTo: .max)
        let epochs = FleetEpochs([FleetEpochs.Epoch(number: 1, after: 0), FleetEpochs.Epoch(number: 2, after: 0)])
        let last = epochs.all[1].start
        let position = try authority.step { transaction, scopes in
            try transaction.join(log: "log", epochs: epochs, last: last, scopes)
        }
        #expect(position == LedgerTransaction.Position(applied: last, isBehindUs: true))
        #expect(try authority.step { transaction, scopes in try transaction.unsent(10, scopes).count } == 1)
    }

    @Test("calls whose intents can't be written leave nothing behind")
    func bases() throws {
        func kept() -> Int? { authority.state.withLock { $0.fleet?.bases.count } }
        func call(_ subject: Subject, _ wanted: UserState) -> IntentCall {
            IntentCall(subject: subject, wanted: wanted, caller: Caller("admin"), requestID: [1])
        }
        try fail()
        #expect(awaited { authority.begin(call(anna, .active), then: $0) } == .notDurable)
        for result in [UpstreamOutcome.refused(status: 409), .notSent, .confirmed, .unconfirmed(cause: "no answer")] {
            guard case .proceed(let ticket) = awaited({ authority.begin(call(person(1), .suspended), then: $0) }) else {
                Issue.record("a suspension goes on")
                return
            }
            #expect(kept() == 1)
            let _: Conclusion = awaited { authority.finish(ticket, result, then: $0) }
            #expect(kept() == 0, "\(result)")
        }
    }
}
