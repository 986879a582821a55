import Policy
import Synchronization
import Testing

@testable import Suspensions

/// A service whose answers the test gives.
final class HandSource: AliasSource {
    let searches = Mutex<[(alias: UserAlias, then: @Sendable (AliasFinding) -> Void)]>([])
    let reads = Mutex<[(subject: Subject, then: @Sendable (AliasReread) -> Void)]>([])

    func search(_ alias: UserAlias, directory: DirectoryIndex, tenant: FormattedID?, then: @escaping @Sendable (AliasFinding) -> Void) {
        searches.withLock { $0.append((alias, then)) }
    }

    func readAnew(_ subject: Subject, then: @escaping @Sendable (AliasReread) -> Void) { reads.withLock { $0.append((subject, then)) } }

    var open: Int { searches.withLock { $0.count } }
    var reading: [Subject] { reads.withLock { $0.map(\.subject) } }

    func answer(_ finding: AliasFinding) { searches.withLock { $0.removeFirst() }.then(finding) }
    func read(_ reading: AliasReread) { reads.withLock { $0.removeFirst() }.then(reading) }
}

/// The time that a test says it is.
final class TestTime: Sendable {
    private let time = Mutex<Int64>(1_000_000_000_000)
    var now: Int64 { time.withLock { $0 } }
    func pass(seconds: Int64) { time.withLock { $0 += seconds * 1_000_000_000 } }
}

/// What was answered, in its order.
final class Heard: Sendable {
    private let answers = Mutex<[AliasAnswer]>([])
    var all: [AliasVerdict] { answers.withLock { $0.map(\.verdict) } }
    var seconds: [Int64] { answers.withLock { $0.map(\.seconds) } }
    func hear(_ answer: AliasAnswer) { answers.withLock { $0.append(answer) } }
}

@Suite("the book of aliases")
struct AliasBookTests {
    /// A book whose work is done at once, at the time that the test says.
    private func book(_ store: any LedgerStore, kinds: Set<[UInt8]> = [emailRule.kind], limit: Int = 1000, _ clock: TestTime) throws
        -> AliasBook
    {
        try AliasBook(
            store: store, writer: LedgerWriter(store: store), kinds: [kinds, kinds], steady: { clock.now }, run: { $0() }, limit: limit)
    }

    private func question(_ book: AliasBook, _ email: String, of tenant: FormattedID? = nil) -> AliasQuestion {
        book.question(UserAlias(rule: emailRule, value: Array(email.utf8)), directory: 1, tenant: tenant)
    }

    private func reading(_ user: String, _ email: String?) -> AliasReading {
        AliasReading(user: named(user), rule: emailRule, value: email.map { Array($0.utf8) })
    }

    private func ask(_ book: AliasBook, _ email: String, of tenant: FormattedID? = nil, _ heard: Heard) {
        book.find(question(book, email, of: tenant)) { heard.hear($0) }
    }

    @Test("requests for one unknown alias share one search, and are answered together")
    func shared() throws {
        let (source, heard, time) = (HandSource(), Heard(), TestTime())
        let book = try book(MemoryLedger(), time)
        book.search(by: source)
        for _ in 0..<3 { ask(book, "b@x", heard) }
        #expect(source.open == 1 && heard.all.isEmpty)
        source.answer(.readings([reading("ben", "b@x")]))
        #expect(heard.all == [.user(named("ben")), .user(named("ben")), .user(named("ben"))])
        ask(book, "b@x", heard)
        #expect(heard.all.count == 4 && source.open == 0)
        #expect(book.tally.known == 1 && book.tally.found == 1)
    }

    @Test("nobody is asked for again for a while, unless somebody is seen with the alias; a failing service sooner")
    func unknown() throws {
        let (source, heard, time) = (HandSource(), Heard(), TestTime())
        let book = try book(MemoryLedger(), time)
        book.search(by: source)
        ask(book, "b@x", heard)
        // A service that doesn't look at the query answers with everybody: only who has the alias is taken for its user.
        source.answer(.readings([reading("ada", "a@x"), reading("ben", nil)]))
        ask(book, "b@x", heard)
        #expect(heard.all == [.nobody, .nobody] && source.open == 0)
        time.pass(seconds: 11)
        ask(book, "b@x", heard)
        #expect(source.open == 1)
        source.answer(.failed)
        #expect(heard.all.last == .unavailable)
        book.learn([reading("ben", "b@x")], directory: 1, tenant: nil, age: .zero)
        ask(book, "b@x", heard)
        #expect(heard.all.last == .user(named("ben")))
        #expect(book.tally.nobody == 1 && book.tally.failed == 1)
    }

