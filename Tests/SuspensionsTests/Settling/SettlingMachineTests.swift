import Policy
import Testing

@testable import Suspensions

/// What reads and reconcile runs change, and what they don't.
@Suite("reads of users")
struct SettlingMachineTests {
    /// A call that is lost.
    private func lose(_ wanted: UserState, _ gateway: inout MachineHarness, blocksOnUnknown: Bool = false) {
        let call = gateway.arrive(anna, wanted, blocksOnUnknown: blocksOnUnknown)
        gateway.writesEnd()
        gateway.finish(call, .unconfirmed(cause: "timeout"))
        gateway.writesEnd()
    }

    @Test("without a credential nothing is read; with one all that is unconfirmed is")
    func credential() {
        var gateway = MachineHarness()
        lose(.suspended, &gateway)
        gateway.pass(seconds: 100)
        #expect(gateway.reads.isEmpty)
        gateway.canRead()
        #expect(gateway.reads.keys.elementsEqual([anna]))
        gateway.readEnds(anna, .impossible)
        gateway.pass(seconds: 1000)
        #expect(gateway.reads.isEmpty && gateway.machine.unconfirmed == [anna])
        gateway.canRead()
        #expect(gateway.reads.keys.elementsEqual([anna]))
    }

    @Test("the block of on_unknown: suspend is lifted only when the call can't come any more; a confirmed one never")
    func onUnknown() {
        for confirmedBefore in [false, true] {
            var gateway = MachineHarness()
            gateway.canRead(late: 60)
            if confirmedBefore { gateway.confirm(anna, .suspended) }
            lose(.suspended, &gateway, blocksOnUnknown: true)
            gateway.readEnds(anna, .state(.active))
            gateway.writesEnd()
            #expect(gateway.isBlocked(anna))
            gateway.pass(seconds: 61)
            gateway.readEnds(anna, .state(.active))
            gateway.writesEnd()
            #expect(gateway.isBlocked(anna) == confirmedBefore)
            #expect(gateway.machine.unconfirmed.isEmpty && gateway.store.current.unconfirmed.isEmpty && gateway.isDurable)
            #expect(gateway.machine.tally.settled == [.active: 1])
        }
    }

    @Test("the same after a restart: the ledger knows which block only an unknown outcome made")
    func onUnknownAfterRestart() {
        for confirmedBefore in [false, true] {
            var gateway = MachineHarness()
            if confirmedBefore { gateway.confirm(anna, .suspended) }
            lose(.suspended, &gateway, blocksOnUnknown: true)
            gateway = MachineHarness(store: gateway.store)
            gateway.canRead(late: 1)
            gateway.readEnds(anna, .state(.active))
            gateway.pass(seconds: 2)
            gateway.readEnds(anna, .state(.active))
            gateway.writesEnd()
            #expect(gateway.isBlocked(anna) == confirmedBefore && gateway.machine.unconfirmed.isEmpty && gateway.isDurable)
        }
    }

    @Test("a suspended user who is seen when answers teach nothing is read, and blocked by that")
    func sighting() {
        var gateway = MachineHarness()
        gateway.canRead()
        gateway.confirm(anna, .active)
        gateway.see(anna)
        #expect(!gateway.isBlocked(anna) && gateway.reads.isEmpty)
        gateway.pass(seconds: 2)
        gateway.readEnds(anna, .state(.suspended))
        gateway.writesEnd()
        #expect(gateway.isBlocked(anna) && gateway.isDurable)
        #expect(gateway.machine.book.entries.isEmpty)
        gateway.pass(seconds: 1000)
        #expect(gateway.reads.isEmpty)
    }

    @Test("no read that a sighting starts lifts anybody")
    func sightingLiftsNobody() {
        var gateway = MachineHarness()
        gateway.canRead()
        gateway.confirm(anna, .suspended)
        gateway.see(anna)
        gateway.pass(seconds: 2)
        gateway.readEnds(anna, .state(.active))
        gateway.writesEnd()
        #expect(gateway.isBlocked(anna))
    }

