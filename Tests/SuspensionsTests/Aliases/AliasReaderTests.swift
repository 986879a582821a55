import Policy
import Testing

@testable import Suspensions

let emailRule = AliasRule(
    name: "email", field: JSONPointer("/email")!, condition: .field(JSONPointer("/email_verified")!), foldsCase: true)

/// What user objects say of aliases.
@Suite("aliases are read from whole user objects, where verified")
struct AliasReaderTests {
    enum Says: Equatable, Sendable { case nothing, none, alias(String) }

    private static let id = #""id":"usr_1","suspended_at":null"#

    private func readings(
        _ body: String, _ rule: AliasRule = emailRule, list: Bool = false, about: String? = nil, status: Int = 200
    ) -> [AliasReading]? {
        let reader = AliasReader(list ? Samples.rinneList : Samples.rinneSuspend, of: Samples.rinne, rules: [rule])
        return reader?.readings(from: Samples.answer(body, status: status), about: about.map(named))
    }

    @Test(
        "what an object says of its user's alias",
        arguments: [
            (#""email":"Ben@Acme.example","email_verified":true"#, Says.alias("ben@acme.example")),
            (#""email":"ben@acme.example","email_verified":false"#, .none),
            (#""email":"ben@acme.example","email_verified":null"#, .none),
            (#""email":"ben@acme.example","email_verified":"true""#, .none),
            (#""email":"ben@acme.example","email_verified":1"#, .none),
            (#""email":"ben@acme.example""#, .none),
            (#""email":null,"email_verified":true"#, .none),
            (#""email_verified":true"#, .none),
            (#""email":["ben@acme.example"],"email_verified":true"#, .none),
            (#""email":"","email_verified":true"#, .none),
            (#""email":"a\u0007b","email_verified":true"#, .none),
            (#""name":"Ben""#, .nothing),
        ])
    func object(members: String, says: Says) {
        let found = readings("{\(Self.id),\(members)}")
        switch says {
        case .nothing: #expect(found == [])
        case .none: #expect(found == [AliasReading(user: named("usr_1"), rule: emailRule, value: nil)])
        case .alias(let text): #expect(found == [AliasReading(user: named("usr_1"), rule: emailRule, value: Array(text.utf8))])
        }
    }

    @Test("with `always` the field alone says it")
    func always() {
        let rule = AliasRule(name: "email", field: JSONPointer("/email")!, condition: .always)
        #expect(readings(#"{\#(Self.id),"email":"Ben@acme.example"}"#, rule)?.first?.value == Array("Ben@acme.example".utf8))
        #expect(readings(#"{\#(Self.id),"email":null}"#, rule) == [AliasReading(user: named("usr_1"), rule: rule, value: nil)])
        #expect(readings("{\(Self.id)}", rule) == [])
    }

    @Test("no other answer tells anything: another user's, one that isn't whole, an error, a name twice")
    func others() {
        let good = #""email":"ben@acme.example","email_verified":true"#
        #expect(readings("{\(Self.id),\(good)}", about: "usr_1")?.count == 1)
        #expect(readings("{\(Self.id),\(good)}", about: "usr_2") == nil)
        #expect(readings("{\(good)}") == nil)
        #expect(readings(#"{"id":"usr_1","suspended_at":"soon",\#(good)}"#) == nil)
        #expect(readings("{\(Self.id),\(good)}", status: 404) == nil)
        #expect(readings("{\(Self.id),\(good)") == nil)
        #expect(readings(#"{\#(Self.id),"email":"a\u0000b","email_verified":true}"#) == nil)
        #expect(readings(#"{\#(Self.id),\#(good),"email":"olga@acme.example"}"#) == nil)
    }

    @Test("each entry of a list tells for itself")
    func list() {
        let found = readings(
            #"{"data":[{\#(Self.id),"email":"a@x.example","email_verified":true},{"id":7},{"id":"usr_2","email":"b@x.example","email_verified":false}]}"#,
            list: true)
        #expect(found?.map(\.user) == [named("usr_1"), named("usr_2")])
        #expect(found?.map(\.value) == [Array("a@x.example".utf8), nil])
        #expect(readings(#"{"data":{}}"#, list: true) == nil)
    }
}
