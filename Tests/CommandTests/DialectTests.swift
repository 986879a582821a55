import TestSupport
import Testing

@Suite("dialect test")
struct DialectTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var dialect = "rinne"
        var call = "POST /core/v1/users/usr_1/suspend"
        var answer = #"{"id":"usr_1","suspended_at":"2026-03-01T12:00:00Z"}"#
        var more: [String] = []
        var says: String
        var status: Int32 = 0
        var testDescription: String { "\(call) \(more) \(says)" }
    }

    private static let ben = "0b000000-0000-4000-8000-000000000002"

    private static let cases = [
        Case(says: "teaches: user usr_1 is suspended"),
        Case(call: "POST /core/v1/users/{user}/suspend", says: "confirms the call; then the user is refused"),
        Case(answer: #"{"id":"usr_1","suspended_at":null}"#, says: "502 suspension_unconfirmed", status: 1),
        Case(answer: #"{"id":"usr_2","suspended_at":"2026-03-01T12:00:00Z"}"#, says: "the id is not the one in the path", status: 1),
        Case(answer: #"{"id":"usr_1","suspended_at":"yesterday"}"#, says: "not an RFC 3339 date-time", status: 1),
        Case(more: ["--status", "202"], says: "status 202", status: 1),
        Case(more: ["--content-type", "text/html"], says: "Content-Type", status: 1),
        Case(answer: "<html>", says: "not strict JSON", status: 1),
        Case(
            call: "GET /core/v1/users",
            answer: #"{"data":[{"id":"usr_1","suspended_at":"2026-03-01T12:00:00Z"}],"pagination":{"hasNext":false}}"#,
            says: "entry 0 teaches: user usr_1 is suspended"),
        Case(
            dialect: "jitsudo", call: "POST /v1/users/\(ben)/suspend", answer: #"{"id":"\#(ben)","active":true}"#,
            more: ["--body", #"{"active": true}"#], says: "confirms the call; then what was learned about the user is lifted"),
        Case(
            dialect: "jitsudo", call: "POST /v1/users/\(ben)/suspend", answer: #"{"id":"\#(ben)","active":true}"#,
            more: ["--body", #"{"active": false}"#], says: "502 suspension_unconfirmed", status: 1),
    ]

    @Test("an answer is read as the gateway would read it", arguments: cases)
    func reading(_ example: Case) throws {
        let gate = try Tenantgate()
        let file = BuildProducts.repository.appending(path: "config/dialects/\(example.dialect).yaml").path
        let answer = try gate.folder.write(example.answer, to: "answer.json")
        let outcome = try gate.run(["dialect", "test", file, "--call", example.call, "--answer", answer] + example.more)
        #expect(outcome.status == example.status)
        #expect(outcome.output.contains(example.says), "\(outcome.output)\(outcome.errors)")
    }

    @Test("a call that names its user in its body, and whose answer is empty, is read with that body")
    func request() throws {
        let gate = try Tenantgate()
        let text = try String(contentsOf: BuildProducts.repository.appending(path: "config/dialects/rinne.yaml"), encoding: .utf8)
        let call = "{call: \"PUT /state\", answers: nothing, intent: {field: /on, suspend: false}, request: /id, means: asked}"
        let file = try gate.folder.write(text + "\n" + "  - \(call)\n", to: "dialect.yaml")
        let answer = try gate.folder.write("", to: "answer.json")
        func test(_ body: String?) throws -> Tenantgate.Outcome {
            let more = body.map { ["--body", $0] } ?? []
            return try gate.run(
                ["dialect", "test", file, "--call", "PUT /state", "--answer", answer, "--status", "204", "--content-type", ""] + more)
        }
        let good = try test(#"{"id":"usr_1","on":false}"#)
        #expect(good.status == 0 && good.output.contains("teaches: user usr_1 is suspended"), "\(good)")
        let unnamed = try test(nil)
        #expect(unnamed.status == 1 && unnamed.output.contains("neither the call nor the answer says which user is meant"), "\(unnamed)")
        let bad = try test(#"{"on":false}"#)
        #expect(bad.status == 1 && bad.errors.contains("400 bad_request: it doesn't say what is wanted, or of whom"), "\(bad)")
    }

    @Test("a call that the dialect doesn't have is answered with those that it has")
    func unknownCall() throws {
        let gate = try Tenantgate()
        let file = BuildProducts.repository.appending(path: "config/dialects/rinne.yaml").path
        let answer = try gate.folder.write("{}", to: "answer.json")
        let outcome = try gate.run("dialect", "test", file, "--call", "DELETE /core/v1/users/usr_1", "--answer", answer)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("POST /core/v1/users/{user}/activate"))
    }
}