    @Test("without a way to ask nobody is known; two holders in one answer are told as that")
    func hopeless() throws {
        let (source, heard, time) = (HandSource(), Heard(), TestTime())
        let book = try book(MemoryLedger(), time)
        ask(book, "b@x", heard)
        book.search(by: source)
        ask(book, "b@x", heard)
        source.answer(.impossible)
        time.pass(seconds: 11)
        ask(book, "b@x", heard)
        source.answer(.readings([reading("ben", "b@x"), reading("ada", "b@x")]))
        #expect(heard.all == [.nobody, .nobody, .contested])
    }

    @Test("an answer that was overtaken by another is asked for once more; one that contradicts itself names nobody")
    func overtaken() throws {
        let (source, heard, time) = (HandSource(), Heard(), TestTime())
        let book = try book(MemoryLedger(), time)
        book.search(by: source)
        ask(book, "b@x", heard)
        time.pass(seconds: 1)
        // While it is on its way the address is seen with somebody, and taken away again.
        book.learn([reading("ada", "b@x")], directory: 1, tenant: nil, age: .zero)
        time.pass(seconds: 1)
        book.learn([reading("ada", nil)], directory: 1, tenant: nil, age: .zero)
        source.answer(.readings([reading("ben", "b@x")]))
        #expect(heard.all.isEmpty && source.open == 1)
        time.pass(seconds: 1)
        source.answer(.readings([reading("ben", "b@x")]))
        #expect(heard.all == [.user(named("ben"))])
        ask(book, "c@x", heard)
        source.answer(.readings([reading("kim", "c@x"), reading("kim", nil)]))
        #expect(heard.all.last == .nobody && source.open == 0)
    }

    @Test("requests of one user who wait leave room for others'")
    func waiters() throws {
        let (source, heard, time) = (HandSource(), Heard(), TestTime())
        let book = try book(MemoryLedger(), time)
        book.search(by: source)
        for _ in 0..<Limits.aliasWaiters + 1 { ask(book, "b@x", heard) }
        #expect(heard.all.count == Limits.aliasWaiters + 1 - Limits.aliasWaitersOfOne && heard.all.allSatisfy { $0 == .unavailable })
        ask(book, "c@x", heard)
        #expect(source.open == 2)
    }

    @Test("a flood of unknown aliases costs the service so many searches at once and a second, and no more")
    func flood() throws {
        let (source, heard, time) = (HandSource(), Heard(), TestTime())
        let book = try book(MemoryLedger(), time)
        book.search(by: source)
        for number in 0..<10_000 { ask(book, "\(number)@x", heard) }
        #expect(source.open == Limits.aliasSearchesAtOnce)
        #expect(heard.all.count == 10_000 - Limits.aliasSearchesPerSecond && Set(heard.all.map { "\($0)" }) == ["unavailable"])
        for _ in 0..<Limits.aliasSearchesPerSecond { source.answer(.readings([])) }
        #expect(source.open == 0 && heard.all.count == 10_000)
        time.pass(seconds: 1)
        ask(book, "new@x", heard)
        #expect(source.open == 1)
    }

    @Test("tenants whose users flood the service, which hangs for them, leave searches and a share of every second to others")
    func tenants() throws {
        let (source, flood, heard, time) = (HandSource(), Heard(), Heard(), TestTime())
        let book = try book(MemoryLedger(), time)
        book.search(by: source)
        for evil in ["evil", "bad", "ill"] { for number in 0..<1000 { ask(book, "\(number)@x", of: tenant(evil).id, flood) } }
        #expect(source.open == 3 * Limits.aliasSearchesAtOnce)
        #expect(flood.all.count == 3 * (1000 - Limits.aliasSearchesPerSecond))
        // Half of what is left, and the last place at least.
        for number in 0..<16 { ask(book, "\(number)@acme", of: tenant("acme").id, heard) }
        #expect(source.open == 3 * Limits.aliasSearchesAtOnce + 8 && heard.all.isEmpty)
        for number in 0..<4 { ask(book, "\(number)@globex", of: tenant("globex").id, heard) }
        #expect(source.open == 3 * Limits.aliasSearchesAtOnce + 12 && heard.all.isEmpty)
        let evils = source.open
        for _ in 0..<evils { source.answer(.readings([])) }
        #expect(heard.all.count >= 12)
        while source.open > 0 { source.answer(.readings([])) }
        #expect(heard.all.count == 20 && flood.all.count == 3000)
    }

