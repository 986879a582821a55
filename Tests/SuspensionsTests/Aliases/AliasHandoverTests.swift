import Policy
import Synchronization
import Testing

@testable import Suspensions

/// The book of a process whose ledger is another's for a while.
@Suite("the book of aliases over a handover")
struct AliasHandoverTests {
    private let time = TestTime()
    private let store: MemoryLedger
    private let writer: LedgerWriter
    private let told = Told()

    init() {
        store = MemoryLedger()
        writer = LedgerWriter(store: store)
    }

    /// What was told the other process.
    private final class Told: Sendable {
        private let words = Mutex<[AliasWord]>([])
        var all: [AliasWord] { words.withLock { $0 } }
        func hear(_ word: AliasWord) { words.withLock { $0.append(word) } }
    }

    private func book(limit: Int = 1000) throws -> AliasBook {
        let (time, told, kinds) = (time, told, Set([emailRule.kind]))
        let book = try AliasBook(
            store: store, writer: writer, kinds: [kinds, kinds], steady: { time.now }, run: { $0() }, limit: limit)
        book.tellNews { told.hear($0) }
        return book
    }

    private func see(_ users: KeyValuePairs<String, String?>, _ book: AliasBook, age: Duration = .zero) {
        let readings = users.map { AliasReading(user: named($0.key), rule: emailRule, value: $0.value.map { Array($0.utf8) }) }
        book.learn(readings, directory: 1, tenant: nil, age: age)
    }

    private func row(_ user: String, _ email: String?) -> AliasRow {
        AliasRow(directory: 1, tenant: nil, kind: emailRule.kind, user: named(user), value: email.map { Array($0.utf8) })
    }

    private func who(_ email: String, _ book: AliasBook) -> AliasVerdict {
        book.known(book.question(UserAlias(rule: emailRule, value: Array(email.utf8)), directory: 1, tenant: nil)).verdict
    }

    @Test("whatever makes an answer of before void is told, whole; what is new or known, or makes room, is not")
    func news() throws {
        let book = try book(limit: 2)
        see(["ada": "a@x"], book)
        time.pass(seconds: 1)
        see(["ada": "a@x"], book)
        see(["ben": "b@x"], book)
        see(["eve": "e@x"], book)
        #expect(told.all.isEmpty && book.tally.evicted == 1)
        time.pass(seconds: 1)
        see(["eve": "b@x", "ben": nil], book)
        #expect(told.all == [AliasWord(asked: time.now, rows: [row("eve", "b@x"), row("ben", nil)])])
        // In pieces that a message has room for.
        time.pass(seconds: 1)
        let many = (0..<40).map { AliasReading(user: named("u\($0)"), rule: emailRule, value: nil) }
        book.learn(many + [AliasReading(user: named("eve"), rule: emailRule, value: nil)], directory: 1, tenant: nil, age: .zero)
        #expect(told.all.dropFirst().map(\.rows.count) == [AliasWord.rows, AliasWord.rows, 9])
    }

    @Test("what the other process tells is in force at once, by the order in which it was asked for, and told nobody back")
    func heard() throws {
        let book = try book()
        see(["ada": "a@x"], book)
        let generation = book.generation
        book.hear(AliasWord(asked: time.now - 1, rows: [row("ben", "a@x")]))
        #expect(who("a@x", book) == .user(named("ada")) && book.generation == generation)
        book.hear(AliasWord(asked: time.now + 1, rows: [row("ben", "a@x")]))
        #expect(who("a@x", book) == .user(named("ben")) && book.generation > generation)
        #expect(told.all.isEmpty)
    }

    @Test("nothing is written while the ledger is another's; its owner is told of whom it can't know")
    func held() throws {
        let book = try book()
        see(["ada": "a@x", "ben": "b@x"], book)
        try drain()
        book.hold()
        time.pass(seconds: 1)
        see(["ada": nil], book)
        // A second holder makes the first one doubtful too.
        see(["eve": "b@x", "ben": "b@x"], book)
        try drain()
        #expect(Set(store.current.aliases.map { "\($0.user)" }) == Set(["ada", "ben"].map { "\(named($0))" }))
        let news = book.heldNews.flatMap(\.rows)
        #expect(news.count == 3 && news.allSatisfy { $0.value == nil })
        #expect(Set(news.map(\.user)) == [named("ada"), named("ben"), named("eve")])
    }

    @Test("back again, the ledger's word counts, but for those of whom something was read meanwhile; nothing older comes back")
    func takenBack() throws {
        let book = try book()
        see(["ada": "a@x", "ben": "b@x", "eve": "e@x"], book)
        try drain()
        book.hold()
        let generation = book.generation
        time.pass(seconds: 1)
        see(["ada": "other@x"], book)
        // Meanwhile the other process has seen Ben without an address, and Kim.
        let rows = [row("ada", "a@x"), row("eve", "e@x"), row("kim", "k@x")]
        book.takeBack(rows)
        #expect(book.generation > generation)
        #expect(who("a@x", book) == .nobody && who("other@x", book) == .nobody && who("b@x", book) == .nobody)
        #expect(who("e@x", book) == .user(named("eve")) && who("k@x", book) == .user(named("kim")))
        // An answer that was on its way since before the ledger was given away.
        see(["ben": "b@x", "ada": "a@x"], book, age: .milliseconds(1500))
        #expect(who("b@x", book) == .nobody && who("a@x", book) == .nobody)
        time.pass(seconds: 1)
        see(["ben": "b@x"], book)
        #expect(who("b@x", book) == .user(named("ben")))
        try drain()
        #expect(!store.current.aliases.contains { $0.user == named("ada") })
    }

    /// Waits until the store has what was submitted.
    private func drain() throws { try writer.take { _ in } }
}
