import Foundation
import TestSupport
import Testing

/// The demo services over real sockets: what the gateway's scenarios rest on.
@Suite("user-service")
struct UserServiceTests {
    private let folder = try! TemporaryFolder()
    private let acme = TestIssuers.acme
    private let ben = TestIssuers.acmeMember

    // MARK: JITSudo

    @Test("JITSudo: suspending and reactivating answer with the whole user and rising commit numbers")
    func jitsudoSuspends() throws {
        let service = try UserServiceProcess(.jitsudo, in: folder)
        let client = try service.client()
        let suspended = try client.exchange(suspend(ben, active: false))
        #expect(suspended.status == 200)
        #expect(suspended.json?["active"] as? Bool == false)
        #expect(suspended.json?["id"] as? String == ben.uppercased())
        for name in ["email", "name", "roles", "auth_provider", "email_verified", "is_owner", "created_at", "updated_at"] {
            #expect(suspended.json?[name] != nil, "\(name) is missing")
        }
        let active = try client.exchange(suspend(ben, active: true))
        #expect(active.json?["active"] as? Bool == true)
        #expect(try #require(active.commitNumber) > #require(suspended.commitNumber))
    }

    @Test(
        "JITSudo: errors come flat",
        arguments: [
            ("no credential", request("GET", "/v1/users", ["X-Tenant-ID: \(TestIssuers.acme)"]), 401, "unauthenticated"),
            ("no tenant", request("GET", "/v1/users", token: "t"), 400, "bad_request"),
            (
                "user of another tenant", request("GET", "/v1/users/\(TestIssuers.globexAdmin)", token: "t", tenant: TestIssuers.acme), 404,
                "not_found"
            ),
            (
                "no such user", request("GET", "/v1/users/0E000000-0000-4000-8000-00000000000E", token: "t", tenant: TestIssuers.acme), 404,
                "not_found"
            ),
            (
                "caller of another tenant",
                request("GET", "/v1/users", token: "t", tenant: TestIssuers.acme, ["X-User-ID: \(TestIssuers.globexAdmin)"]), 403,
                "tenant_mismatch"
            ),
            ("suspending the owner", suspend(TestIssuers.acmeOwner, active: false), 403, "forbidden"),
            (
                "suspending without the role",
                suspend(TestIssuers.acmeMember, active: false, ["X-User-ID: \(TestIssuers.acmeMember)", "X-User-Roles: member"]), 403,
                "forbidden"
            ),
            (
                "a string for a boolean",
                request(
                    "POST", "/v1/users/\(TestIssuers.acmeMember)/suspend", token: "t", tenant: TestIssuers.acme,
                    body: #"{"active":"false"}"#), 400, "bad_request"
            ),
            ("no such path", request("GET", "/v2", token: "t", tenant: TestIssuers.acme), 404, "not_found"),
            ("another method", request("DELETE", "/v1/users", token: "t", tenant: TestIssuers.acme), 405, "method_not_allowed"),
        ])
    func jitsudoErrors(name: String, text: String, status: Int, code: String) throws {
        let service = try UserServiceProcess(.jitsudo, in: folder)
        let answer = try service.client().exchange(text)
        #expect(answer.status == status)
        #expect(answer.json?["code"] as? String == code)
        #expect(answer.json?["message"] is String)
        #expect(answer.gatewayCode == nil)
        if status == 405 { #expect(answer.field("allow") == "GET, HEAD, POST") }
    }

    @Test("JITSudo: the list holds the tenant's users only, and HEAD is GET without the body")
    func jitsudoLists() throws {
        let client = try UserServiceProcess(.jitsudo, in: folder).client()
        let list = try client.exchange(request("GET", "/v1/users", token: "t", tenant: acme))
        #expect((list.json?["users"] as? [Any])?.count == 3)
        let head = try client.exchange(request("HEAD", "/v1/users", token: "t", tenant: acme))
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        #expect(head.field("content-length") == list.field("content-length"))
    }

    @Test("JITSudo: a new user can be patched, and keeps an avatar of 256 KB")
    func jitsudoCreates() throws {
        let client = try UserServiceProcess(.jitsudo, in: folder).client()
        let created = try client.exchange(
            request("POST", "/v1/users", token: "t", tenant: acme, body: #"{"email":"eve@acme.example","name":"Eve Hall"}"#))
        #expect(created.status == 201)
        let id = try #require(created.json?["id"] as? String)
        let avatar = String(repeating: "QUJD", count: 64 * 1024)
        let patched = try client.exchange(
            request("PATCH", "/v1/users/\(id)", token: "t", tenant: acme, body: #"{"avatar_base64":"\#(avatar)"}"#))
        #expect(patched.json?["avatar_base64"] as? String == avatar)
    }

    // MARK: Rinne

    @Test("Rinne: a suspended user has a date, an active one none")
    func rinneSuspends() throws {
        let client = try UserServiceProcess(.rinne, in: folder).client()
        let suspended = try client.exchange(request("POST", "/core/v1/users/usr_ben/suspend", token: "t"))
        #expect(suspended.status == 200)
        let date = try #require(suspended.json?["suspended_at"] as? String)
        #expect(date.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil, "\(date)")
        for name in ["id", "identifiers", "primary_identifier", "auth_methods", "created_at", "updated_at", "roles"] {
            #expect(suspended.json?[name] != nil, "\(name) is missing")
        }
        let active = try client.exchange(request("POST", "/core/v1/users/usr_ben/activate", token: "t", body: "{}"))
        #expect(active.json?["suspended_at"] is NSNull)
        #expect(try #require(active.commitNumber) > #require(suspended.commitNumber))
    }

    @Test(
        "Rinne: errors come nested",
        arguments: [
            ("no credential", request("GET", "/core/v1/users"), 401, "UNAUTHENTICATED"),
            ("no such user", request("GET", "/core/v1/users/usr_none", token: "t"), 404, "NOT_FOUND"),
            ("protected user", request("POST", "/core/v1/users/usr_root/suspend", token: "t"), 403, "FORBIDDEN"),
            ("a page of nothing", request("GET", "/core/v1/users?page=0", token: "t"), 400, "VALIDATION_ERROR"),
            ("a body that is not JSON", request("POST", "/core/v1/users/usr_ben/suspend", token: "t", body: "no"), 400, "VALIDATION_ERROR"),
        ])
    func rinneErrors(name: String, text: String, status: Int, code: String) throws {
        let answer = try UserServiceProcess(.rinne, in: folder).client().exchange(text)
        #expect(answer.status == status)
        #expect((answer.json?["error"] as? [String: Any])?["code"] as? String == code)
    }

    @Test("Rinne: the list comes in pages")
    func rinneLists() throws {
        let client = try UserServiceProcess(.rinne, in: folder).client()
        let first = try client.exchange(request("GET", "/core/v1/users?page=1&limit=3", token: "t"))
        let second = try client.exchange(request("GET", "/core/v1/users?page=2&limit=3", token: "t"))
        #expect((first.json?["data"] as? [Any])?.count == 3)
        #expect((second.json?["data"] as? [Any])?.count == 1)
        let pagination = try #require(first.json?["pagination"] as? [String: Any])
        #expect(pagination["total"] as? Int == 4)
        #expect(pagination["totalPages"] as? Int == 2)
        #expect(pagination["hasNext"] as? Bool == true)
        #expect((second.json?["pagination"] as? [String: Any])?["hasNext"] as? Bool == false)
    }

    // MARK: the wire and the disk

    @Test("the login and health calls need no credential")
    func publicCalls() throws {
        let jitsudo = try UserServiceProcess(.jitsudo, in: folder).client()
        #expect(try jitsudo.exchange(request("GET", "/healthz")).status == 200)
        #expect(try jitsudo.exchange(request("POST", "/v1/auth/login", body: #"{"email":"ben@acme.example"}"#)).status == 200)
        let rinne = try UserServiceProcess(.rinne, in: folder).client()
        #expect(
            try rinne.exchange(request("POST", "/core/v1/auth/login/password", body: #"{"identifier":"ben@north.example"}"#)).status == 200)
    }

    @Test("requests sent at once are answered in their order")
    func pipelines() throws {
        let client = try UserServiceProcess(.jitsudo, in: folder).client()
        try client.stream.send(Array((request("GET", "/healthz") + request("GET", "/nothing") + request("HEAD", "/healthz")).utf8))
        #expect(try client.answer(to: "GET").status == 200)
        #expect(try client.answer(to: "GET").status == 404)
        #expect(try client.answer(to: "HEAD").status == 200)
    }

    @Test("a malformed request is refused and ends the connection; a body beyond 1 MiB is 413")
    func bounds() throws {
        let service = try UserServiceProcess(.jitsudo, in: folder)
        let client = try service.client()
        let malformed = try client.exchange("GET /healthz HTTP/1.1\r\n\r\n")
        #expect(malformed.status == 400)
        #expect(malformed.endsConnection)
        #expect(try client.end(within: 5) == true)
        let large = String(repeating: " ", count: 1024 * 1024 + 1)
        #expect(try service.client().exchange(request("POST", "/v1/users", token: "t", tenant: acme, body: large)).status == 413)
    }

    @Test("what was answered survives SIGKILL")
    func durability() throws {
        var service: UserServiceProcess? = try UserServiceProcess(.jitsudo, in: folder)
        let suspended = try service?.client().exchange(suspend(ben, active: false))
        service = nil
        let again = try UserServiceProcess(.jitsudo, in: folder)
        let user = try again.client().exchange(request("GET", "/v1/users/\(ben)", token: "t", tenant: acme))
        #expect(user.json?["active"] as? Bool == false)
        #expect(user.commitNumber != nil)
        #expect(user.commitNumber == suspended?.commitNumber)
    }
}

/// JITSudo's call.
private func suspend(_ user: String, active: Bool, _ fields: [String] = []) -> String {
    request(
        "POST", "/v1/users/\(user)/suspend", token: "t", tenant: TestIssuers.acme, fields, body: #"{"active":\#(active)}"#)
}
