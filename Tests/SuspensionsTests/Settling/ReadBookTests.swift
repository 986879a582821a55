import Policy
import Testing

@testable import Suspensions

/// Who is read when.
@Suite("the book of users to be read")
struct ReadBookTests {
    private let second: Int64 = 1_000_000_000

    @Test("at most so many of a directory at a time, in the order in which they are due; another directory has its own")
    func bounded() throws {
        var book = ReadBook()
        for number in 0..<20 { book.enter(person(number), due: Int64(number)) }
        book.enter(uuidUser, due: 5)
        let begun = book.begin(at: second, 0) { _ in false }
        #expect(Set(begun.map(\.subject)) == Set((0..<Limits.readsAtOnce).map(person) + [uuidUser]))
        #expect(book.begin(at: second, 0) { _ in false }.isEmpty && book.running == begun.count)
        let first = try #require(begun.first { $0.subject != uuidUser })
        #expect(book.ended(first.subject, first.read.number, isSick: false, at: second, spread: 0) == first.read)
        #expect(book.begin(at: second, 0) { _ in false }.count == 1)
    }

    @Test("a service that fails is left alone longer and longer, then one read tries it")
    func sick() {
        var book = ReadBook()
        for number in 0..<20 { book.enter(person(number), due: 0) }
        var now: Int64 = 0
        for read in book.begin(at: now, 0, isBusy: { _ in false }) {
            _ = book.ended(read.subject, read.read.number, isSick: true, at: now, spread: 0.5)
            book.again(read.subject, at: now, spread: 0)
        }
        var pauses: [Int64] = []
        for _ in 0..<9 {
            let start = now
            while true {
                let begun = book.begin(at: now, 0) { _ in false }
                if let read = begun.first {
                    #expect(begun.count == 1)
                    _ = book.ended(read.subject, read.read.number, isSick: true, at: now, spread: 0.5)
                    break
                }
                now += second / 4
            }
            pauses.append((now - start) / second)
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60])
        // It answers again: all of its places are free.
        now += 100 * second
        let read = book.begin(at: now, 0) { _ in false }[0]
        _ = book.ended(read.subject, read.read.number, isSick: false, at: now, spread: 0)
        #expect(book.begin(at: now, 0) { _ in false }.count == Limits.readsAtOnce)
    }

    @Test("reads of a user come ever more rarely, but one when lost calls can't come any more")
    func again() {
        var book = ReadBook()
        book.enter(anna, lateUntil: 10 * second, due: 0)
        var now: Int64 = 0
        var times: [Int64] = []
        for _ in 0..<14 {
            var begun = book.begin(at: now, 0) { _ in false }
            while begun.isEmpty {
                now += second / 4
                begun = book.begin(at: now, 0) { _ in false }
            }
            times.append(now / second)
            _ = book.ended(anna, begun[0].read.number, isSick: false, at: now, spread: 0)
            book.again(anna, at: now, spread: 0.5)
        }
        #expect(times == [0, 1, 3, 7, 10, 26, 58, 122, 250, 506, 806, 1106, 1406, 1706])
    }

    @Test("whose call is on its way waits for its end; who has no credential for a new one")
    func waiting() {
        var book = ReadBook()
        book.enter(anna, due: 0)
        #expect(book.begin(at: 1, 0) { $0 == anna }.isEmpty)
        #expect(book.begin(at: 2, 0) { _ in false }.isEmpty)
        book.turnIsFree(of: anna)
        let read = book.begin(at: 3, 4) { _ in false }[0].read
        #expect(read.asked == 3 && read.mark == 4)
        _ = book.ended(anna, read.number, isSick: false, at: 4, spread: 0)
        book.rest(anna)
        #expect(book.begin(at: .max - 1, 0) { _ in false }.isEmpty)
        book.wake(at: 9)
        #expect(book.begin(at: 9, 0) { _ in false }.count == 1)
    }

    @Test("an answer for which nobody waits any more is none")
    func forgotten() {
        var book = ReadBook()
        book.enter(anna, due: 0)
        let read = book.begin(at: 0, 0) { _ in false }[0].read
        book.remove(anna)
        book.enter(anna, due: 0)
        #expect(book.ended(anna, read.number, isSick: false, at: 1, spread: 0) == nil)
        #expect(book.begin(at: 1, 0) { _ in false }.count == 1)
    }

    @Test("a full book takes nobody new, and no touch is forgotten when there are too many")
    func full() {
        var book = ReadBook()
        for number in 0...Limits.usersToRead { book.enter(person(number), due: .max) }
        #expect(book.entries.count == Limits.usersToRead && book.isFull)
        var touches = Touches()
        let before = touches.mark
        for number in 0...Limits.touchedUsers { touches.note(person(number)) }
        #expect(touches.isTouched(person(0), since: before) && !touches.isTouched(person(0), since: touches.mark))
    }
}
