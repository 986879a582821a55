import Testing

@testable import Proxy

/// When a server is left out and when it is back, on a clock of the test's own (milliseconds).
@Suite("a server's health") struct ServerHealthTests {
    private let health = ServerHealth(.network(host: "127.0.0.1", port: 1))
    private let rules = EjectionRules(failures: 3, time: 100, maximum: 350)

    private func fail(at time: Int64, since: Int64? = nil, mayEject: Bool = true) -> Int64? {
        health.failed(rules, since: (since ?? time) * 1_000_000, now: time * 1_000_000) { mayEject }
    }

    private func isServing(at time: Int64) -> Bool { health.isServing(at: time * 1_000_000) }
    private func answer(since time: Int64) -> Bool { health.answered(since: time * 1_000_000) }

    @Test("so many failures in a row, and only in a row, leave it out for a while")
    func threshold() {
        #expect(fail(at: 1) == nil && fail(at: 2) == nil)
        #expect(!answer(since: 3))
        #expect(fail(at: 4) == nil && fail(at: 5) == nil && isServing(at: 5))
        #expect(fail(at: 6) == 100)
        #expect(!isServing(at: 7) && !isServing(at: 105) && isServing(at: 106))
    }

    @Test("on trial one failure is enough, each time for twice as long up to the bound; an answer ends the trial")
    func trial() {
        for time: Int64 in 1...3 { _ = fail(at: time) }
        #expect(health.isOnTrial)
        #expect(fail(at: 103) == 200)
        #expect(fail(at: 303) == 350)
        #expect(fail(at: 653) == 350)
        #expect(!answer(since: 900), "it was sent before the last ejection was over")
        #expect(health.isOnTrial)
        #expect(answer(since: 1003))
        #expect(!health.isOnTrial && fail(at: 1004) == nil)
    }

    @Test("what began before it was left out is the same trouble, and not counted again")
    func stragglers() {
        for time: Int64 in 1...3 { _ = fail(at: time) }
        for time: Int64 in 4...200 { #expect(fail(at: time, since: 2) == nil) }
        #expect(isServing(at: 104))
    }

    @Test("who may not be left out goes on")
    func last() {
        for time: Int64 in 1...9 { #expect(fail(at: time, mayEject: false) == nil) }
        #expect(isServing(at: 9))
        #expect(health.failed(.off, since: 1, now: 1) { true } == nil)
    }

    @Test("checks take it out and bring it back, from an ejection too, though then on trial")
    func checks() {
        health.note(isDown: true, now: 1)
        #expect(!isServing(at: 1_000_000))
        for time: Int64 in 1...3 { _ = fail(at: time) }
        health.note(isDown: false, now: 10_000_000)
        #expect(isServing(at: 10) && health.isOnTrial)
    }

    @Test("the circuit lets one through in each period, and an answer closes it")
    func circuit() {
        let (circuit, rules) = (Circuit(), CircuitRules(timeouts: 2, open: 1500))
        let second: Int64 = 1_000_000_000
        #expect(circuit.wait(now: 1, rules) == nil && !circuit.timedOut(rules, since: 0, now: 1))
        #expect(!circuit.answered(now: 1))
        #expect(!circuit.timedOut(rules, since: 1, now: 2) && circuit.timedOut(rules, since: 0, now: 0))
        #expect(circuit.wait(now: 1, rules) == 2, "rounded up")
        #expect(circuit.wait(now: second, rules) == 1)
        #expect(circuit.wait(now: 2 * second, rules) == nil, "this one tries")
        #expect(circuit.wait(now: 2 * second + 1, rules) == 2, "the others wait")
        #expect(!circuit.timedOut(rules, since: 0, now: 3 * second), "it is open already")
        #expect(circuit.wait(now: 4 * second, rules) == nil)
        #expect(circuit.answered(now: 4 * second) && !circuit.answered(now: 4 * second))
        #expect(circuit.wait(now: 4 * second, rules) == nil && !circuit.isOpen)
        let never = Circuit()
        for _ in 0..<9 { #expect(!never.timedOut(.off, since: 0, now: 1)) }
    }

    @Test("what gets no answer while others get theirs opens no circuit, however much of it there is")
    func slowCorner() {
        let (circuit, rules) = (Circuit(), CircuitRules(timeouts: 3, open: 1500))
        let second: Int64 = 1_000_000_000
        for time in 1...20 {
            #expect(!circuit.answered(now: Int64(time) * second))
            for _ in 0..<50 { #expect(!circuit.timedOut(rules, since: Int64(time) * second - 1, now: Int64(time) * second + 1)) }
        }
        // From here on nobody gets any.
        for _ in 0..<2 { #expect(!circuit.timedOut(rules, since: 20 * second, now: 30 * second)) }
        #expect(circuit.timedOut(rules, since: 21 * second, now: 30 * second))
    }
}
