import Policy
import TestSupport
import Testing

@testable import Suspensions

/// What operators change while calls, other answers and a failing disk do what they like.
@Suite("a change by hand on a running gateway")
struct HandChangeTests {
    @Test("a block is in memory at once and told to all loops, and concluded when it is durable")
    func block() {
        var gateway = MachineHarness()
        let change = gateway.byHand(anna, .suspended)
        #expect(gateway.index[anna] == .operator && gateway.told == [anna] && gateway.hands[change] == nil)
        gateway.writesEnd()
        #expect(gateway.hands[change] == [.done] && gateway.isDurable)
    }

    @Test("a lift is durable before it is in memory")
    func lift() {
        var gateway = MachineHarness()
        gateway.byHand(anna, .suspended)
        gateway.writesEnd()
        let change = gateway.byHand(anna, .active)
        #expect(gateway.isBlocked(anna) && gateway.hands[change] == nil)
        gateway.writesEnd()
        #expect(!gateway.isBlocked(anna) && gateway.hands[change] == [.done] && gateway.isDurable)
    }

    @Test("neither source lifts the other's block")
    func sources() {
        var gateway = MachineHarness()
        gateway.confirm(anna, .suspended)
        gateway.byHand(anna, .suspended)
        gateway.writesEnd()
        gateway.confirm(anna, .active)
        #expect(gateway.index[anna] == .operator)
        gateway.confirm(anna, .suspended)
        gateway.byHand(anna, .active)
        gateway.writesEnd()
        #expect(gateway.index[anna] == .upstream && gateway.isDurable)
        gateway.byHand(anna, .active, .upstream)
        gateway.writesEnd()
        #expect(!gateway.isBlocked(anna) && gateway.isDurable)
    }

    @Test("it doesn't wait for a call of the same user that is on its way")
    func noQueue() {
        var gateway = MachineHarness()
        _ = gateway.arrive(anna)
        gateway.writesEnd()
        let change = gateway.byHand(anna, .suspended)
        gateway.writesEnd()
        #expect(gateway.hands[change] == [.done] && gateway.index[anna] == .operator)
    }

    @Test("whoever is blocked while a lift is being written stays blocked, in memory and on disk", arguments: [true, false])
    func race(byCall: Bool) {
        var gateway = MachineHarness()
        gateway.confirm(anna, .suspended)
        let call = gateway.arrive(anna)
        gateway.writesEnd()
        let lift = gateway.byHand(anna, .active, .upstream)
        if byCall {
            gateway.finish(call, .confirmed)
        } else {
            gateway.finish(call, .refused(status: 403))
            gateway.pass(seconds: 61)
            gateway.see(anna)
        }
        gateway.writesEnd()
        #expect(gateway.hands[lift]?.isEmpty == false)
        #expect(gateway.index[anna] == .upstream, "\(gateway.index)")
        #expect(gateway.store.current.blocks == gateway.index)
    }

    @Test("an operator's block while an operator's lift is being written stands")
    func ownRace() {
        var gateway = MachineHarness()
        gateway.byHand(anna, .suspended)
        gateway.writesEnd()
        gateway.byHand(anna, .active)
        gateway.byHand(anna, .suspended)
        gateway.writesEnd()
        #expect(gateway.index[anna] == .operator && gateway.store.current.blocks == gateway.index)
    }

    @Test("of two lifts that are being written, the one that succeeds counts", arguments: [0, 1])
    func twoLifts(failing: Int) {
        var gateway = MachineHarness()
        gateway.byHand(anna, .suspended)
        gateway.writesEnd()
        for _ in 0..<2 { gateway.byHand(anna, .active) }
        for number in 0..<2 { gateway.writeEnds(number == failing ? .diskFull : nil) }
        #expect(!gateway.isBlocked(anna) && gateway.store.current.blocks == gateway.index)
    }

