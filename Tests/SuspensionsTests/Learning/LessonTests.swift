import Policy
import StrictJSON
import TestSupport
import Testing

@testable import Suspensions

@Suite("what one answer teaches")
struct LessonTests {
    @Test("JITSudo's user teaches by `active`", arguments: [("false", UserState.suspended), ("true", .active)])
    func jitsudo(active: String, state: UserState) {
        let answer = Samples.answer(Samples.jitsudoUser(active: active))
        #expect(Samples.jitsudoLesson(answer) == .teaches(Samples.user(Samples.jitsudoID, Samples.jitsudo), state))
    }

    @Test(
        "Rinne's user teaches by `suspended_at`: a date-time, or null or absent",
        arguments: [
            ("\"2026-01-02T03:04:05Z\"", UserState.suspended), ("\"2026-01-02T03:04:05.999+02:00\"", .suspended), ("null", .active),
            (nil, .active),
        ] as [(String?, UserState)])
    func rinne(suspended: String?, state: UserState) {
        let answer = Samples.answer(Samples.rinneUser(suspended: suspended))
        #expect(Samples.rinneLesson(answer) == .teaches(Samples.user(Samples.rinneID, Samples.rinne), state))
    }

    @Test(
        "a uuid in the answer is the path's in either case",
        arguments: [Samples.jitsudoID, Samples.jitsudoID.lowercased(), "8d1f3F2A-6c1b-4E6B-9c1e-0f2b7b1a9e55"])
    func uuidCase(id: String) {
        let lesson = Samples.jitsudoLesson(Samples.answer(Samples.jitsudoUser(id: id)), about: Samples.jitsudoID.lowercased())
        #expect(lesson == .teaches(Samples.user(Samples.jitsudoID, Samples.jitsudo), .suspended))
    }

    @Test(
        "a string id may be escaped, and an integer counts as its digits",
        arguments: [
            (#""usr\u005f9f8e7d""#, "usr_9f8e7d"), ("42", "42"), ("-7", "-7"), ("0", "0"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("9007199254740993", "9007199254740993"), (#""42""#, "42"), (#""a\/b""#, "a/b"), (#""\u00e9""#, "é"), ("\"😀\"", "😀"),
        ])
    func ids(json: String, id: String) {
        let lesson = Samples.rinneLesson(Samples.answer(Samples.rinneUser(id: json)), about: id)
        #expect(lesson == .teaches(Samples.user(id, Samples.rinne), .suspended))
    }

    @Test("an integer is an id only as it is written in digits", arguments: ["42.0", "4.2e1", "42e0", "-0", "0.0", "1E2"])
    func idNumbers(json: String) {
        for id in ["42", "0", "-0", "100", json] {
            #expect(Samples.rinneLesson(Samples.answer(Samples.rinneUser(id: json)), about: id) == .teachesNothing(.idType))
        }
    }

    @Test("a 350 KB avatar before the state doesn't matter, nor one escaped throughout")
    func avatar() {
        for piece in ["iVBORw0KGgoAAAAN", #"iVBORw0K\/goAAAA"#] {
            let body = Samples.jitsudoUser(avatar: "\"" + String(repeating: piece, count: 22_400) + "\"")
            // The state stands behind it too.
            let swapped = body.replacing("\"active\":false,", with: "").replacing("}", with: ",\"active\":false}")
            for text in [body, swapped] {
                #expect(
                    Samples.jitsudoLesson(Samples.answer(text)) == .teaches(Samples.user(Samples.jitsudoID, Samples.jitsudo), .suspended))
            }
        }
    }

    @Test("whatever is more than a megabyte teaches nothing")
    func tooLarge() {
        let body = Samples.jitsudoUser(avatar: "\"" + String(repeating: "A", count: 2 << 20) + "\"")
        #expect(Samples.jitsudoLesson(Samples.answer(body)) == .teachesNothing(.json(JSONError(.tooLarge, at: Limits.learnedAnswer))))
    }

    @Test("every beginning of an answer teaches nothing")
    func truncated() {
        let body = Samples.answer(Samples.jitsudoUser()).body
        for count in body.indices {
            let lesson = Samples.jitsudoLesson(ServiceAnswer(status: 200, contentType: Samples.json, body: Array(body[..<count])))
            guard case .teachesNothing = lesson else {
                Issue.record("\(count) bytes teach \(lesson)")
                continue
            }
        }
    }

