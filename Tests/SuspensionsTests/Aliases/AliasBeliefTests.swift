import Policy
import Testing

@testable import Suspensions

/// A gateway of a fleet: others see changes of aliases that this one doesn't.
@Suite("aliases that are believed for a while only")
struct AliasBeliefTests {
    private let time = TestTime()
    private let source = HandSource()
    private let heard = Heard()

    private func book(_ store: any LedgerStore = MemoryLedger(), believes: Bool = true) throws -> AliasBook {
        let (time, kinds) = (time, Set([emailRule.kind]))
        let book = try AliasBook(
            store: store, writer: LedgerWriter(store: store), kinds: [kinds, kinds], steady: { time.now }, run: { $0() })
        if believes { book.believe(forSeconds: 60) }
        book.search(by: source)
        return book
    }

    private func question(_ book: AliasBook, _ email: String = "b@x") -> AliasQuestion {
        book.question(UserAlias(rule: emailRule, value: Array(email.utf8)), directory: 1, tenant: nil)
    }

    private func ask(_ book: AliasBook, _ email: String = "b@x") { book.find(question(book, email)) { [heard] in heard.hear($0) } }

    private func reading(_ user: String, _ email: String?) -> AliasReading {
        AliasReading(user: named(user), rule: emailRule, value: email.map { Array($0.utf8) })
    }

    private func see(_ user: String, _ email: String?, _ book: AliasBook) {
        book.learn([reading(user, email)], directory: 1, tenant: nil, age: .zero)
    }

    @Test("a holder of whom nothing was read for the time is read before he is the answer, once for all who ask; then he is")
    func shown() throws {
        let book = try book()
        see("ada", "b@x", book)
        time.pass(seconds: 60)
        for _ in 0..<3 { ask(book) }
        #expect(heard.all.isEmpty && source.reading == [Subject(directory: 1, tenant: nil, user: named("ada"))] && source.open == 0)
        #expect(book.known(question(book)).verdict == .nobody)
        see("ada", "b@x", book)
        source.read(.read)
        #expect(heard.all == [.user(named("ada")), .user(named("ada")), .user(named("ada"))])
        #expect(book.tally.read == 1)
    }

    @Test("who has it no more is not answered with: whose it is now is asked for, by the same request")
    func moved() throws {
        let book = try book()
        see("ada", "b@x", book)
        time.pass(seconds: 61)
        ask(book)
        see("ada", "other@x", book)
        source.read(.read)
        #expect(heard.all.isEmpty && source.open == 1)
        source.answer(.readings([reading("ben", "b@x")]))
        #expect(heard.all == [.user(named("ben"))])
    }

    @Test("who is gone, or whose answer doesn't speak of it, is asked for too; nobody is believed whom the search doesn't show")
    func silent() throws {
        let book = try book()
        see("ada", "b@x", book)
        see("eve", "e@x", book)
        time.pass(seconds: 61)
        ask(book)
        source.read(.absent)
        source.answer(.readings([]))
        ask(book, "e@x")
        source.read(.read)
        source.answer(.impossible)
        #expect(heard.all == [.nobody, .nobody])
        // Seen again, he is known at once.
        see("eve", "e@x", book)
        ask(book, "e@x")
        #expect(heard.all.last == .user(named("eve")))
    }

    @Test("while the service can't be asked nobody is let in by what was believed before, and it is asked once a second")
    func away() throws {
        let book = try book()
        see("ada", "b@x", book)
        time.pass(seconds: 61)
        ask(book)
        source.read(.failed)
        for _ in 0..<5 { ask(book) }
        #expect(heard.all == Array(repeating: .unavailable, count: 6) && source.reading.isEmpty && source.open == 0)
        time.pass(seconds: 2)
        ask(book)
        see("ada", "b@x", book)
        source.read(.read)
        #expect(heard.all.last == .user(named("ada")) && book.tally.unread == 1)
        book.search(by: nil)
        time.pass(seconds: 61)
        ask(book)
        #expect(heard.all.last == .nobody)
    }

    @Test("who comes often waits for nobody: he is read in the background from half the time on, and remembered no longer than believed")
    func often() throws {
        let book = try book()
        see("ada", "b@x", book)
        ask(book)
        time.pass(seconds: 29)
        ask(book)
        #expect(source.reading.isEmpty)
        time.pass(seconds: 16)
        ask(book)
        ask(book)
        #expect(heard.all.count == 4 && source.reading.count == 1)
        #expect(heard.seconds == [30, 30, 15, 15])
        see("ada", "b@x", book)
        source.read(.read)
        time.pass(seconds: 20)
        ask(book)
        #expect(heard.all.count == 5 && heard.seconds.last == 30)
    }

    @Test("what the ledger keeps is believed after a restart once it was read; by itself a gateway believes it at once")
    func restart() throws {
        let store = MemoryLedger()
        let row = AliasRow(directory: 1, tenant: nil, kind: emailRule.kind, user: named("ada"), value: Array("b@x".utf8))
        try store.commit([.alias(row)])
        ask(try book(store, believes: false))
        #expect(heard.all == [.user(named("ada"))])
        let book = try book(store)
        ask(book)
        #expect(heard.all.count == 1 && source.reading.last == Subject(directory: 1, tenant: nil, user: named("ada")))
    }

    @Test("of two holders, the one who has it alone afterwards is as old as his own reading")
    func rivals() throws {
        let book = try book()
        book.learn([reading("ada", "b@x"), reading("ben", "b@x")], directory: 1, tenant: nil, age: .zero)
        time.pass(seconds: 50)
        see("ada", "b@x", book)
        see("ada", nil, book)
        ask(book)
        #expect(heard.all == [.user(named("ben"))] && heard.seconds == [10])
    }

    @Test("reads are bounded by themselves: a flood of unknown aliases doesn't keep known users waiting, nor they the service without end")
    func bounded() throws {
        let book = try book()
        for number in 0..<2000 { see("u\(number)", "\(number)@x", book) }
        for number in 0..<200 { ask(book, "unknown\(number)@x") }
        #expect(source.open == Limits.aliasSearchesAtOnce)
        time.pass(seconds: 61)
        for number in 0..<2000 { ask(book, "\(number)@x") }
        #expect(source.reading.count == Limits.aliasReadsAtOnce)
        #expect(heard.all.count == 100 + 2000 - Limits.aliasReadsPerSecond && heard.all.allSatisfy { $0 == .unavailable })
    }
}
