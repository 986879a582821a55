import Policy
import StrictJSON
import Testing

@testable import Suspensions

@Suite("what a list teaches")
struct ListLessonTests {
    let reader = AnswerReader(Samples.rinneList, of: Samples.rinne)

    private func list(_ entries: String..., more: String = "false") -> ServiceAnswer {
        let page = #""pagination":{"page":1,"limit":20,"total":3,"totalPages":1,"hasNext":\#(more),"hasPrev":false}"#
        return Samples.answer("{\"data\":[\(entries.joined(separator: ","))],\(page)}")
    }

    private func user(_ id: String) -> UserID { Samples.user(id, Samples.rinne) }

    @Test("each entry teaches for itself; one that doesn't fit spoils no other")
    func entries() throws {
        let answer = list(
            Samples.rinneUser(id: "\"a\""), Samples.rinneUser(id: "\"b\"", suspended: nil), "null", "{}",
            Samples.rinneUser(id: "\"c\"", suspended: "17"),
            Samples.rinneUser(id: "7", suspended: "null"))
        let lesson = try reader.list(from: answer)
        #expect(
            lesson.lessons == [
                .teaches(user("a"), .suspended), .teaches(user("b"), .active), .teachesNothing(.notAnObject), .teachesNothing(.noID),
                .teachesNothing(.stateType), .teaches(user("7"), .active),
            ])
        #expect(lesson.hasMore == false)
    }

    @Test("a list that says two things about a user says nothing about him, and both of another")
    func contradiction() throws {
        let answer = list(
            Samples.rinneUser(id: "\"a\""), Samples.rinneUser(id: "\"b\""), Samples.rinneUser(id: "\"a\"", suspended: nil),
            Samples.rinneUser(id: "\"b\""))
        let nothing = Lesson.teachesNothing(.contradiction)
        let both = Lesson.teaches(user("b"), .suspended)
        #expect(try reader.list(from: answer).lessons == [nothing, both, nothing, both])
    }

    @Test(
        "more pages follow where it says so; otherwise nobody knows",
        arguments: [("true", true), ("false", false), ("null", nil), ("\"true\"", nil), ("1", nil)] as [(String, Bool?)])
    func more(json: String, more: Bool?) throws {
        #expect(try reader.list(from: list(more: json)).hasMore == more)
    }

    @Test("a bare array is a list whose items stand at the root")
    func bare() throws {
        let call = Samples.call(.list(items: JSONPointer("")!, more: nil, page: nil))
        let lesson = try AnswerReader(call, of: Samples.rinne).list(from: Samples.answer("[\(Samples.rinneUser())]"))
        #expect(lesson == ListLessonTests.single)
    }

    private static let single = ListLesson(lessons: [.teaches(Samples.user(Samples.rinneID, Samples.rinne), .suspended)], hasMore: nil)

    @Test(
        "a list that isn't there teaches nothing",
        arguments: [
            (Samples.answer("{}"), Silence.noList), (Samples.answer("{\"data\":{}}"), .noList),
            (Samples.answer("{\"data\":null}"), .noList), (Samples.answer("[]"), .noList),
            (Samples.answer("{\"data\":[]}", status: 206), .status(206)),
            (Samples.answer("{\"data\":[]}", type: "text/html"), .contentType),
            (Samples.answer("{\"data\":[]}", coding: "gzip"), .contentCoding), (Samples.answer(""), .empty),
            (Samples.answer("17"), .notAnObject),
            (Samples.answer("{\"data\":[],\"data\":[]}"), .json(JSONError(.duplicateName, at: 11))),
        ])
    func none(answer: ServiceAnswer, silence: Silence) {
        #expect(throws: silence) { try reader.list(from: answer) }
    }

    @Test("a user call teaches no list, and a list call no user")
    func otherCall() {
        #expect(throws: Silence.nothingDeclared) {
            try AnswerReader(Samples.rinneSuspend, of: Samples.rinne).list(from: Samples.answer("{\"data\":[]}"))
        }
        #expect(reader.lesson(from: Samples.answer(Samples.rinneUser()), about: nil) == .teachesNothing(.nothingDeclared))
    }
}