    @Test("one tenant's requests that wait leave half of the places to others'")
    func waitingTenants() throws {
        let (source, flood, heard, time) = (HandSource(), Heard(), Heard(), TestTime())
        let book = try book(MemoryLedger(), time)
        book.search(by: source)
        for number in 0..<20 { for _ in 0..<Limits.aliasWaitersOfOne { ask(book, "\(number)@x", of: tenant("evil").id, flood) } }
        #expect(flood.all.count == 20 * Limits.aliasWaitersOfOne - Limits.aliasWaiters / 2 && flood.all.allSatisfy { $0 == .unavailable })
        for number in 0..<5 { for _ in 0..<200 { ask(book, "\(number)@acme", of: tenant("acme").id, heard) } }
        #expect(heard.all.isEmpty)
    }

    @Test("whoever may have been told otherwise is told by the generation, before anything else is answered")
    func generation() throws {
        let (heard, time) = (Heard(), TestTime())
        let book = try book(MemoryLedger(), time)
        let first = book.generation
        book.learn([reading("ben", "b@x")], directory: 1, tenant: nil, age: .zero)
        #expect(book.generation == first)
        time.pass(seconds: 1)
        book.learn([reading("ada", "b@x")], directory: 1, tenant: nil, age: .zero)
        #expect(book.generation > first)
        ask(book, "b@x", heard)
        #expect(heard.all == [.user(named("ada"))])
        let second = book.generation
        time.pass(seconds: 1)
        book.learn([reading("ada", nil)], directory: 1, tenant: nil, age: .zero)
        #expect(book.generation > second)
        // An answer that was asked for before that.
        book.learn([reading("ada", "b@x")], directory: 1, tenant: nil, age: .milliseconds(500))
        ask(book, "b@x", heard)
        #expect(heard.all.last == .nobody)
    }

    @Test("an alias that was not read for long is read anew when its user comes; who is gone has none")
    func stale() throws {
        let (source, heard, time) = (HandSource(), Heard(), TestTime())
        let book = try book(MemoryLedger(), time)
        book.search(by: source)
        book.learn([reading("ben", "b@x")], directory: 1, tenant: nil, age: .zero)
        ask(book, "b@x", heard)
        #expect(source.reading.isEmpty)
        time.pass(seconds: Limits.aliasFreshSeconds + 1)
        for _ in 0..<5 { ask(book, "b@x", heard) }
        #expect(source.reading == [Subject(directory: 1, tenant: nil, user: named("ben"))] && heard.all.count == 6)
        source.read(.absent)
        #expect(book.known(question(book, "b@x")).verdict == .nobody)
    }

    @Test("what was learned is there after a restart, under the rules that are in use; a ledger that fails gets it later")
    func restart() async throws {
        let (folder, time) = (try LedgerFolder(), TestTime())
        let store = try folder.open()
        let writer = LedgerWriter(store: store)
        let book = try AliasBook(
            store: store, writer: writer, kinds: [[], [emailRule.kind]], steady: { time.now }, run: { $0() })
        book.learn([reading("ben", "b@x"), reading("ada", "a@x"), reading("eve", "e@x")], directory: 1, tenant: nil, age: .zero)
        time.pass(seconds: 1)
        book.learn([reading("eve", nil)], directory: 1, tenant: nil, age: .zero)
        book.learn([reading("bob", "a@x")], directory: 1, tenant: nil, age: .zero)
        writer.close()
        let again = try folder.open()
        let second = try AliasBook(
            store: again, writer: LedgerWriter(store: again), kinds: [[], [emailRule.kind]], steady: { time.now }, run: { $0() })
        #expect(second.tally.known == 2)
        #expect(second.known(question(second, "b@x")).verdict == .user(named("ben")))
        #expect(second.known(question(second, "a@x")).verdict == .user(named("bob")))
        #expect(try again.verify() == 0)
        // A rule that has changed forgets what the old one has read.
        let third = try AliasBook(
            store: again, writer: LedgerWriter(store: again), kinds: [[], []], steady: { time.now }, run: { $0() })
        #expect(third.tally.known == 0)
        again.close()
    }

    @Test("a ledger that can't be written holds nothing up, and has everything when it can be")
    func failing() async throws {
        let (store, time) = (MemoryLedger(), TestTime())
        store.fail(with: .writeFailed("full"))
        let writer = LedgerWriter(store: store)
        let book = try AliasBook(store: store, writer: writer, kinds: [[], [emailRule.kind]], steady: { time.now })
        book.learn([reading("ben", "b@x")], directory: 1, tenant: nil, age: .zero)
        let answered = await withCheckedContinuation { done in
            book.find(question(book, "b@x")) { done.resume(returning: $0.verdict) }
        }
        #expect(answered == .user(named("ben")) && store.current.aliases.isEmpty)
        store.fail(with: nil)
        while store.current.aliases.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        #expect(store.current.aliases.map(\.user) == [named("ben")])
    }
}
