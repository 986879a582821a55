import Policy
import Testing

@testable import Suspensions

@Suite("a suspend or reactivate call")
struct CallMachineTests {
    @Test("is forwarded only when its intent is durable, and blocks nobody until then")
    func intentFirst() {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna)
        #expect(gateway.beginnings[call] == nil)
        gateway.writeEnds()
        #expect(gateway.beginnings[call] == [.proceed(Ticket(number: call))])
        #expect(!gateway.isBlocked(anna) && gateway.store.current.intents.count == 1)
    }

    @Test("confirmed as a suspension, is in memory before it is durable and concluded after")
    func suspension() {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna)
        gateway.writesEnd()
        gateway.finish(call, .confirmed)
        #expect(gateway.isBlocked(anna) && gateway.told == [anna] && gateway.conclusions[call] == nil)
        gateway.writeEnds()
        #expect(gateway.conclusions[call] == [.settled] && gateway.isDurable && gateway.store.current.intents.isEmpty)
    }

    @Test("confirmed as a reactivation, is durable before the block goes from memory")
    func reactivation() {
        var gateway = MachineHarness()
        gateway.confirm(anna, .suspended)
        let call = gateway.arrive(anna, .active)
        gateway.writesEnd()
        gateway.finish(call, .confirmed)
        #expect(gateway.isBlocked(anna) && gateway.conclusions[call] == nil)
        gateway.writeEnds()
        #expect(!gateway.isBlocked(anna) && gateway.conclusions[call] == [.settled] && gateway.isDurable)
    }

    @Test("refused or not sent, changes nothing and leaves no row", arguments: [UpstreamOutcome.refused(status: 403), .notSent])
    func refused(outcome: UpstreamOutcome) {
        var gateway = MachineHarness()
        gateway.confirm(bob, .suspended)
        let before = gateway.store.current
        for (subject, wanted) in [(anna, UserState.suspended), (bob, .active)] {
            let call = gateway.arrive(subject, wanted)
            gateway.writesEnd()
            gateway.finish(call, outcome)
            #expect(gateway.conclusions[call] == [.unchanged])
            gateway.writesEnd()
        }
        #expect(gateway.store.current == before && gateway.isDurable)
    }

    @Test(
        "with an unknown outcome leaves the last confirmed state in force and shows until a confirmed call", arguments: UserState.allCases)
    func unconfirmed(wanted: UserState) {
        var gateway = MachineHarness()
        if wanted == .active { gateway.confirm(anna, .suspended) }
        let call = gateway.arrive(anna, wanted)
        gateway.writesEnd()
        gateway.finish(call, .unconfirmed(cause: "timeout"))
        gateway.writesEnd()
        #expect(gateway.conclusions[call] == [.unconfirmed(blocked: false)])
        #expect(gateway.isBlocked(anna) == (wanted == .active))
        #expect(gateway.machine.unconfirmed == [anna] && gateway.store.current.unconfirmed[anna]?.cause == "timeout")
        gateway.confirm(anna, .active)
        #expect(gateway.machine.unconfirmed.isEmpty && gateway.store.current.unconfirmed.isEmpty && !gateway.isBlocked(anna))
    }

    @Test("with an unknown outcome blocks where the route says on_unknown: suspend")
    func suspendsOnUnknown() {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna, blocksOnUnknown: true)
        gateway.writesEnd()
        gateway.finish(call, .unconfirmed(cause: "status 500"))
        #expect(gateway.isBlocked(anna))
        gateway.writesEnd()
        #expect(gateway.conclusions[call] == [.unconfirmed(blocked: true)] && gateway.isDurable)
        gateway.confirm(anna, .active)
        #expect(!gateway.isBlocked(anna) && gateway.isDurable)
    }

    @Test("lifts the upstream's block only, never the operator's")
    func operatorBlock() throws {
        let store = MemoryLedger()
        try store.commit([outcome(anna, .state(.suspended), source: .operator, learned: .hand)])
        var gateway = MachineHarness(store: store)
        gateway.confirm(anna, .suspended)
        gateway.confirm(anna, .active)
        #expect(gateway.index[anna] == .operator && gateway.isDurable)
    }

    @Test("finished twice, or never begun, concludes nothing")
    func finishedTwice() {
        var gateway = MachineHarness()
        let call = gateway.arrive(anna)
        gateway.finish(call, .confirmed)
        #expect(!gateway.isBlocked(anna) && gateway.conclusions[call] == [.notDurable])
        gateway.writesEnd()
        gateway.finish(call, .refused(status: 404))
        gateway.writesEnd()
        gateway.finish(call, .confirmed)
        #expect(!gateway.isBlocked(anna) && gateway.conclusions[call] == [.notDurable, .unchanged, .notDurable])
    }
}

