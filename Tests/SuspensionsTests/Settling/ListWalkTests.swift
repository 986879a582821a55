import Policy
import Testing

@testable import Suspensions

/// Which lists are whole.
@Suite("a list of users, page by page")
struct ListWalkTests {
    private static let list = UserList(directory: 1, tenant: nil, credential: 0, hasPages: true)

    private func entry(_ name: String, _ state: UserState = .active) -> Lesson { .teaches(named(name), state) }
    private func subject(_ name: String) -> Subject { Subject(directory: 1, tenant: nil, user: named(name)) }
    private func page(_ lessons: [Lesson], more: Bool? = true, total: Int? = nil) -> ListLesson {
        ListLesson(lessons: lessons, hasMore: more, total: total)
    }

    @Test("what differs from what is known is found, with the moment at which its page was asked for")
    func differences() throws {
        let (a, b) = (subject("a"), subject("b"))
        var walk = ListWalk(Self.list) { $0 == a || $0 == b }
        #expect(try walk.take(page([entry("a"), entry("b", .suspended), entry("c", .suspended)]), 7))
        #expect(try !walk.take(page([entry("d"), .teachesNothing(.noState)], more: false, total: 5), 9))
        let c = Finding(subject: subject("c"), state: .suspended, mark: 7)
        #expect(walk.findings == [Finding(subject: a, state: .active, mark: 7), c])
        #expect(walk.users == 4 && walk.pages == 2 && walk.silent == 1 && walk.doubtful.isEmpty)
    }

    @Test("who comes with two states is doubtful, and who comes twice with one isn't")
    func twice() throws {
        var walk = ListWalk(Self.list) { _ in false }
        _ = try walk.take(page([entry("a", .suspended), entry("b")]), 1)
        _ = try walk.take(page([entry("b"), entry("a")], more: false), 2)
        #expect(walk.doubtful == [subject("a")])
    }

    @Test("what says that it is not the whole is refused")
    func halves() throws {
        func refused(_ pages: [ListLesson], list: UserList = Self.list) -> String? {
            var walk = ListWalk(list) { _ in false }
            do throws(ReadFailure) {
                for page in pages { _ = try walk.take(page, 1) }
                return nil
            } catch {
                return error.description
            }
        }
        let one = [entry("a"), entry("b")]
        #expect(refused([page(one, more: nil)])?.contains("doesn't say whether more follow") == true)
        #expect(refused([page([], more: true)])?.contains("is empty, but says that more follow") == true)
        #expect(refused([page(one), page(one, more: false)])?.contains("is one that came before") == true)
        #expect(refused([page(one, more: false, total: 3)])?.contains("says that there are 3") == true)
        #expect(refused([page([.teachesNothing(.noState)], more: false)])?.contains("nothing in it says who is suspended") == true)
        #expect(refused([page(one), page([], more: false, total: 2)]) == nil)
        #expect(refused([page(one, more: false, total: 1)]) == nil)
        let single = UserList(directory: 1, tenant: nil, credential: 0, hasPages: false)
        #expect(refused([page(one, more: nil)], list: single) == nil)
    }

    @Test("a list without an end is given up")
    func endless() throws {
        var walk = ListWalk(Self.list) { _ in false }
        #expect(throws: ReadFailure.self) {
            for number in 0...Limits.reconcilePages { _ = try walk.take(page([entry("u\(number)")]), 1) }
        }
        #expect(walk.pages == Limits.reconcilePages && walk.findings.isEmpty)
    }
}
