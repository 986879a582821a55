import Policy
import StrictJSON
import Suspensions
import Testing

@Suite("answers that teach nothing")
struct HostileAnswerTests {
    static let id = Samples.jitsudoID

    /// An answer to JITSudo's suspend call, and why it teaches nothing.
    static let answers: [(String, Silence)] = [
        // Somebody else.
        (Samples.jitsudoUser(id: "8D1F3F2A-6C1B-4E6B-9C1E-0F2B7B1A9E56"), .anotherUser),
        (Samples.jitsudoUser(id: "00000000-0000-0000-0000-000000000000"), .anotherUser),
        // No uuid.
        (Samples.jitsudoUser(id: ""), .idFormat), (Samples.jitsudoUser(id: "8D1F3F2A6C1B4E6B9C1E0F2B7B1A9E55"), .idFormat),
        (Samples.jitsudoUser(id: "{\(id)}"), .idFormat), (Samples.jitsudoUser(id: "urn:uuid:\(id)"), .idFormat),
        (Samples.jitsudoUser(id: " \(id)"), .idFormat), (Samples.jitsudoUser(id: "\(id) "), .idFormat),
        (Samples.jitsudoUser(id: "\(id)\\n"), .idFormat),
        (Samples.jitsudoUser(id: "８D1F3F2A-6C1B-4E6B-9C1E-0F2B7B1A9E55"), .idFormat),
        (Samples.jitsudoUser(id: "%38D1F3F2A-6C1B-4E6B-9C1E-0F2B7B1A9E55"), .idFormat),
        (#"{"active":false}"#, .noID), (#"{"Id":"\#(id)","active":false}"#, .noID), (#"{"ID":"\#(id)","active":false}"#, .noID),
        (#"{"id":null,"active":false}"#, .idType), (#"{"id":["\#(id)"],"active":false}"#, .idType),
        (#"{"id":{"id":"\#(id)"},"active":false}"#, .idType),
        (#"{"id":true,"active":false}"#, .idType), (#"{"id":17.5,"active":false}"#, .idType), (#"{"id":17,"active":false}"#, .idFormat),
        (#"{"user":{"id":"\#(id)","active":false}}"#, .noID), (#"{"data":{"id":"\#(id)","active":false}}"#, .noID),
        // No state.
        (#"{"id":"\#(id)"}"#, .noState), (#"{"id":"\#(id)","Active":false}"#, .noState), (#"{"id":"\#(id)","active ":false}"#, .noState),
        (#"{"id":"\#(id)","user":{"active":false}}"#, .noState),
        (Samples.jitsudoUser(active: "\"false\""), .stateType), (Samples.jitsudoUser(active: "0"), .stateType),
        (Samples.jitsudoUser(active: "null"), .stateType),
        (Samples.jitsudoUser(active: "\"\""), .stateType), (Samples.jitsudoUser(active: "[]"), .stateType),
        (Samples.jitsudoUser(active: "{}"), .stateType),
        (Samples.jitsudoUser(active: "[false]"), .stateType), (Samples.jitsudoUser(active: "\"2026-01-01T00:00:00Z\""), .stateType),
        // No object.
        ("null", .notAnObject), ("false", .notAnObject), ("\"\(id)\"", .notAnObject), ("17", .notAnObject), ("[]", .notAnObject),
        ("[\(Samples.jitsudoUser())]", .notAnObject), ("", .empty),
    ]

    @Test("a JITSudo answer that doesn't say it of this user in this form teaches nothing", arguments: answers)
    func jitsudo(body: String, silence: Silence) {
        #expect(Samples.jitsudoLesson(Samples.answer(body)) == .teachesNothing(silence))
    }

    /// A text that is not strict JSON, with `ID` for the user's id.
    static let damaged: [(String, JSONError.Reason)] = [
        (#"{"id":"ID","active":true,"active":false}"#, .duplicateName), (#"{"id":"ID","active":false,"\u0061ctive":true}"#, .duplicateName),
        (#"{"id":"ID","id":"other","active":false}"#, .duplicateName), (#"{"id":"ID","active":false,"x":{"a":1,"a":2}}"#, .duplicateName),
        (#"{"id":"ID","active":false,"x":[[{"a":1,"\u0061":2}]]}"#, .duplicateName), (#"{"id":"ID","active":False}"#, .unexpectedByte),
        (#"{"id":"ID","active":false,}"#, .unexpectedByte), (#"{'id':'ID','active':false}"#, .unexpectedByte),
        (#"{id:"ID",active:false}"#, .unexpectedByte), (#"{"id":"ID","active":false} {}"#, .trailingBytes),
        (#"{"id":"ID","active":false}<!-- -->"#, .trailingBytes), (#"{"id":"ID","active":false"#, .unexpectedEnd),
        (#"{"id":"ID","active":fals"#, .unexpectedEnd), (#"{"id":"ID","active":false/*,"x":1*/}"#, .unexpectedByte),
        (#"{"id":"ID\u0000","active":false}"#, .nul), (#"{"id":"ID","active":false,"n":"\ud800"}"#, .loneSurrogate),
        ("\u{FEFF}{\"id\":\"ID\",\"active\":false}", .byteOrderMark),
        ("<!DOCTYPE html><html><body>suspended</body></html>", .unexpectedByte),
        (")]}',\n{\"id\":\"ID\",\"active\":false}", .unexpectedByte), ("callback({})", .unexpectedByte),
        ("id=ID&active=false", .unexpectedByte),
        ("{\"id\":\"ID\",\"active\":false,\"n\":\"\u{1}\"}", .controlCharacter), ("OK", .unexpectedByte), (" ", .unexpectedEnd),
        (#"{"id":"ID","active":false,"n":01}"#, .invalidNumber),
    ]

    @Test("an answer that is not strict JSON teaches nothing", arguments: damaged)
    func notStrict(body: String, reason: JSONError.Reason) {
        let lesson = Samples.jitsudoLesson(Samples.answer(body.replacing("ID", with: Self.id)))
        guard case .teachesNothing(.json(let error)) = lesson else {
            Issue.record("\(lesson)")
            return
        }
        #expect(error.reason == reason)
    }

    @Test(
        "bytes that are not text teach nothing",
        arguments: [
            [0x8B, 0x02, 0x80, 0x7B, 0x7D, 0x03], [0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03],
            [0x28, 0xB5, 0x2F, 0xFD, 0x24, 0x02],
            [0x7B, 0x00, 0x7D, 0x00], [0x00, 0x7B, 0x00, 0x7D], [0xFF, 0xFE, 0x7B, 0x00], [0xFE, 0xFF, 0x00, 0x7B], [0x00], [0xFF],
            [0x16, 0x03, 0x03],
        ] as [[UInt8]])
    func notText(body: [UInt8]) {
        guard case .teachesNothing(.json) = Samples.jitsudoLesson(ServiceAnswer(status: 200, contentType: Samples.json, body: body)) else {
            Issue.record("it taught")
            return
        }
    }

    @Test(
        "a Rinne answer whose `suspended_at` is neither a date-time nor null teaches nothing",
        arguments: [
            ("\"\"", Silence.stateDate), ("\"null\"", .stateDate), ("\"never\"", .stateDate), ("\"2026-01-02\"", .stateDate),
            ("\"2026-01-02 03:04:05Z\"", .stateDate),
            ("\"2026-02-30T00:00:00Z\"", .stateDate), ("\"2026-01-02T24:00:00Z\"", .stateDate), ("\"2026-01-02T03:04:05\"", .stateDate),
            ("\"1767323045\"", .stateDate), ("\"0000-00-00T00:00:00Z\"", .stateDate), ("true", .stateType), ("false", .stateType),
            ("0", .stateType),
            ("1767323045", .stateType), ("1767323045000", .stateType), ("{}", .stateType), ("[]", .stateType), ("[null]", .stateType),
            ("{\"$date\":\"2026-01-02T03:04:05Z\"}", .stateType),
        ])
    func rinneState(suspended: String, silence: Silence) {
        #expect(Samples.rinneLesson(Samples.answer(Samples.rinneUser(suspended: suspended))) == .teachesNothing(silence))
    }

    @Test(
        "a Rinne answer about another id teaches nothing: string ids compare by their bytes",
        arguments: [
            ("\"USR_9F8E7D\"", Silence.anotherUser), ("\"usr_9f8e7d \"", .anotherUser), ("\"usr_9f8e7\"", .anotherUser),
            ("\"usr%5F9f8e7d\"", .anotherUser),
            ("\"usr_9f8e7d0\"", .anotherUser), ("9", .anotherUser), ("\"\"", .idFormat), ("\"usr_9f8e7d\\n\"", .idFormat),
            ("\"usr_9f8e7d\\u007f\"", .idFormat),
            ("\"" + String(repeating: "x", count: 257) + "\"", .idFormat), ("null", .idType),
        ])
    func rinneID(id: String, silence: Silence) {
        #expect(Samples.rinneLesson(Samples.answer(Samples.rinneUser(id: id))) == .teachesNothing(silence))
    }

    @Test("two spellings of é are two ids")
    func canonicalEquivalence() {
        let answer = Samples.answer(Samples.rinneUser(id: "\"e\u{301}\""))
        #expect(Samples.rinneLesson(answer, about: "\u{E9}") == .teachesNothing(.anotherUser))
    }

    @Test(
        "a body in a coding teaches nothing, whatever it looks like",
        arguments: ["gzip", "br", "zstd", "deflate", "identity, gzip", "gzip, identity", "", "x"])
    func codings(coding: String) {
        #expect(Samples.jitsudoLesson(Samples.answer(Samples.jitsudoUser(), coding: coding)) == .teachesNothing(.contentCoding))
    }

    @Test("`identity`, in any case, is no coding", arguments: ["identity", "Identity", " identity "])
    func identity(coding: String) {
        guard case .teaches = Samples.jitsudoLesson(Samples.answer(Samples.jitsudoUser(), coding: coding)) else {
            Issue.record("it taught nothing")
            return
        }
    }
}
