import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Policy
@testable import Proxy

@Suite("Buckets of rate limits")
struct RateTableTests {
    private static let second: Int64 = 1_000_000_000
    /// Ten in a second, four at once.
    private static let limit = RateLimit(requests: 10, milliseconds: 1000, burst: 4)!

    private func take(_ table: RateTable, _ id: KeyedHash.Value, now: Int64, _ limit: RateLimit = limit) -> Int64 {
        table.take(id, interval: limit.interval, tolerance: limit.tolerance, now: now)
    }

    private func id(_ text: String, _ table: RateTable) -> KeyedHash.Value { table.hash(for: "test")(Array(text.utf8).span) }

    @Test("give a burst at once, then one at a time, and say how long the next one takes")
    func burst() {
        let table = RateTable(places: 64)
        let ann = id("ann", table)
        let start = 5 * Self.second
        for _ in 0..<4 { #expect(take(table, ann, now: start) == 0) }
        #expect(take(table, ann, now: start) == Self.second / 10)
        #expect(take(table, ann, now: start + 40_000_000) == Self.second / 10 - 40_000_000, "what is refused counts for nothing")
        #expect(take(table, ann, now: start + Self.second / 10) == 0)
        #expect(take(table, ann, now: start + Self.second / 10) == Self.second / 10)
        for _ in 0..<4 { #expect(take(table, ann, now: start + 100 * Self.second) == 0, "after a pause the burst is back, and no more") }
        #expect(take(table, ann, now: start + 100 * Self.second) > 0)
        #expect(take(table, id("ben", table), now: start) == 0, "another's is another bucket")
    }

    @Test("are given back what was taken for nothing")
    func giveBack() {
        let table = RateTable(places: 64)
        let ann = id("ann", table)
        for _ in 0..<100 {
            #expect(take(table, ann, now: Self.second) == 0)
            table.giveBack(ann, interval: Self.limit.interval)
        }
        table.giveBack(id("nobody", table), interval: Self.limit.interval)
        for _ in 0..<4 { #expect(take(table, ann, now: Self.second) == 0) }
        #expect(take(table, ann, now: Self.second) > 0)
    }

    @Test("in no time of any length let more pass than the burst and the rate allow, and not fewer", arguments: [1, 2, 3, 4, 5])
    func rate(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let burst = Int.random(in: 1...20, using: &random)
        let limit = try #require(RateLimit(requests: Int.random(in: 1...50, using: &random), milliseconds: 1000, burst: burst))
        let table = RateTable(places: 64)
        let ann = id("ann", table)
        var now = Self.second
        var passed: [Int64] = []
        for _ in 0..<2000 {
            now += Int64.random(in: 0...Self.second / 20, using: &random)
            let wait = take(table, ann, now: now, limit)
            if wait == 0 { passed.append(now) } else { #expect(wait <= limit.interval) }
        }
        for first in passed.indices {
            for last in first..<passed.count {
                let allowed = Int64(burst) + (passed[last] - passed[first]) / limit.interval
                #expect(Int64(last - first + 1) <= allowed)
            }
        }
        let ideal = Int64(burst) + (now - passed[0]) / limit.interval
        #expect(Int64(passed.count) >= min(1900, ideal / 2), "whoever asks often enough gets what is allowed")
    }

    @Test("are exact whichever threads ask at the same time")
    func threads() {
        let table = RateTable(places: 64)
        let limit = RateLimit(requests: 1000, milliseconds: 1000, burst: 1000)!
        let ids = (0..<4).map { id("user \($0)", table) }
        for value in ids { _ = take(table, value, now: Self.second, limit) }
        let passed = (0..<4).map { _ in Atomic0() }
        let group = DispatchGroup()
        for _ in 0..<4 {
            group.enter()
            Thread.detachNewThread {
                for round in 0..<2000 {
                    let wait = table.take(ids[round % 4], interval: limit.interval, tolerance: limit.tolerance, now: Self.second)
                    if wait == 0 { passed[round % 4].add() }
                }
                group.leave()
            }
        }
        group.wait()
        #expect(passed.map(\.value) == [999, 999, 999, 999])
    }

    private final class Atomic0: Sendable {
        private let count = Atomic<Int>(0)
        func add() { count.add(1, ordering: .relaxed) }
        var value: Int { count.load(ordering: .relaxed) }
    }

    @Test("of a full table make room by the one that is next to full, and nobody is refused for another's requests")
    func full() {
        let table = RateTable(places: 8)
        let now = Self.second
        let busy = (0..<8).map { id("busy \($0)", table) }
        for (index, value) in busy.enumerated() {
            for _ in 0..<(index == 3 ? 1 : 4) { #expect(take(table, value, now: now) == 0) }
        }
        #expect(take(table, id("new", table), now: now) == 0)
        for (index, value) in busy.enumerated() where index != 3 { #expect(take(table, value, now: now) > 0, "kept") }
        #expect(take(table, busy[3], now: now) == 0, "forgotten, so full again")
        for round in 0..<10_000 { #expect(take(table, id("flood \(round)", table), now: now) == 0) }
    }

    @Test("of different limits and processes are different ones for the same caller")
    func keys() {
        let (table, other) = (RateTable(places: 64), RateTable(places: 64))
        let name = Array("ann".utf8)
        #expect(table.hash(for: "a")(name.span) != table.hash(for: "b")(name.span))
        #expect(table.hash(for: "a")(name.span) == table.hash(for: "a")(name.span))
        #expect(table.hash(for: "a")(name.span) != other.hash(for: "a")(name.span))
    }
}
