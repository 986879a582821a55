import Policy
import Testing

@testable import Proxy

/// Whose turn it is to be fetched.
@Suite("turns of fetches") struct FetchLineTests {
    private func order(_ host: String, retry: Bool = false) throws -> FetchOrder {
        FetchOrder(url: try FetchURL("https://\(host)/keys"), tls: nil, timeout: 1, isRetry: retry) { _ in }
    }

    private func begin(_ line: inout FetchLine) -> [FetchOrder] {
        var begun: [FetchOrder] = []
        while let order = line.next() { begun.append(order) }
        return begun
    }

    @Test("a host has so many fetches at most, hosts take turns, and all together have their bound")
    func hosts() throws {
        var line = FetchLine()
        for _ in 0..<400 { line.add(try order("mute.example")) }
        for number in 0..<3 { line.add(try order("good-\(number).example")) }
        let begun = begin(&line).map(\.host)
        #expect(begun.prefix(4) == ["mute.example", "good-0.example", "good-1.example", "good-2.example"])
        #expect(begun.count { $0 == "mute.example" } == Limits.fetchesPerHost && begun.count == Limits.fetchesPerHost + 3)
        line.ended(try order("good-0.example"))
        #expect(line.next() == nil)
        line.ended(try order("mute.example"))
        #expect(begin(&line).map(\.host) == ["mute.example"])
        for number in 0..<100 { line.add(try order("host-\(number).example")) }
        #expect(begin(&line).count == Limits.fetchesAtOnce - Limits.fetchesPerHost - 2)
    }

    @Test("what failed last time comes after the rest, and leaves places free")
    func retries() throws {
        var line = FetchLine()
        for number in 0..<100 { line.add(try order("bad-\(number).example", retry: true)) }
        line.add(try order("good.example"))
        let begun = begin(&line)
        #expect(begun.first?.host == "good.example" && begun.count == 1 + Limits.retriesAtOnce)
        for number in 0..<100 { line.add(try order("well-\(number).example")) }
        #expect(begin(&line).count == Limits.fetchesAtOnce - Limits.retriesAtOnce - 1)
        line.ended(try order("bad-0.example", retry: true))
        #expect(begin(&line).map(\.isRetry) == [false])
    }

    @Test("each order has its turn once", arguments: 0..<8)
    func all(seed: Int) throws {
        var line = FetchLine()
        var random = Steps(state: UInt64(seed) + 1)
        var (added, begun): (Int, [FetchOrder]) = (0, [])
        var done = 0
        while done < 500 {
            if added < 500 {
                line.add(try order("host-\(random.next() % 9).example", retry: random.next() % 3 == 0))
                added += 1
            }
            if random.next() % 2 == 0, let order = line.next() { begun.append(order) }
            if random.next() % 3 == 0 || added == 500, !begun.isEmpty {
                line.ended(begun.remove(at: Int(random.next() % UInt64(begun.count))))
                done += 1
            }
            #expect(begun.count <= Limits.fetchesAtOnce)
        }
        #expect(line.next() == nil && begun.isEmpty)
    }
}

/// A seeded generator (splitmix64).
private struct Steps {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
