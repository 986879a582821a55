import Testing

@testable import Proxy

@Suite("What one caller may have of a service's connections")
struct CallerShareTests {
    private static func key(_ number: UInt64) -> CallerKey { CallerKey(SourceAddress(high: number, low: 0)) }

    /// What each of so many callers has when all of them have asked, in turn, for as much as there is, and what is left.
    private func greedy(_ callers: Int, of connections: Int, percent: Int) -> (each: [Int], left: Int) {
        let share = CallerShare(percent: percent)
        var (each, left) = (Array(repeating: 0, count: callers), connections)
        var isServed = true
        while isServed {
            isServed = false
            for caller in each.indices where left > 0 && share.allows(held: each[caller], free: left) {
                each[caller] += 1
                left -= 1
                isServed = true
            }
        }
        return (each, left)
    }

    @Test("greedy callers leave something to those who come later, as long as there are far fewer of them than connections")
    func greed() {
        #expect(greedy(1, of: 256, percent: 75) == ([192], 64))
        #expect(greedy(2, of: 256, percent: 75).left == 36)
        #expect(greedy(10, of: 256, percent: 75).left == 8)
        #expect(greedy(40, of: 256, percent: 75).left == 2)
        #expect(greedy(1, of: 256, percent: 50) == ([128], 128))
        #expect(greedy(1, of: 256, percent: 100) == ([256], 0))
        #expect(greedy(2, of: 256, percent: 1) == ([3, 3], 250))
        for (connections, own) in [(1, 1), (2, 2), (3, 3), (4, 3), (10, 8)] {
            #expect(greedy(1, of: connections, percent: 75).each == [own], "\(connections)")
        }
    }

    @Test("whoever has none is asked for no share")
    func newcomer() {
        for free in [-1, 0, 1] { #expect(CallerShare(percent: 1).allows(held: 0, free: free)) }
        #expect(!CallerShare(percent: 75).allows(held: 1, free: 0))
    }

    @Test("each caller's number is its own, whoever comes and goes, and nobody in particular is not counted")
    func counts() {
        var counts = CallerCounts(connections: 256)
        let callers = (0..<200).map { Self.key(UInt64($0)) }
        for (index, caller) in callers.enumerated() { for _ in 0...index % 3 { counts.add(caller) } }
        // Two places shared with others are rare.
        let wrong = callers.enumerated().count { counts.count(of: $0.element) != $0.offset % 3 + 1 }
        #expect(wrong < 50)
        for (index, caller) in callers.enumerated() { #expect(counts.count(of: caller) > index % 3) }
        for (index, caller) in callers.enumerated() { for _ in 0...index % 3 { counts.remove(caller) } }
        for caller in callers { #expect(counts.count(of: caller) == 0) }
        for caller in [CallerKey.nobody, .suspending] {
            counts.add(caller)
            #expect(counts.count(of: caller) == 0)
            counts.remove(caller)
        }
    }

    @Test("addresses are other callers than one another")
    func keys() {
        #expect(Self.key(1) == Self.key(1) && Self.key(1) != Self.key(2))
        #expect(Self.key(0).isCounted && !CallerKey.nobody.isCounted)
    }
}
