import NIOCore
import Synchronization
import Testing

@testable import Proxy

/// Which names are looked up when. The clock is the test's own.
@Suite("look-ups of names") struct NameLookupsTests {
    private static let second: Int64 = 1_000_000_000
    private let address = try! SocketAddress(ipAddress: "192.0.2.1", port: 1)

    private func name(_ host: String) -> NameLookups.Name { NameLookups.Name(host: host, port: 1) }

    /// What `host` is told, as far as it is told anything.
    private func ask(_ lookups: inout NameLookups, _ host: String, now: Int64) -> [SocketAddress]? {
        lookups.ask(name(host), now: now) { _ in }
    }

    /// Has `host` looked up at this time, for so long.
    private func look(_ lookups: inout NameLookups, _ host: String, _ found: [SocketAddress], at now: Int64, took: Int64 = 0) {
        #expect(ask(&lookups, host, now: now) == nil)
        #expect(lookups.begin(now: now) == name(host))
        _ = lookups.ended(name(host), found, now: now + took)
    }

    @Test("however many ask for a name, one thread looks it up, and all are told; the last beyond a bound hear what is known")
    func shared() {
        var lookups = NameLookups()
        for _ in 0..<NameLookups.askers { #expect(ask(&lookups, "a.test", now: 0) == nil) }
        #expect(ask(&lookups, "a.test", now: 0) == [])
        #expect(lookups.begin(now: 0) == name("a.test") && lookups.begin(now: 0) == nil)
        let (waiting, answer) = lookups.ended(name("a.test"), [address], now: 5)
        #expect(waiting.count == NameLookups.askers && answer == [address])
        #expect(ask(&lookups, "a.test", now: 6) == nil, "a good answer is not kept from being renewed")
    }

    @Test("the last good addresses serve for an hour while no look-up comes to anything; a late one is kept too")
    func known() {
        var lookups = NameLookups()
        look(&lookups, "a.test", [address], at: 0, took: 30 * Self.second)
        #expect(ask(&lookups, "a.test", now: 40 * Self.second) == nil)
        #expect(lookups.known(name("a.test"), now: 40 * Self.second) == [address], "for who can't wait")
        _ = lookups.begin(now: 40 * Self.second)
        let (_, answer) = lookups.ended(name("a.test"), [], now: 50 * Self.second)
        #expect(answer == [address])
        #expect(ask(&lookups, "a.test", now: 60 * Self.second) == [address], "it rests")
        let late = 30 * Self.second + NameLookups.kept
        #expect(lookups.known(name("a.test"), now: late - 1) == [address] && lookups.known(name("a.test"), now: late).isEmpty)
    }

    @Test(
        "a look-up that failed is repeated after four times as long as it took, a minute at most",
        arguments: [(1, 4), (100, 400), (10_000, 40_000), (30_000, 60_000)] as [(Int64, Int64)])
    func rest(took: Int64, rest: Int64) {
        var lookups = NameLookups()
        let (took, rest) = (took * 1_000_000, rest * 1_000_000)
        look(&lookups, "a.test", [], at: 0, took: took)
        #expect(ask(&lookups, "a.test", now: took + rest - 1) == [])
        #expect(ask(&lookups, "a.test", now: took + rest) == nil)
    }

    @Test("names that nobody answered for come after the others, and never have all threads")
    func silent() {
        var lookups = NameLookups()
        for number in 0..<40 { look(&lookups, "dead\(number).test", [], at: 0, took: 10 * Self.second) }
        let later = 100 * Self.second
        for number in 0..<40 { #expect(ask(&lookups, "dead\(number).test", now: later) == nil) }
        for number in 0..<3 { #expect(ask(&lookups, "good\(number).test", now: later) == nil) }
        for number in 0..<3 { #expect(lookups.begin(now: later) == name("good\(number).test")) }
        var begun = 0
        while lookups.begin(now: later) != nil { begun += 1 }
        #expect(begun == NameLookups.threadsForSilent)
        #expect(ask(&lookups, "new.test", now: later) == nil)
        #expect(lookups.begin(now: later) == name("new.test"))
        #expect(lookups.begin(now: later) == nil)
        _ = lookups.ended(name("dead0.test"), [address], now: later)
        #expect(lookups.begin(now: later) == name("dead12.test"))
    }

    @Test("names that come once, as an issuer's metadata can name them, are not remembered without bound")
    func bounded() {
        var lookups = NameLookups()
        for number in 0..<NameLookups.remembered + 10 { look(&lookups, "n\(number).test", [address], at: Int64(number)) }
        #expect(lookups.known(name("n0.test"), now: Self.second).isEmpty)
        #expect(lookups.known(name("n\(NameLookups.remembered + 9).test"), now: Self.second) == [address])
    }

    @Test("after the end nothing is looked up, and who waits is let go")
    func end() {
        var lookups = NameLookups()
        for host in ["a.test", "b.test"] { #expect(ask(&lookups, host, now: 0) == nil) }
        _ = lookups.begin(now: 0)
        #expect(lookups.end().count == 2)
        #expect(lookups.ended(name("a.test"), [address], now: 1).waiting.isEmpty)
        #expect(ask(&lookups, "c.test", now: 2) == [] && lookups.begin(now: 2) == nil)
    }
}
