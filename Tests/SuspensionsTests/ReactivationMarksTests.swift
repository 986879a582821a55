import Policy
import Synchronization
import TestSupport
import Testing

@testable import Suspensions

@Suite("who was reactivated when")
struct ReactivationMarksTests {
    @Test("a mark has its last time; an earlier one changes nothing, and others have none")
    func last() {
        let marks = ReactivationMarks()
        #expect(marks.last(7) == 0)
        marks.note(7, at: 100)
        marks.note(7, at: 90)
        #expect(marks.last(7) == 100)
        marks.note(7, at: 110)
        #expect(marks.last(7) == 110 && marks.last(9) == 0)
    }

    @Test("a full set gives up its oldest mark and counts everybody as reactivated then: no mark is ever too low")
    func full() {
        let marks = ReactivationMarks(setCount: 1)
        for number in 1...7 { marks.note(UInt64(number), at: Int64(number * 10)) }
        #expect((1...7).allSatisfy { marks.last(UInt64($0)) == Int64($0 * 10) } && marks.last(99) == 0)
        marks.note(8, at: 80)
        #expect(marks.last(8) == 80 && marks.last(1) == 10 && marks.last(99) == 10, "the one that went is the floor")
        for number in 9...1000 { marks.note(UInt64(number), at: Int64(number * 10)) }
        #expect((1...1000).allSatisfy { marks.last(UInt64($0)) >= Int64($0 * 10) })
        #expect(marks.last(5000) == 9930, "no more than the oldest that had to go")
    }

    @Test("as many users as are expected are kept exactly")
    func capacity() {
        let marks = ReactivationMarks()
        var random = SystemRandomNumberGenerator()
        let users = (0..<60_000).map { _ in random.next() | 1 }
        for (number, mark) in users.enumerated() { marks.note(mark, at: Int64(1_000_000 + number)) }
        let inexact = users.enumerated().count { marks.last($1) != Int64(1_000_000 + $0) }
        let strangers = (0..<60_000).count { _ in marks.last(random.next() | 1) != 0 }
        #expect(users.enumerated().allSatisfy { marks.last($1) >= Int64(1_000_000 + $0) })
        #expect(inexact < 100 && strangers < 600)
    }

    @Test("readers never find a mark lower than it was when they began, while others take places in its set")
    func race() {
        let shared = Shared()
        let readers = (0..<2).map { _ in TestThread(shared.read) }
        shared.write()
        for reader in readers { reader.wait() }
        #expect(shared.low.load(ordering: .relaxed) == 0 && shared.asked.load(ordering: .relaxed) > 1000)
    }

    /// One set, its writer and its readers.
    private final class Shared: Sendable {
        let marks = ReactivationMarks(setCount: 1)
        let newest = Atomic<Int64>(0)
        let done = Atomic(false)
        let low = Atomic(0)
        let asked = Atomic(0)

        func write() {
            var round: Int64 = 0
            // However late the readers come to their turn.
            while round < 40_000 || asked.load(ordering: .relaxed) <= 1000 {
                round += 1
                marks.note(1, at: round * 100)
                newest.store(round * 100, ordering: .releasing)
                // More than the set has room for: the first mark goes, too.
                for other in 1...8 { marks.note(UInt64(round) * 16 + UInt64(other), at: round * 100 + Int64(other)) }
            }
            done.store(true, ordering: .relaxed)
        }

        func read() {
            while !done.load(ordering: .relaxed) {
                let least = newest.load(ordering: .acquiring)
                if marks.last(1) < least { low.add(1, ordering: .relaxed) }
                asked.add(1, ordering: .relaxed)
            }
        }
    }

    // MARK: for whom

    private let index = SuspensionIndex(reaches: [.tenant, .directory])
    private func subject(_ tenant: TenantID?, _ number: Int = 1, directory: Int = 0) -> Subject {
        Subject(directory: directory, tenant: tenant?.id, user: user(number))
    }
    private func isMarked(_ question: TenantQuestion, _ number: Int = 1, directory: Int = 0, since seconds: Int64 = 100) -> Bool {
        index.wasReactivated(since: seconds, user(number), in: directory, asking: question)
    }

    @Test("the second of the reactivation counts as before it: a token must be from a later one")
    func second() {
        index.noteReactivation(of: subject(tenant("a")), at: 100_999)
        #expect(isMarked(.selected(tenant("a")), since: 99) && isMarked(.selected(tenant("a")), since: 100))
        #expect(!isMarked(.selected(tenant("a")), since: 101))
    }

    @Test("a tenant's reactivation counts where that tenant is asked about, the whole directory's everywhere, nobody else's anywhere")
    func scope() {
        index.noteReactivation(of: subject(tenant("a")), at: 100_000)
        #expect(isMarked(.selected(tenant("a"))) && !isMarked(.selected(tenant("b"))))
        #expect(isMarked(.among([tenant("b"), tenant("a")])) && !isMarked(.among([tenant("b")])) && !isMarked(.among([])))
        #expect(isMarked(.unknown), "in a directory of reach tenant any tenant's counts")
        #expect(!isMarked(.selected(tenant("a")), 2) && !isMarked(.selected(tenant("a")), directory: 1))
        index.noteReactivation(of: subject(tenant("a"), directory: 1), at: 100_000)
        #expect(!isMarked(.unknown, directory: 1), "where the reach is the directory, the directory's counts")
        index.noteReactivation(of: subject(nil, 3, directory: 1), at: 100_000)
        for question in [TenantQuestion.unknown, .selected(tenant("x")), .among([])] { #expect(isMarked(question, 3, directory: 1)) }
    }

    @Test("a later reactivation elsewhere says nothing about an earlier one here")
    func elsewhere() {
        index.noteReactivation(of: subject(tenant("a")), at: 50_000)
        index.noteReactivation(of: subject(tenant("b")), at: 200_000)
        #expect(!isMarked(.selected(tenant("a"))) && isMarked(.selected(tenant("a")), since: 50) && isMarked(.selected(tenant("b"))))
    }
}
