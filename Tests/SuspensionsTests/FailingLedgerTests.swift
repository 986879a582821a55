import Policy
import Testing

@testable import Suspensions

@Suite("while the ledger can't be written")
struct FailingLedgerTests {
    @Test("a suspension is forwarded, held in memory and called not durable, and written as soon as there is room")
    func suspension() {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna)
        gateway.writeEnds(.diskFull)
        #expect(gateway.beginnings[call] == [.proceed(Ticket(number: call))])
        gateway.finish(call, .confirmed)
        gateway.writeEnds(.diskFull)
        #expect(gateway.conclusions[call] == [.notDurable] && gateway.isBlocked(anna) && gateway.machine.owed == 1)
        #expect(gateway.machine.trouble == .diskFull)
        gateway.pass(seconds: 1)
        gateway.writeEnds(.diskFull)
        #expect(gateway.isBlocked(anna) && !gateway.isDurable)
        gateway.pass(seconds: 1)
        gateway.writesEnd()
        #expect(gateway.isDurable && gateway.machine.owed == 0 && gateway.machine.trouble == nil)
    }

    @Test("where nothing is owed the ledger is asked, until it takes writes again")
    func probe() {
        var gateway = MachineHarness()
        gateway.confirm(anna, .suspended)
        gateway.arrive(anna, .active)
        gateway.writeEnds(.diskFull)
        #expect(gateway.machine.owed == 0 && gateway.machine.trouble == .diskFull)
        gateway.pass(seconds: 1)
        gateway.writeEnds(.diskFull)
        #expect(gateway.machine.trouble == .diskFull)
        gateway.pass(seconds: 1)
        gateway.writesEnd()
        #expect(gateway.machine.trouble == nil && gateway.isDurable)
        gateway.pass(seconds: 1)
        #expect(gateway.writes.isEmpty)
    }

    @Test("a reactivation is refused before it is forwarded")
    func reactivation() {
        var gateway = MachineHarness()
        gateway.confirm(anna, .suspended)
        let call = gateway.arrive(anna, .active)
        gateway.writeEnds(.diskFull)
        #expect(gateway.beginnings[call] == [.notDurable] && gateway.isBlocked(anna) && gateway.machine.open == 0)
    }

    @Test("a reactivation whose outcome alone can't be written leaves the block, shows, and is settled when repeated")
    func reactivationOutcome() {
        var gateway = MachineHarness()
        gateway.confirm(anna, .suspended)
        let call = gateway.arrive(anna, .active)
        gateway.writesEnd()
        gateway.finish(call, .confirmed)
        gateway.writeEnds(.diskFull)
        #expect(gateway.conclusions[call] == [.notDurable] && gateway.isBlocked(anna))
        gateway.pass(seconds: 1)
        gateway.writesEnd()
        #expect(gateway.isBlocked(anna) && gateway.isDurable && gateway.store.current.intents.isEmpty)
        #expect(gateway.store.current.unconfirmed[anna]?.wanted == .active)
        gateway.confirm(anna, .active)
        #expect(!gateway.isBlocked(anna) && gateway.isDurable && gateway.store.current.unconfirmed.isEmpty)
    }

    @Test("a suspension whose intent failed and which the upstream refused leaves nothing")
    func refused() {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna)
        gateway.writeEnds(.diskFull)
        gateway.finish(call, .refused(status: 403))
        gateway.pass(seconds: 1)
        gateway.writesEnd()
        #expect(gateway.conclusions[call] == [.unchanged] && gateway.store.current == MemoryLedger.Contents() && gateway.machine.owed == 0)
    }

    @Test("an intent's row that could not be taken away is taken away later")
    func forgottenLater() {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna)
        gateway.writesEnd()
        gateway.finish(call, .notSent)
        gateway.writeEnds(.diskFull)
        #expect(gateway.store.current.intents.count == 1)
        gateway.pass(seconds: 1)
        gateway.writesEnd()
        #expect(gateway.store.current == MemoryLedger.Contents())
    }

    @Test("what is owed of a user is written before anything newer of it")
    func order() {
        var gateway = MachineHarness()
        let suspend = gateway.arrive(anna, .suspended, by: "a")
        let reactivate = gateway.arrive(anna, .active, by: "b")
        gateway.writeEnds(.diskFull)
        gateway.finish(suspend, .confirmed)
        gateway.writeEnds(.diskFull)
        gateway.writesEnd()
        gateway.finish(reactivate, .confirmed)
        gateway.writesEnd()
        #expect(!gateway.isBlocked(anna) && gateway.isDurable && gateway.machine.owed == 0)
        gateway.pass(seconds: 10)
        gateway.writesEnd()
        #expect(!gateway.isBlocked(anna) && gateway.isDurable)
    }

    @Test("a debt that is being paid when the user is reactivated does not come back")
    func paidMeanwhile() {
        var gateway = MachineHarness()
        gateway.see(anna)
        gateway.writeEnds(.diskFull)
        gateway.pass(seconds: 1)
        let reactivate = gateway.arrive(anna, .active)
        #expect(gateway.writes.count == 2)
        gateway.writeEnds(.diskFull)
        gateway.writesEnd()
        gateway.finish(reactivate, .confirmed)
        gateway.writesEnd()
        gateway.pass(seconds: 10)
        gateway.writesEnd()
        #expect(!gateway.isBlocked(anna) && gateway.isDurable && gateway.machine.owed == 0)
    }

    @Test("a disk that hangs is answered after five seconds like one that fails, and waited for before the user's next call")
    func hangingDisk() {
        var gateway = MachineHarness()
        gateway.confirm(bob, .suspended)
        let suspend = gateway.arrive(anna)
        let reactivate = gateway.arrive(bob, .active)
        gateway.pass(seconds: 5)
        #expect(gateway.beginnings[suspend] == [.proceed(Ticket(number: suspend))])
        #expect(gateway.beginnings[reactivate] == [.notDurable])
        gateway.finish(suspend, .confirmed)
        gateway.pass(seconds: 5)
        #expect(gateway.conclusions[suspend] == [.notDurable] && gateway.isBlocked(anna))
        let next = gateway.arrive(anna, .active, by: "b")
        gateway.writeEnds()
        #expect(gateway.beginnings[next] == nil)
        gateway.writesEnd()
        #expect(gateway.beginnings[next] == [.proceed(Ticket(number: next))])
        #expect(gateway.conclusions[suspend] == [.notDurable] && gateway.isDurable)
        #expect(gateway.store.current.intents.keys.sorted() == [next])
    }

    @Test("beyond the bound on what memory owes the ledger, suspensions are not forwarded either")
    func bound() {
        var debts = LedgerDebts()
        for number in 0..<Limits.undurableUsers { debts.owe(.forget(intent: 1), of: person(number)) }
        #expect(debts.isFull)
    }
}

