import Policy
import Testing

@testable import Suspensions

@Suite("what a failing ledger is owed")
struct LedgerDebtsTests {
    private func nobody(_ subject: Subject) -> Bool { false }

    @Test("what is owed of one user is written in order, and what a confirmed outcome supersedes no more")
    func order() {
        var debts = LedgerDebts()
        let changes = [
            outcome(anna, .state(.active), intent: 1, at: 1), outcome(anna, .state(.suspended), intent: 2, at: 2),
            outcome(anna, .state(.suspended), source: .operator, learned: .hand, at: 3),
            outcome(anna, .unknown(wanted: .active, blocks: false), intent: 4, learned: .unconfirmed, at: 4), .forget(intent: 5),
        ]
        for change in changes { debts.owe(change, of: anna) }
        let due = debts.carry(anna)
        #expect(due?.changes == [.forget(intent: 1), .forget(intent: 5), changes[1], changes[2], changes[3]])
        #expect(debts.carry(anna) == nil, "it is on its way")
        debts.carried(anna, due!.stamp, succeeded: false)
        #expect(debts.carry(anna)?.changes == due?.changes)
        debts.supersede(anna, .upstream)
        #expect(debts.carry(anna)?.changes == [.forget(intent: 1), .forget(intent: 5), .forget(intent: 2), .forget(intent: 4), changes[2]])
    }

    @Test("a write that ends well pays what it carried, but not what came since")
    func newer() {
        var debts = LedgerDebts()
        debts.owe(outcome(anna, .state(.suspended), at: 1), of: anna)
        let due = debts.carry(anna)!
        debts.owe(outcome(anna, .state(.active), at: 2), of: anna)
        debts.carried(anna, due.stamp, succeeded: true)
        #expect(debts.carry(anna)?.changes == [outcome(anna, .state(.active), at: 2)])
    }

    @Test("users take turns in transactions of a bounded size, and none is forgotten behind those that fail")
    func turns() {
        var debts = LedgerDebts()
        for number in 0..<Limits.ledgerGroup + 10 { debts.owe(outcome(person(number), .state(.suspended)), of: person(number)) }
        let first = debts.carryNext(isBusy: nobody)
        #expect(first.changes.count == Limits.ledgerGroup && first.stamps.count == Limits.ledgerGroup)
        for (subject, stamp) in first.stamps { debts.carried(subject, stamp, succeeded: false) }
        let second = debts.carryNext(isBusy: nobody)
        #expect((0..<10).allSatisfy { second.stamps[person(Limits.ledgerGroup + $0)] != nil })
        #expect(debts.count == Limits.ledgerGroup + 10)
        for (subject, stamp) in second.stamps { debts.carried(subject, stamp, succeeded: true) }
        #expect(debts.count == 10)
    }

    @Test("a disk that fails and comes back again and again leaves nothing behind but what is owed")
    func flapping() {
        var debts = LedgerDebts()
        for round in 0..<100 {
            debts.owe(outcome(anna, .state(.suspended), at: Int64(round)), of: anna)
            let due = debts.carry(anna)!
            debts.carried(anna, due.stamp, succeeded: true)
        }
        #expect(debts.isEmpty && debts.order.count <= 1)
        debts.owe(outcome(bob, .state(.suspended)), of: bob)
        debts.owe(outcome(anna, .state(.suspended)), of: anna)
        #expect(debts.carryNext(isBusy: nobody).stamps.count == 2 && debts.order.count == 2)
    }
}