    @Test("calls wait while what a read has shown is written, and a read that one overtakes is asked again")
    func turns() {
        var gateway = MachineHarness()
        gateway.canRead()
        lose(.suspended, &gateway)
        gateway.readEnds(anna, .state(.suspended))
        #expect(gateway.isBlocked(anna) && gateway.writes.count == 1)
        let call = gateway.arrive(anna, .active)
        #expect(gateway.beginnings[call] == nil && gateway.writes.count == 1)
        gateway.writeEnds()
        gateway.writeEnds()
        #expect(gateway.beginnings[call]?.count == 1)
        gateway.finish(call, .confirmed)
        gateway.writesEnd()
        #expect(!gateway.isBlocked(anna) && gateway.isDurable)
        let other = gateway.arrive(anna, .suspended, by: "other")
        gateway.writesEnd()
        gateway.readEnds(anna, .state(.active))
        #expect(gateway.machine.tally.reads[.overtaken] == 1)
        gateway.finish(other, .confirmed)
        gateway.writesEnd()
        #expect(gateway.isBlocked(anna) && gateway.reads[anna] != nil)
    }

    @Test("what a read has shown and the ledger doesn't take holds in memory, is owed, and settles nothing yet")
    func ledgerFails() {
        var gateway = MachineHarness()
        gateway.canRead(late: 1)
        lose(.suspended, &gateway)
        gateway.readEnds(anna, .state(.suspended))
        gateway.writeEnds(.diskFull)
        #expect(gateway.isBlocked(anna) && gateway.machine.unconfirmed == [anna])
        gateway.pass(seconds: 10)
        gateway.writesEnd()
        gateway.readEnds(anna, .state(.suspended))
        gateway.writesEnd()
        #expect(gateway.machine.unconfirmed.isEmpty && gateway.isDurable && gateway.store.current.unconfirmed.isEmpty)
    }

    @Test("while draining nothing is read, and what is read teaches nothing")
    func draining() {
        var gateway = MachineHarness()
        gateway.canRead()
        lose(.suspended, &gateway)
        gateway.handle(.drain(until: .max))
        gateway.readEnds(anna, .state(.suspended))
        gateway.pass(seconds: 100)
        #expect(!gateway.isBlocked(anna) && gateway.reads.isEmpty && gateway.drained == 0)
    }

    @Test("findings are put in force, but not about whom something has happened to since, or whose call is being settled")
    func findings() {
        var gateway = MachineHarness()
        gateway.canRead()
        gateway.machine.touches.runs = 1
        let (drifted, lifted, called, open, fresh) = (person(1), person(2), person(3), person(4), person(5))
        gateway.confirm(lifted, .suspended)
        gateway.confirm(open, .suspended)
        gateway.pass(seconds: 1)
        gateway.confirm(fresh, .suspended)
        gateway.pass(seconds: Int64(Limits.quietSeconds) - 1)
        let mark = gateway.machine.touches.mark
        gateway.confirm(called, .suspended)
        let call = gateway.arrive(open, .active)
        gateway.writesEnd()
        gateway.finish(call, .unconfirmed(cause: "timeout"))
        gateway.writesEnd()
        gateway.find(
            [
                (drifted, .suspended), (drifted, .suspended), (lifted, .active), (called, .active), (open, .active), (fresh, .active),
                (person(9), .active),
            ], since: mark)
        #expect(gateway.isBlocked(drifted) && gateway.isBlocked(lifted), "blocked first, lifted only when it is durable")
        gateway.writesEnd()
        #expect(
            gateway.applied == [FindingBatch(open: 0, blocked: 1, lifted: 1, overtaken: [drifted, called, open], waiting: 1, failed: 0)])
        #expect(!gateway.isBlocked(lifted) && [called, open, fresh].allSatisfy(gateway.isBlocked) && gateway.isDurable)
        #expect(gateway.store.current.log.suffix(2).allSatisfy { $0.learned == .reconcile })
    }

    @Test("a lift that the ledger doesn't take is none")
    func failedLift() {
        var gateway = MachineHarness()
        gateway.confirm(anna, .suspended)
        gateway.pass(seconds: Int64(Limits.quietSeconds))
        gateway.find([(anna, .active)], since: gateway.machine.touches.mark)
        gateway.writeEnds(.diskFull)
        #expect(gateway.isBlocked(anna) && gateway.applied.map(\.failed) == [1])
    }
}
