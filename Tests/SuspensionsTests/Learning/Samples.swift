import Policy
import Suspensions

/// The two reference dialects as far as answers go, and answers as their services give them.
enum Samples {
    static let jitsudoID = "8D1F3F2A-6C1B-4E6B-9C1E-0F2B7B1A9E55"
    static let rinneID = "usr_9f8e7d"

    static func call(
        _ answers: DialectCall.Answer, intent: DialectCall.Intent? = nil, request: String? = nil, means: DialectCall.Meaning? = nil
    ) -> DialectCall {
        let path = request == nil ? "/users/{user}/call" : "/users/call"
        return DialectCall(
            method: Array("POST".utf8), pattern: try! PathPattern(path), answers: answers, intent: intent,
            request: request.map { JSONPointer($0)! }, means: means, text: "POST \(path)")
    }

    static let jitsudoIntent = DialectCall.Intent.field(JSONPointer("/active")!, suspend: false)
    static let jitsudoSuspend = call(.user, intent: jitsudoIntent)
    static let rinneSuspend = call(.user, intent: .suspend)
    static let rinneList = call(.list(items: JSONPointer("/data")!, more: JSONPointer("/pagination/hasNext")!, page: "page"))

    static let jitsudo = Dialect(
        name: "jitsudo", tenant: .required, tenantFormat: .uuid, reach: .tenant, errors: .flat, idFormat: .uuid,
        user: UserShape(id: JSONPointer("/id")!, suspended: JSONPointer("/active")!, test: .boolean(suspended: false)),
        calls: [jitsudoSuspend])

    static let rinne = Dialect(
        name: "rinne", tenant: .optional, tenantFormat: .string, reach: .directory, errors: .nested, idFormat: .string,
        user: UserShape(id: JSONPointer("/id")!, suspended: JSONPointer("/suspended_at")!, test: .dateTime),
        calls: [rinneSuspend, rinneList])

    static func jitsudoUser(id: String = jitsudoID, active: String = "false", avatar: String = "null") -> String {
        """
        {"id":"\(id)","email":"ann@example.com","name":"Ann \\u00c9xample","roles":["admin","viewer"],"auth_provider":"oidc",
        "active":\(active),"email_verified":true,"is_owner":false,"created_at":"2025-01-02T03:04:05Z",
        "updated_at":"2026-01-02T03:04:05.123456Z","avatar_base64":\(avatar)}
        """
    }

    static func rinneUser(id: String = "\"\(rinneID)\"", suspended: String? = "\"2026-01-02T03:04:05Z\"") -> String {
        """
        {"id":\(id),"identifiers":[{"type":"email","value":"ann@example.com"}],"primary_identifier":"ann@example.com","auth_methods":["password"],
        "created_at":"2025-01-02T03:04:05Z","updated_at":"2025-01-02T03:04:05Z","roles":[{"company_id":"c1","organization_id":null}],
        "metadata":{"suspended_at":"2020-01-01T00:00:00Z","id":"other"}\(suspended.map { ",\"suspended_at\":\($0)" } ?? "")}
        """
    }

    static let json = Array("application/json".utf8)

    static func answer(_ body: String, status: Int = 200, type: String? = "application/json", coding: String? = nil) -> ServiceAnswer {
        ServiceAnswer(
            status: status, contentType: type.map { Array($0.utf8) }, contentEncoding: coding.map { Array($0.utf8) }, body: Array(body.utf8)
        )
    }

    static func user(_ spelling: String, _ dialect: Dialect) -> UserID {
        UserID(Array(spelling.utf8).span, format: dialect.idFormat)!
    }

    static func jitsudoLesson(_ answer: ServiceAnswer, about id: String = jitsudoID) -> Lesson {
        AnswerReader(jitsudoSuspend, of: jitsudo).lesson(from: answer, about: user(id, jitsudo))
    }

    static func rinneLesson(_ answer: ServiceAnswer, about id: String = rinneID) -> Lesson {
        AnswerReader(rinneSuspend, of: rinne).lesson(from: answer, about: user(id, rinne))
    }
}
