import Policy
import Suspensions
import Testing

@Suite("what a suspend call wants")
struct IntentReadingTests {
    private func wanted(_ intent: DialectCall.Intent, _ body: String, type: String? = "application/json", coding: String? = nil)
        throws(Denial) -> UserState
    {
        try Self.reading(intent).read(
            body: Array(body.utf8), contentType: type.map { Array($0.utf8) }, contentEncoding: coding.map { Array($0.utf8) }
        ).wanted
    }

    private static func reading(
        _ intent: DialectCall.Intent, request: String? = nil, of dialect: Dialect = Samples.jitsudo
    ) -> IntentReading {
        IntentReading(Samples.call(.user, intent: intent, request: request), of: dialect)!
    }

    private static let id = "8d1f3f2a-6c1b-4e6b-9c1e-0f2b7b1a9e55"

    @Test(
        "where the path names nobody the body does, in the dialect's id format",
        arguments: [
            (#"{"user_id":"\#(id)","active":false}"#, UserState.suspended), (#"{"active":true,"user_id":"\#(id.uppercased())"}"#, .active),
            (#"{"\u0075ser_id":"\#(id)","active":false,"x":{"user_id":1}}"#, .suspended),
        ])
    func named(body: String, state: UserState) throws {
        let found = try Self.reading(Samples.jitsudoIntent, request: "/user_id").read(body: Array(body.utf8), contentType: nil)
        #expect(found.wanted == state && found.user == Samples.user(Self.id, Samples.jitsudo))
    }

    @Test("an integer is its digits where ids are strings, and the pointer may go deeper; the call itself may decide")
    func namedByNumber() throws {
        let reading = Self.reading(.suspend, request: "/user/id", of: Samples.rinne)
        let found = try reading.read(body: Array(#"{"user":{"id":9007199254740993}}"#.utf8), contentType: nil)
        #expect(found.wanted == .suspended && found.user == Samples.user("9007199254740993", Samples.rinne))
    }

    @Test(
        "a body that names nobody, or somebody in two ways, is a bad request",
        arguments: [
            "", "{}", #"{"active":false}"#, #"{"user_id":null,"active":false}"#, #"{"user_id":["\#(id)"],"active":false}"#,
            #"{"user_id":"\#(id)","user_id":"\#(id)","active":false}"#, #"{"user_id":"\#(id)","User_ID":"x","active":false}"#,
            #"{"USER_ID":"\#(id)","active":false}"#, #"{"user_id":"\#(id) ","active":false}"#, #"{"user_id":"ben","active":false}"#,
            #"{"user_id":"","active":false}"#, #"{"user_id":7,"active":false}"#, #"{"user_id":{"id":"\#(id)"},"active":false}"#,
            #"[{"user_id":"\#(id)","active":false}]"#, #"{"user_id":"\#(id)"}"#, #"{"user_id":"\#(id)","active":false}x"#,
        ])
    func unnamed(body: String) {
        #expect(throws: Denial.badRequest) {
            try Self.reading(Samples.jitsudoIntent, request: "/user_id").read(body: Array(body.utf8), contentType: nil)
        }
        #expect(throws: Denial.badRequest) {
            try Self.reading(.suspend, request: "/user_id").read(
                body: Array(body.replacing(#","active":false"#, with: "").replacing(#""user_id":"\#(Self.id)"}"#, with: "}").utf8),
                contentType: nil)
        }
    }

    @Test(
        "JITSudo's body decides by `active`",
        arguments: [
            (#"{"active":false}"#, UserState.suspended), (#"{"active":true}"#, .active), (#" { "active" : false } "#, .suspended),
            (#"{"\u0061ctive":false}"#, .suspended),
            (#"{"reason":"left","active":false}"#, .suspended), (#"{"active":true,"x":{"active":false}}"#, .active),
        ])
    func field(body: String, state: UserState) throws {
        #expect(try wanted(Samples.jitsudoIntent, body) == state)
        #expect(try wanted(Samples.jitsudoIntent, body, type: nil) == state)
        #expect(try wanted(Samples.jitsudoIntent, body, type: "application/merge-patch+json; charset=utf-8", coding: "identity") == state)
    }

    @Test(
        "a body that doesn't say it, or says it in two ways, is a bad request",
        arguments: [
            "", " ", "{}", "null", "true", "false", "[]", "[false]", "0", "\"active\"", #"{"active":null}"#, #"{"active":"false"}"#,
            #"{"active":0}"#, #"{"active":1}"#,
            #"{"active":[]}"#, #"{"active":{}}"#, #"{"active":""}"#, #"{"Active":false}"#, #"{"ACTIVE":false}"#, #"{"active ":false}"#,
            #"{"user":{"active":false}}"#,
            #"{"active":false,"active":true}"#, #"{"active":false,"active":false}"#, #"{"active":false,"\u0061ctive":true}"#,
            #"{"active":false,"Active":true}"#,
            #"{"ACTIVE":true,"active":false}"#, #"{"active":false,"x":{"a":1,"a":2}}"#, #"{"active":false,}"#, #"{"active":false}{}"#,
            #"{"active":false} x"#,
            #"{"active":false"#, #"{"active":False}"#, #"{'active':false}"#, "{active:false}", "active=false", "active: false",
            #"{"active":false,"n":"\u0000"}"#,
            #"{"active":false,"n":"\ud800"}"#, "\u{FEFF}{\"active\":false}", "{\"active\":false,\"n\":\"\n\"}", #"{"active":false/**/}"#,
            "[{\"active\":false}]",
            "{\"active\":false,\"n\":\"" + String(repeating: "x", count: Limits.intentBody) + "\"}",
            "{\"active\":false,\"n\":" + String(repeating: "[", count: 64) + String(repeating: "]", count: 64) + "}",
        ])
    func ambiguous(body: String) {
        #expect(throws: Denial.badRequest) { try wanted(Samples.jitsudoIntent, body) }
    }

    @Test("bytes that are not UTF-8 are a bad request")
    func notUTF8() {
        let body = Array("{\"active\":false,\"n\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8)
        #expect(throws: Denial.badRequest) { try Self.reading(Samples.jitsudoIntent).read(body: body, contentType: nil) }
    }

    @Test(
        "a body of another type or in a coding is a bad request",
        arguments: [
            ("text/plain", nil), ("application/x-www-form-urlencoded", nil), ("application/json; charset=utf-16", nil),
            ("application/json, application/json", nil), ("", nil),
            ("application/json", "gzip"), ("application/json", "br"), ("application/json", "identity, gzip"), ("application/json", ""),
        ] as [(String, String?)])
    func types(type: String, coding: String?) {
        for intent in [Samples.jitsudoIntent, .suspend, .activate] {
            #expect(throws: Denial.badRequest) { try wanted(intent, #"{"active":false}"#, type: type, coding: coding) }
        }
    }

    @Test(
        "where the call decides, no body, `{}` and any object will do",
        arguments: ["", "{}", " {} ", #"{"reason":"left"}"#, #"{"active":true}"#])
    func noBody(body: String) throws {
        #expect(try wanted(.suspend, body) == .suspended)
        #expect(try wanted(.activate, body) == .active)
        #expect(try wanted(.suspend, body, type: nil) == .suspended)
    }

    @Test("where the call decides and there is no body, its type is nobody's concern")
    func emptyOfAnyType() throws {
        #expect(try wanted(.suspend, "", type: "application/x-www-form-urlencoded") == .suspended)
        #expect(throws: Denial.badRequest) { try wanted(.suspend, "", coding: "gzip") }
    }

    @Test(
        "where the call decides, any other body is a bad request",
        arguments: [" ", "null", "[]", "0", "\"\"", "true", "{", "{}{}", "{} x", #"{"a":1,"a":2}"#, "a=b", "\u{0}"])
    func otherBody(body: String) {
        #expect(throws: Denial.badRequest) { try wanted(.suspend, body) }
        #expect(throws: Denial.badRequest) { try wanted(.activate, body) }
    }

    @Test("a field may stand deeper and mean suspend by `true`")
    func deepField() throws {
        let intent = DialectCall.Intent.field(JSONPointer("/status/suspended")!, suspend: true)
        #expect(try wanted(intent, #"{"status":{"suspended":true}}"#) == .suspended)
        #expect(try wanted(intent, #"{"status":{"suspended":false}}"#) == .active)
        for body in [
            #"{"status":true}"#, #"{"status":{}}"#, #"{"status":[true]}"#, #"{"status":{"suspended":true},"Status":{}}"#,
            #"{"status":{"suspended":true,"SUSPENDED":false}}"#,
        ] {
            #expect(throws: Denial.badRequest) { try wanted(intent, body) }
        }
    }
}