    @Test("what was owed from before a lift is never written behind it")
    func debtBehindLift() {
        var gateway = MachineHarness()
        gateway.byHand(anna, .suspended)
        gateway.byHand(anna, .active)
        gateway.writeEnds(.diskFull)
        gateway.pass(seconds: 2)
        gateway.writesEnd()
        #expect(!gateway.isBlocked(anna) && gateway.store.current.blocks == gateway.index)
    }

    @Test("a disk that is full: a block holds in memory and is written later, a lift changes nothing")
    func full() {
        var gateway = MachineHarness()
        let block = gateway.byHand(anna, .suspended)
        gateway.writeEnds(.diskFull)
        #expect(gateway.hands[block] == [.notDurable(inForce: true)] && gateway.index[anna] == .operator)
        let lift = gateway.byHand(anna, .active)
        gateway.writeEnds(.diskFull)
        #expect(gateway.hands[lift] == [.notDurable(inForce: false)] && gateway.index[anna] == .operator)
        gateway.pass(seconds: 1)
        gateway.writesEnd()
        #expect(gateway.isDurable && gateway.store.current.blocks[anna] == .operator)
    }

    @Test("what is owed of one source isn't forgotten for the other's sake")
    func debts() {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna)
        gateway.writesEnd()
        gateway.finish(call, .confirmed)
        gateway.writeEnds(.diskFull)
        gateway.byHand(anna, .suspended)
        gateway.writeEnds(.diskFull)
        gateway.pass(seconds: 1)
        gateway.writesEnd()
        #expect(gateway.index[anna] == [.upstream, .operator] && gateway.isDurable)
    }

    @Test("a lift that is written after a failed block takes what was owed with it")
    func liftAfterFailure() {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna)
        gateway.writesEnd()
        gateway.finish(call, .confirmed)
        gateway.byHand(anna, .active, .upstream)
        gateway.writeEnds(.diskFull)
        gateway.writeEnds()
        gateway.pass(seconds: 5)
        gateway.writesEnd()
        #expect(!gateway.isBlocked(anna) && gateway.isDurable)
    }

    @Test("a disk that hangs is answered in time; what it writes in the end is in force")
    func hangs() {
        var gateway = MachineHarness()
        gateway.confirm(bob, .suspended)
        let block = gateway.byHand(anna, .suspended)
        let lift = gateway.byHand(bob, .active, .upstream)
        gateway.pass(seconds: Int64(Limits.ledgerPatienceSeconds) + 1)
        #expect(gateway.hands[block] == [.notDurable(inForce: true)] && gateway.hands[lift] == [.undecided])
        #expect(gateway.isBlocked(anna) && gateway.isBlocked(bob), "a lift that nobody knows of lets nobody in")
        gateway.writesEnd()
        #expect(gateway.hands[block]?.count == 1 && gateway.hands[lift]?.count == 1, "told once")
        #expect(gateway.isBlocked(anna) && !gateway.isBlocked(bob) && gateway.isDurable)
    }

    @Test("a call whose outcome is unknown is settled by hand, by an import it isn't", arguments: [Learned.hand, .imported])
    func settles(learned: Learned) {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna)
        gateway.writesEnd()
        gateway.finish(call, .unconfirmed(cause: "timeout"))
        gateway.writesEnd()
        gateway.byHand(anna, .suspended, learned: learned)
        gateway.writesEnd()
        #expect(gateway.machine.unconfirmed.isEmpty == (learned == .hand))
        #expect(gateway.store.current.unconfirmed.isEmpty == (learned == .hand))
    }

    @Test("what settles a call is the ledger's last word of it, though that it is unconfirmed could not be written before")
    func settlesWhatIsOwed() {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna, blocksOnUnknown: true)
        gateway.writesEnd()
        gateway.finish(call, .unconfirmed(cause: "timeout"))
        gateway.byHand(anna, .suspended)
        gateway.writeEnds(.diskFull)
        gateway.writesEnd()
        gateway.pass(seconds: 1)
        gateway.writesEnd()
        #expect(gateway.machine.unconfirmed.isEmpty && gateway.store.current.unconfirmed.isEmpty)
        #expect(gateway.index[anna] == [.upstream, .operator] && gateway.isDurable)
    }

    @Test("a read that ends during an operator's lift and shows the user as suspended blocks again, in memory and on disk")
    func readDuringLift() {
        var gateway = MachineHarness()
        gateway.canRead(late: 0)
        gateway.confirm(anna, .suspended)
        let call = gateway.arrive(anna, .active)
        gateway.writesEnd()
        gateway.finish(call, .unconfirmed(cause: "timeout"))
        gateway.writesEnd()
        let lift = gateway.byHand(anna, .active, .upstream)
        // The answer to what was asked before is older than the lift; the next one isn't.
        gateway.readEnds(anna, .state(.suspended))
        #expect(gateway.machine.tally.reads[.overtaken] == 1)
        gateway.readEnds(anna, .state(.suspended))
        gateway.writesEnd()
        #expect(gateway.hands[lift] == [.done])
        #expect(gateway.index[anna] == .upstream && gateway.store.current.blocks == gateway.index)
    }

    @Test("an operator's change doesn't settle a call that is lost while it is being written")
    func lostMeanwhile() {
        var gateway = MachineHarness()
        gateway.canRead(late: 60)
        let call = gateway.arrive(anna)
        gateway.writesEnd()
        gateway.byHand(anna, .suspended)
        gateway.finish(call, .unconfirmed(cause: "timeout"))
        gateway.writesEnd()
        #expect(gateway.machine.unconfirmed == [anna] && gateway.store.current.unconfirmed[anna] != nil)
        gateway.readEnds(anna, .state(.active))
        // It is carried out after all.
        gateway.pass(seconds: 30)
        gateway.readEnds(anna, .state(.suspended))
        gateway.writesEnd()
        #expect(gateway.index[anna] == [.upstream, .operator] && gateway.isDurable)
    }

    @Test("answers that were on their way when somebody was let in teach nothing for a while")
    func quiet() {
        var gateway = MachineHarness()
        gateway.confirm(anna, .suspended)
        gateway.pass(seconds: 120)
        gateway.byHand(anna, .active, .upstream)
        gateway.writesEnd()
        gateway.see(anna)
        #expect(!gateway.isBlocked(anna))
    }

    @Test("while the gateway ends nothing is changed any more")
    func draining() {
        var gateway = MachineHarness()
        gateway.handle(.drain(until: (gateway.time + 5) * 1_000_000_000))
        let change = gateway.byHand(anna, .suspended)
        #expect(gateway.hands[change] == [.draining] && !gateway.isBlocked(anna))
    }

    @Test("random changes by hand between calls, sightings and faults: memory and disk agree in the end", arguments: Array(UInt64(1)...200))
    func random(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var gateway = MachineHarness()
        let people = (0..<3).map { person($0) }
        var calls: [Int64] = []
        for _ in 0..<600 {
            let subject = people.randomElement(using: &random)!
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<3: gateway.byHand(subject, .suspended)
            case 3..<5: gateway.byHand(subject, .active, BlockSource.allCases.randomElement(using: &random)!)
            case 5: calls.append(gateway.arrive(subject, UserState.allCases.randomElement(using: &random)!))
            case 6:
                if let call = calls.popLast(), gateway.beginnings[call]?.isEmpty == false {
                    gateway.finish(call, [.confirmed, .notSent, .unconfirmed(cause: "x")].randomElement(using: &random)!)
                }
            case 7: gateway.see(subject)
            case 8: gateway.pass(seconds: Int64.random(in: 0...70, using: &random))
            default: if !gateway.writes.isEmpty { gateway.writeEnds(Int.random(in: 0..<4, using: &random) == 0 ? .diskFull : nil) }
            }
        }
        for _ in 0..<50 {
            gateway.writesEnd()
            gateway.pass(seconds: 1)
        }
        #expect(gateway.store.current.blocks == gateway.index)
    }
}