@Suite("calls for one user")
struct CallQueueTests {
    @Test("go one at a time, in turn")
    func oneAtATime() {
        var gateway = MachineHarness()
        let calls = ["a", "b", "c"].map { gateway.arrive(anna, by: $0) }
        let elsewhere = gateway.arrive(bob, by: "d")
        gateway.writesEnd()
        #expect(gateway.beginnings.keys.sorted() == [calls[0], elsewhere])
        for (call, next) in zip(calls, calls.dropFirst()) {
            gateway.finish(call, .confirmed)
            gateway.writeEnds()
            #expect(gateway.beginnings[next] == nil)
            gateway.writesEnd()
            #expect(gateway.beginnings[next] == [.proceed(Ticket(number: next))])
        }
    }

    @Test("wait one per caller; a second one of the same caller is busy")
    func onePerCaller() {
        var gateway = MachineHarness()
        gateway.arrive(anna, by: "a")
        gateway.arrive(anna, by: "a")
        let third = gateway.arrive(anna, by: "a")
        #expect(gateway.beginnings[third] == [.busy])
    }

    @Test("are busy after five seconds in the queue")
    func patience() {
        var gateway = MachineHarness()
        let first = gateway.arrive(anna, by: "a")
        let second = gateway.arrive(anna, by: "b")
        gateway.writesEnd()
        gateway.pass(seconds: 4)
        #expect(gateway.beginnings[second] == nil)
        gateway.pass(seconds: 1)
        #expect(gateway.beginnings[second] == [.busy])
        gateway.finish(first, .confirmed)
        gateway.writesEnd()
        #expect(gateway.beginnings[second] == [.busy] && gateway.machine.open == 0)
    }

    @Test("overlapping suspend and reactivate take effect in the order in which they were forwarded")
    func overlapping() {
        var gateway = MachineHarness()
        let suspend = gateway.arrive(anna, .suspended, by: "a")
        let reactivate = gateway.arrive(anna, .active, by: "b")
        let again = gateway.arrive(anna, .suspended, by: "c")
        gateway.writesEnd()
        for (call, expected) in [(suspend, true), (reactivate, false), (again, true)] {
            gateway.finish(call, .confirmed)
            gateway.writesEnd()
            #expect(gateway.isBlocked(anna) == expected && gateway.conclusions[call] == [.settled])
        }
        #expect(gateway.isDurable)
    }

    @Test("have a bounded queue")
    func bounded() {
        var gateway = MachineHarness()
        for number in 0...Limits.intentsWaitingPerUser { gateway.arrive(anna, by: "caller \(number)") }
        let last = gateway.arrive(anna, by: "one more")
        #expect(gateway.beginnings[last] == [.busy])
    }
}

@Suite("one caller's suspend calls")
struct CallerAllowancesTests {
    @Test("may be four at once, queued ones counted")
    func open() {
        var gateway = MachineHarness()
        let calls = [anna, bob, anna, person(1)].map { gateway.arrive($0) }
        let fifth = gateway.arrive(person(2))
        #expect(gateway.beginnings[fifth] == [.tooMany(retryAfter: 1, .open)])
        gateway.writesEnd()
        gateway.finish(calls[1], .notSent)
        let fourth = gateway.arrive(person(3))
        #expect(gateway.beginnings[fourth] == nil)
        let others = gateway.arrive(person(4), by: "another")
        #expect(gateway.beginnings[others] == nil)
    }

    @Test("may be three hundred in a minute, then say when to come back")
    func perMinute() {
        var gateway = MachineHarness()
        for number in 0..<300 {
            if number == 100 { gateway.pass(seconds: 20) }
            let call = gateway.arrive(person(number))
            gateway.writesEnd()
            gateway.finish(call, .refused(status: 404))
            gateway.writesEnd()
        }
        let tooEarly = gateway.arrive(anna)
        #expect(gateway.beginnings[tooEarly] == [.tooMany(retryAfter: 40, .perMinute)])
        gateway.pass(seconds: 39)
        let stillTooEarly = gateway.arrive(anna)
        #expect(gateway.beginnings[stillTooEarly] == [.tooMany(retryAfter: 1, .perMinute)])
        gateway.pass(seconds: 1)
        let inTime = gateway.arrive(anna)
        #expect(gateway.beginnings[inTime] == nil)
    }

    @Test("are not remembered longer than they count")
    func swept() {
        var allowances = CallerAllowances(.init())
        for number in 0..<Limits.rememberedCallers {
            #expect(allowances.open(Caller("\(number)"), at: 0) == nil)
            allowances.close(Caller("\(number)"))
        }
        #expect(allowances.open(Caller("new"), at: 1)?.seconds == 60)
        #expect(allowances.open(Caller("new"), at: 61_000_000_000) == nil)
    }
}
