import Policy
import TestSupport
import Testing

@testable import Suspensions

/// Random events against a simple oracle: what callers have read is what holds, in memory at every moment, on disk after every crash
/// (ARCHITECTURE, invariants 3 and 4).
@Suite("random calls, sightings, faults and crashes")
struct CallMachineModelTests {
    @Test(
        "a suspension that was read is in force, also after a crash, and nobody is blocked without a cause",
        arguments: Array(UInt64(1)...20))
    func model(seed: UInt64) throws {
        var run = Run(seed: seed)
        for _ in 0..<1_000 { try run.step() }
        try run.settleAndCheck()
    }
}

private struct Run {
    struct Known {
        /// A suspension was confirmed here, and no reactivation since.
        var mustBlock = false
        /// The caller has read that it is durable.
        var isAcknowledged = false
        /// Something since the last acknowledged reactivation may have blocked.
        var mayBlock = false
    }

    struct Out {
        let subject: Subject
        let wanted: UserState
        let blocksOnUnknown: Bool
        var outcome: UpstreamOutcome?
    }

    var random: SeededRandom
    var gateway = MachineHarness()
    var known: [Subject: Known] = [:]
    var calls: [Int64: Out] = [:]
    /// The last write that failed and was not followed by another: a crash may find it on the disk all the same.
    var ghost: [LedgerChange]?
    let subjects = (0..<4).map { person($0) }
    let callers = ["a", "b", "c"]

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func step() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case ..<25: arrive()
        case ..<50: finishOne()
        case ..<80: endWrite()
        case ..<88: see()
        case ..<99: gateway.pass(seconds: Int64.random(in: 0...20, using: &random))
        default: try crash()
        }
        learn()
        check()
    }

    private mutating func arrive() {
        let subject = subjects.randomElement(using: &random)!
        let wanted = UserState.allCases.randomElement(using: &random)!
        let blocks = Int.random(in: 0..<6, using: &random) == 0
        let number = gateway.arrive(subject, wanted, by: callers.randomElement(using: &random)!, blocksOnUnknown: blocks)
        calls[number] = Out(subject: subject, wanted: wanted, blocksOnUnknown: blocks)
    }

    private mutating func finishOne() {
        let forwarded = calls.filter { $0.value.outcome == nil && gateway.isForwarded($0.key) }.keys.sorted()
        guard let number = forwarded.randomElement(using: &random), let call = calls[number] else { return }
        let outcomes: [UpstreamOutcome] = [
            .confirmed, .confirmed, .confirmed, .refused(status: 404), .notSent, .unconfirmed(cause: "timeout"),
        ]
        let outcome = outcomes.randomElement(using: &random)!
        calls[number]?.outcome = outcome
        switch (outcome, call.wanted) {
        case (.confirmed, .suspended): known[call.subject] = Known(mustBlock: true, isAcknowledged: false, mayBlock: true)
        case (.confirmed, .active):
            known[call.subject, default: Known()].mustBlock = false
            known[call.subject, default: Known()].isAcknowledged = false
        case (.unconfirmed, .suspended) where call.blocksOnUnknown: known[call.subject, default: Known()].mayBlock = true
        default: break
        }
        gateway.finish(number, outcome)
    }

    private mutating func endWrite() {
        guard let next = gateway.writes.first else { return }
        let fails = Int.random(in: 0..<4, using: &random) == 0
        ghost = fails ? next.changes : nil
        gateway.writeEnds(fails ? .diskFull : nil)
    }

    private mutating func see() {
        let subject = subjects.randomElement(using: &random)!
        let wasBlocked = gateway.isBlocked(subject)
        gateway.see(subject)
        if !wasBlocked && gateway.isBlocked(subject) { known[subject, default: Known()].mayBlock = true }
    }

    /// What callers have read.
    private mutating func learn() {
        for (number, call) in calls {
            if let beginning = gateway.beginnings[number]?.first, !beginning.isProceeding { calls[number] = nil }
            guard let conclusion = gateway.conclusions[number]?.first else { continue }
            calls[number] = nil
            guard conclusion == .settled, call.outcome == .confirmed else { continue }
            switch call.wanted {
            case .suspended: if known[call.subject]?.mustBlock == true { known[call.subject]?.isAcknowledged = true }
            case .active: known[call.subject] = known[call.subject]?.mustBlock == true ? known[call.subject] : Known()
            }
        }
    }

    private func check() {
        for subject in subjects {
            let known = known[subject] ?? Known()
            if known.mustBlock { #expect(gateway.isBlocked(subject), "a confirmed suspension is not in force") }
            if gateway.isBlocked(subject) { #expect(known.mayBlock, "blocked without a cause") }
        }
        for answers in gateway.beginnings.values { #expect(answers.count == 1) }
        for answers in gateway.conclusions.values { #expect(answers.count == 1) }
    }

    /// Memory is lost; what was being written may be on the disk or not, and so may a write that was said to have failed.
    private mutating func crash() throws {
        if let ghost, Bool.random(using: &random) { try gateway.store.commit(ghost) }
        if let next = gateway.writes.first, Bool.random(using: &random) { try gateway.store.commit(next.changes) }
        ghost = nil
        let pending = gateway.store.current.intents.values.filter(\.suspendsOnUnknown).map(\.subject)
        try gateway.store.recover(at: 0)
        let time = gateway.time
        let number = gateway.lastNumber
        gateway = MachineHarness(store: gateway.store)
        gateway.time = time
        gateway.lastNumber = number
        calls = [:]
        for subject in pending { known[subject, default: Known()].mayBlock = true }
        for subject in subjects where known[subject]?.isAcknowledged != true { known[subject]?.mustBlock = false }
    }

    /// With a disk that works again, memory and ledger agree and no intent is left behind.
    mutating func settleAndCheck() throws {
        for _ in 0..<200 {
            for number in calls.keys.sorted() where calls[number]?.outcome == nil && gateway.isForwarded(number) {
                calls[number]?.outcome = .refused(status: 404)
                gateway.finish(number, .refused(status: 404))
            }
            gateway.writesEnd()
            gateway.pass(seconds: 1)
            learn()
        }
        check()
        #expect(gateway.machine.open == 0 && gateway.machine.owed == 0)
        #expect(gateway.isDurable, "memory and ledger differ")
        #expect(gateway.store.current.intents.isEmpty)
        #expect(Set(gateway.store.current.unconfirmed.keys) == gateway.machine.unconfirmed)
    }
}

extension Beginning {
    fileprivate var isProceeding: Bool {
        if case .proceed = self { true } else { false }
    }
}

extension MachineHarness {
    fileprivate func isForwarded(_ number: Int64) -> Bool { beginnings[number]?.first?.isProceeding == true }
}
