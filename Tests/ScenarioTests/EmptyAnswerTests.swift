import Foundation
import TestSupport
import Testing

/// APIs that answer 204, and that name the user in the request's body (SPEC §4: `means`, `request`).
@Suite("answers without a body", .serialized, .timed)
struct EmptyAnswerTests {
    /// One way in which such an API may look.
    struct Shape: Sendable, CustomTestStringConvertible {
        let name: String
        let dialect: String
        let user: String
        /// A suspension or reactivation of somebody: method, path and body.
        let call: @Sendable (_ active: Bool, _ user: String) -> (method: String, path: String, body: String)
        var testDescription: String { name }
    }

    private static let words = Shape(
        name: "flat, of a tenant, a call for each state",
        dialect: """
            name: other
            tenant: required
            tenant_format: string
            reach: tenant
            errors: flat
            id_format: string
            calls:
              - {call: "POST /o/users/suspend", answers: nothing, intent: suspend, request: /user_id, means: suspended}
              - {call: "POST /o/users/activate", answers: nothing, intent: activate, request: /user_id, means: active}
            """,
        user: "usr_1", call: { ("POST", $0 ? "/o/users/activate" : "/o/users/suspend", #"{"user_id":"\#($1)","why":"left"}"#) })

    private static let field = Shape(
        name: "nested, of the directory, one call whose body decides",
        dialect: """
            name: other
            tenant: optional
            tenant_format: string
            reach: directory
            errors: nested
            id_format: uuid
            calls:
              - {call: "PUT /o/state", answers: nothing, intent: {field: /state/active, suspend: false}, request: /user/id, means: asked}
            """,
        user: TestIssuers.acmeMember, call: { ("PUT", "/o/state", #"{"user":{"id":"\#($1)"},"state":{"active":\#($0)}}"#) })

    private struct Stand {
        let upstream: RecordingUpstream
        let gateway: Gateway
        let shape: Shape

        init(_ shape: Shape) throws {
            self.shape = shape
            let folder = try TemporaryFolder()
            upstream = try RecordingUpstream { request in
                request.method == "GET" ? [.json("{}", status: "404 Not Found")] : [.text("HTTP/1.1 204 No Content\r\n\r\n")]
            }
            var file = GatewayFile(jitsudo: upstream.port, rinne: upstream.port)
            try folder.write(shape.dialect, to: "other.yaml")
            let forge = TestIssuers.rinne
            file.directories = ["other: {dialect: other.yaml}"]
            file.upstreams = ["other: {servers: [\"http://127.0.0.1:\(upstream.port)\"], directory: other}"]
            file.credentials = [
                "- {issuer: \(forge.issuer), directory: other, audience: [\(forge.audience)], algorithms: [HS256], "
                    + "keys: {secret_file: secrets/rinne}}"
            ]
            file.routes = ["- {path: /o/**, upstream: other, require: upstream}"]
            gateway = try Gateway(file: file.write(to: folder), in: folder)
        }

        func token(_ user: String, tenant: String = "north") -> String {
            TestIssuers.rinne.token(user: user, ["tenant_id": tenant, "roles": [String]()])
        }

        func ask(_ method: String, _ path: String, _ user: String, tenant: String = "north", body: String = "") throws -> WireAnswer {
            try gateway.ask(request(method, path, token: token(user, tenant: tenant), tenant: tenant, body: body))
        }

        func set(_ active: Bool, _ user: String) throws -> WireAnswer {
            let call = shape.call(active, user)
            return try ask(call.method, call.path, admin, body: call.body)
        }

        var admin: String { shape.name.hasPrefix("flat") ? "admin" : TestIssuers.acmeAdmin }

        func blocked(_ user: String, tenant: String = "north") throws -> Bool? {
            isBlocked(try ask("GET", "/o/probe", user, tenant: tenant))
        }
    }

    @Test("an empty answer confirms what the call asked for, about whom its body names, in both directions", arguments: [words, field])
    func confirmed(_ shape: Shape) throws {
        let stand = try Stand(shape)
        let suspended = try stand.set(false, shape.user)
        #expect(suspended.status == 204 && suspended.field("suspension-reach") == "gateway", "\(suspended.status) \(suspended.text)")
        #expect(try stand.blocked(shape.user) == true)
        #expect(try stand.blocked(stand.admin) == false)
        let others = try stand.blocked(shape.user, tenant: "south")
        #expect(others == (shape.name.hasPrefix("flat") ? false : true), "by reach")
        let sent = stand.upstream.takeRequests().first?.content ?? []
        #expect(String(decoding: sent, as: UTF8.self) == shape.call(false, shape.user).body)
        #expect(try stand.set(true, shape.user).status == 204)
        #expect(try stand.blocked(shape.user) == false)
    }

    @Test("a body that doesn't say clearly who is meant reaches nobody", arguments: [words, field])
    func unclear(_ shape: Shape) throws {
        let stand = try Stand(shape)
        let (method, path, good) = shape.call(false, shape.user)
        let id = #""\#(shape.user)""#
        let name = shape.name.hasPrefix("flat") ? "user_id" : "id"
        for body in [
            "", "{}", good.replacing(id, with: "null"), good.replacing(id, with: "[\(id)]"), good.replacing(id, with: #""""#),
            good.replacing(id, with: id + ",\"\(name)\":\(id)"), good.replacing(id, with: id + ",\"\(name.uppercased())\":\(id)"),
            good.replacing(id, with: #""a\u0000""#), good + good, "[\(good)]",
        ] {
            let answer = try stand.ask(method, path, stand.admin, body: body)
            #expect(answer.status == 400 && answer.gatewayCode == "bad_request", "\(body): \(answer.status) \(answer.text)")
        }
        #expect(stand.upstream.takeRequests().isEmpty)
        #expect(try stand.blocked(shape.user) == false)
    }

    @Test("a 2xx with a body, or another 2xx, says nothing here: the call is unconfirmed", arguments: [words, field])
    func unconfirmed(_ shape: Shape) throws {
        let stand = try Stand(shape)
        for answer in ["202 Accepted\r\nContent-Length: 0", "200 OK\r\nContent-Type: application/json\r\nContent-Length: 2"] {
            stand.upstream.answer { request in
                request.method == "GET"
                    ? [.json("{}", status: "404 Not Found")] : [.text("HTTP/1.1 \(answer)\r\n\r\n" + (answer.hasPrefix("200") ? "{}" : ""))]
            }
            #expect(try stand.set(false, shape.user).gatewayCode == "suspension_unconfirmed")
            #expect(try stand.blocked(shape.user) == false)
        }
    }
}