@Suite("another answer that shows a suspended user")
struct SightingTests {
    @Test("blocks, and never lifts")
    func blocks() {
        var gateway = MachineHarness()
        gateway.see(anna)
        #expect(gateway.isBlocked(anna) && gateway.told == [anna])
        gateway.writesEnd()
        #expect(gateway.isDurable && gateway.store.current.log.map(\.learned) == [.passive])
    }

    @Test(
        "teaches nothing while a call for the user is on its way, and for sixty seconds after one that was confirmed or lost",
        arguments: [UpstreamOutcome.confirmed, .unconfirmed(cause: "timeout")])
    func quiet(outcome: UpstreamOutcome) {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna, .active)
        gateway.see(anna)
        gateway.writesEnd()
        gateway.see(anna)
        gateway.finish(call, outcome)
        gateway.see(anna)
        gateway.writesEnd()
        gateway.pass(seconds: 59)
        gateway.see(anna)
        #expect(!gateway.isBlocked(anna))
        gateway.pass(seconds: 1)
        gateway.see(anna)
        #expect(gateway.isBlocked(anna))
    }

    @Test("teaches after a refused call at once")
    func afterRefused() {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna, .active)
        gateway.writesEnd()
        gateway.finish(call, .refused(status: 403))
        gateway.see(anna)
        #expect(gateway.isBlocked(anna))
    }

    @Test("teaches nothing if its request is older than the memory of calls")
    func old() {
        var gateway = MachineHarness()
        gateway.see(anna, secondsAgo: 60)
        #expect(!gateway.isBlocked(anna))
        gateway.see(anna, secondsAgo: 59)
        #expect(gateway.isBlocked(anna))
    }
}

@Suite("draining")
struct DrainTests {
    @Test("lets nobody begin, turns those away who wait, and ends when every call is written")
    func drain() {
        var gateway = MachineHarness()
        let open = gateway.arrive(anna, by: "a")
        let waiting = gateway.arrive(anna, by: "b")
        gateway.writesEnd()
        gateway.handle(.drain(until: (gateway.time + 30) * 1_000_000_000))
        #expect(gateway.beginnings[waiting] == [.draining])
        let late = gateway.arrive(bob)
        #expect(gateway.beginnings[late] == [.draining])
        gateway.finish(open, .confirmed)
        #expect(gateway.drained == nil)
        gateway.writesEnd()
        #expect(gateway.drained == 0 && gateway.conclusions[open] == [.settled])
    }

    @Test("ends at its bound with the number of calls left, which a restart shows as unconfirmed")
    func bound() throws {
        var gateway = MachineHarness()
        gateway.arrive(anna)
        gateway.writesEnd()
        gateway.handle(.drain(until: (gateway.time + 30) * 1_000_000_000))
        gateway.pass(seconds: 29)
        #expect(gateway.drained == nil)
        gateway.pass(seconds: 1)
        #expect(gateway.drained == 1)
        try gateway.store.recover(at: 1)
        #expect(gateway.store.unconfirmedCalls().map(\.subject) == [anna])
    }
}
