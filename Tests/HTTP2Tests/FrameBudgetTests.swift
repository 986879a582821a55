import Testing

@testable import HTTP2

@Suite("frame budget")
struct FrameBudgetTests {
    private static let second: Int64 = 1_000_000_000

    private func expect(_ budget: inout FrameBudget, _ now: Int64, _ passes: Bool) {
        let passed = budget.charge(now: now)
        #expect(passed == passes)
    }

    @Test("so many at once and not one more")
    func burst() {
        var budget = FrameBudget(10, perSecond: 2)
        for _ in 0..<10 { expect(&budget, 0, true) }
        expect(&budget, 0, false)
    }

    @Test("time forgives at its rate, and no more than there is")
    func time() {
        var budget = FrameBudget(10, perSecond: 2)
        for _ in 0..<10 { expect(&budget, Self.second, true) }
        expect(&budget, 2 * Self.second, true)
        expect(&budget, 2 * Self.second, true)
        expect(&budget, 2 * Self.second, false)
        for _ in 0..<10 { expect(&budget, 1000 * Self.second, true) }
        expect(&budget, 1000 * Self.second, false)
    }

    @Test("good work forgives, and gives no credit beyond")
    func work() {
        var budget = FrameBudget(2, perSecond: 0)
        budget.credit(100)
        for passes in [true, true, false] { expect(&budget, 0, passes) }
        budget.credit(2)
        expect(&budget, 0, true)
    }
}
