import Dispatch
import Policy
import Synchronization
import Testing

@testable import Suspensions

@Suite("the ledger's thread")
struct LedgerWriterTests {
    /// A store whose commits wait until they are let go, one by one.
    private final class GatedLedger: LedgerStore {
        let gate = DispatchSemaphore(value: 0)
        let entered = DispatchSemaphore(value: 0)
        let groups = Mutex<[[LedgerChange]]>([])
        let failsFirst: Bool
        let failsOfFleet: Bool

        init(failsFirst: Bool = false, failsOfFleet: Bool = false) { (self.failsFirst, self.failsOfFleet) = (failsFirst, failsOfFleet) }

        func commit(_ changes: [LedgerChange]) throws(LedgerError) {
            entered.signal()
            gate.wait()
            let number = groups.withLock { groups in
                groups.append(changes)
                return groups.count
            }
            if failsFirst, number == 1 { throw .diskFull }
            for case .fleet in changes where failsOfFleet { throw .diskFull }
        }

        func recover(at time: Int64) {}
        func blockCount() -> Int { 0 }
        func forEachBlock(_ body: (Subject, BlockSource) -> Void) {}
        func forEachReactivation(_ body: (Subject, Int64) -> Void) {}
        func blocks(_ query: BlockQuery) -> BlockPage { BlockPage() }
        func forEachRecentChange(since time: Int64, _ body: (Subject, Int64) -> Void) {}
        func unconfirmedCalls() -> [UnconfirmedCall] { [] }
        func fillings() -> [Int: Bool] { [:] }
        func close() {}
    }

    @Test("everything that waits while a disk syncs is the next transaction, in order")
    func groups() {
        let store = GatedLedger()
        let writer = LedgerWriter(store: store)
        let answers = Mutex<[Int64]>([])
        for number in Int64(0)..<100 {
            writer.submit([.forget(intent: number)]) { _ in answers.withLock { $0.append(number) } }
            if number == 0 { store.entered.wait() }
        }
        store.gate.signal()
        store.gate.signal()
        writer.close()
        #expect(store.groups.withLock { $0.map(\.count) } == [1, 99])
        #expect(store.groups.withLock { $0.flatMap { $0 } } == (0..<100).map { .forget(intent: $0) })
        #expect(answers.withLock { $0 } == Array(0..<100))
    }

    @Test("what is read in pages lets writes through between two of them, and too many reads are turned away")
    func reads() {
        let store = GatedLedger()
        let writer = LedgerWriter(store: store)
        let order = Mutex<[String]>([])
        let note = { @Sendable (what: String) in order.withLock { $0.append(what) } }
        for _ in 0..<2 { store.gate.signal() }
        let isTaken = writer.read { _ in
            note("page 1")
            writer.submit([.forget(intent: 1)]) { _ in note("write") }
            #expect(writer.read { _ in note("page 2") })
            // This one is running, the next one waits: so many more have room.
            for number in 1..<Limits.ledgerReads + 2 { #expect(writer.read { _ in } == (number < Limits.ledgerReads)) }
        }
        #expect(isTaken)
        writer.close()
        #expect(order.withLock { $0 } == ["page 1", "write", "page 2"])
    }

    @Test("a failed transaction is the failure of each of its submissions, and of no other")
    func failure() {
        let store = GatedLedger(failsFirst: true)
        let writer = LedgerWriter(store: store)
        let answers = Mutex<[LedgerError?]>([])
        for number in Int64(0)..<2 {
            writer.submit([.forget(intent: number)]) { error in answers.withLock { $0.append(error) } }
            if number == 0 { store.entered.wait() }
        }
        store.gate.signal()
        store.gate.signal()
        writer.close()
        #expect(answers.withLock { $0 } == [.diskFull, nil])
    }

    @Test("a step of the fleet's that fails takes nobody along who shares its transaction")
    func alone() {
        let store = GatedLedger(failsOfFleet: true)
        let writer = LedgerWriter(store: store)
        let answers = Mutex<[LedgerError?]>([])
        let step = LedgerChange.fleet(FleetStep { _, _ in })
        let changes: [LedgerChange] = [.probe, .forget(intent: 1), .forget(intent: 2), step, step, .forget(intent: 3)]
        for change in changes {
            writer.submit([change]) { error in answers.withLock { $0.append(error) } }
            if change == .probe { store.entered.wait() }
        }
        for _ in 0..<6 { store.gate.signal() }
        writer.close()
        #expect(answers.withLock { $0 } == [nil, nil, nil, .diskFull, .diskFull, nil])
        #expect(
            store.groups.withLock { $0 } == [
                [.probe], Array(changes[1...]), [.forget(intent: 1), .forget(intent: 2)], [step], [step], [.forget(intent: 3)],
            ])
    }
}