    @Test("an answer whose bytes were damaged never teaches about another user")
    func damaged() {
        var random = SeededRandom(seed: 3)
        let body = Samples.answer(Samples.jitsudoUser()).body
        let user = Samples.user(Samples.jitsudoID, Samples.jitsudo)
        for _ in 0..<4000 {
            var copy = body
            copy[Int.random(in: 0..<copy.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            let lesson = Samples.jitsudoLesson(ServiceAnswer(status: 200, contentType: Samples.json, body: copy))
            if case .teaches(let named, _) = lesson { #expect(named == user) }
        }
    }

    @Test("a path that names nobody learns about whom the answer names")
    func anybody() {
        let reader = AnswerReader(Samples.jitsudoSuspend, of: Samples.jitsudo)
        let lesson = reader.lesson(from: Samples.answer(Samples.jitsudoUser()), about: nil)
        #expect(lesson == .teaches(Samples.user(Samples.jitsudoID, Samples.jitsudo), .suspended))
    }

    @Test("the statuses that teach are 200 and 201", arguments: 100...599)
    func statuses(status: Int) {
        let lesson = Samples.jitsudoLesson(Samples.answer(Samples.jitsudoUser(), status: status))
        if status == 200 || status == 201 {
            #expect(lesson == .teaches(Samples.user(Samples.jitsudoID, Samples.jitsudo), .suspended))
        } else {
            #expect(lesson == .teachesNothing(.status(status)))
        }
    }

    @Test("pointers of several steps lead to the id and the state, and a missing holder is not `absent`")
    func deepShape() {
        var dialect = Samples.rinne
        dialect.user = UserShape(id: JSONPointer("/data/0/uid")!, suspended: JSONPointer("/data/0/state/suspended~1at")!, test: .dateTime)
        let reader = AnswerReader(Samples.rinneSuspend, of: dialect)
        let user = Samples.user("7", dialect)
        let answers: [(String, Lesson)] = [
            (#"{"data":[{"uid":7,"state":{"suspended/at":"2026-01-01T00:00:00Z"}}]}"#, .teaches(user, .suspended)),
            (#"{"data":[{"uid":7,"state":{"suspended/at":null}}]}"#, .teaches(user, .active)),
            (#"{"data":[{"uid":7,"state":{}}]}"#, .teaches(user, .active)),
            (#"{"data":[{"uid":7}]}"#, .teachesNothing(.noState)),
            (#"{"data":[{"uid":7,"state":null}]}"#, .teachesNothing(.noState)),
            (#"{"data":[{"uid":7,"state":[]}]}"#, .teachesNothing(.noState)),
            (#"{"data":[]}"#, .teachesNothing(.noID)),
        ]
        for (body, lesson) in answers { #expect(reader.lesson(from: Samples.answer(body), about: user) == lesson, "\(body)") }
    }

    @Test("an answer without a body teaches what the call `means`, by 200, 201 and 204 only")
    func means() {
        let user = Samples.user(Samples.jitsudoID, Samples.jitsudo)
        let call = Samples.call(.nothing, intent: .suspend, means: .state(.suspended))
        let reader = AnswerReader(call, of: Samples.jitsudo)
        for status in [200, 201, 204] {
            #expect(reader.lesson(from: Samples.answer("", status: status, type: nil), about: user) == .teaches(user, .suspended))
        }
        for status in [100, 199, 202, 203, 205, 206, 304, 404, 500] {
            #expect(reader.lesson(from: Samples.answer("", status: status, type: nil), about: user) == .teachesNothing(.status(status)))
        }
        #expect(reader.lesson(from: Samples.answer("", status: 204), about: nil) == .teachesNothing(.nobodyNamed))
        #expect(reader.lesson(from: Samples.answer("{}"), about: user) == .teachesNothing(.nothingDeclared))
    }

    @Test("an answer without a body may stand for what was asked for, where that is known")
    func meansAsked() {
        let user = Samples.user(Samples.jitsudoID, Samples.jitsudo)
        let reader = AnswerReader(Samples.call(.nothing, intent: Samples.jitsudoIntent, means: .asked), of: Samples.jitsudo)
        let empty = Samples.answer("", status: 204, type: nil)
        for state in UserState.allCases { #expect(reader.lesson(from: empty, about: user, asked: state) == .teaches(user, state)) }
        #expect(reader.lesson(from: empty, about: user) == .teachesNothing(.nothingAsked))
        #expect(reader.lesson(from: empty, about: nil, asked: .active) == .teachesNothing(.nobodyNamed))
        #expect(
            reader.lesson(from: Samples.answer("", status: 202), about: user, asked: .active) == .teachesNothing(.status(202)))
    }

    @Test("with both, a body is read and an empty one means")
    func meansOrUser() {
        let user = Samples.user(Samples.jitsudoID, Samples.jitsudo)
        let reader = AnswerReader(Samples.call(.user, intent: .suspend, means: .state(.suspended)), of: Samples.jitsudo)
        #expect(reader.lesson(from: Samples.answer("", status: 204), about: user) == .teaches(user, .suspended))
        #expect(reader.lesson(from: Samples.answer(Samples.jitsudoUser(active: "true")), about: user) == .teaches(user, .active))
        #expect(reader.lesson(from: Samples.answer("{}"), about: user) == .teachesNothing(.noID))
    }

    @Test("without a shape nothing is learned")
    func noShape() {
        var dialect = Samples.jitsudo
        dialect.user = nil
        let lesson = AnswerReader(Samples.jitsudoSuspend, of: dialect).lesson(from: Samples.answer(Samples.jitsudoUser()), about: nil)
        #expect(lesson == .teachesNothing(.nothingDeclared))
    }
}
