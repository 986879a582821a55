import TestSupport
import Testing

/// The faults that tests arm: each does to the wire and to the database what its name says.
@Suite("user-service's faults")
struct FaultTests {
    private let folder = try! TemporaryFolder()
    private static let suspension = request(
        "POST", "/v1/users/\(TestIssuers.acmeMember)/suspend", token: "t", tenant: TestIssuers.acme, body: #"{"active":false}"#)

    /// Whether the user is active at the service.
    private func isActive(_ service: UserServiceProcess) throws -> Bool? {
        let text = request("GET", "/v1/users/\(TestIssuers.acmeMember)", token: "t", tenant: TestIssuers.acme)
        return try service.client().exchange(text).json?["active"] as? Bool
    }

    @Test(
        "an answer is spoiled as armed, once",
        arguments: [
            ("status", #"{"kind":"status","status":409}"#, 409, true), ("accepted", #"{"kind":"accepted"}"#, 202, false),
            ("no_content", #"{"kind":"no_content"}"#, 204, false), ("html", #"{"kind":"html"}"#, 200, false),
            ("brotli", #"{"kind":"brotli"}"#, 200, false), ("large", #"{"kind":"large"}"#, 200, false),
            ("avatar", #"{"kind":"avatar"}"#, 200, false), ("slow", #"{"kind":"slow"}"#, 200, false),
            ("other_id", #"{"kind":"other_id","commit":false}"#, 200, true),
            ("duplicate_names", #"{"kind":"duplicate_names"}"#, 200, false),
        ])
    func spoiled(kind: String, fault: String, status: Int, staysActive: Bool) throws {
        let service = try UserServiceProcess(.jitsudo, in: folder)
        try service.arm(fault)
        let client = try service.client()
        #expect(try client.exchange(Self.suspension).status == status)
        #expect(try isActive(service) == staysActive)
        #expect(try service.struck(kind) == 1)
        let next = try client.exchange(Self.suspension)
        #expect(next.status == 200)
        #expect(next.json?["id"] as? String == TestIssuers.acmeMember.uppercased())
        #expect(next.json?["active"] as? Bool == false)
    }

    @Test(
        "a connection is dropped before or after the change",
        arguments: [
            ("drop_unread", #"{"kind":"drop_unread"}"#, true), ("drop", #"{"kind":"drop"}"#, false),
            ("drop", #"{"kind":"drop","commit":false}"#, true),
        ])
    func dropped(kind: String, fault: String, staysActive: Bool) throws {
        let service = try UserServiceProcess(.jitsudo, in: folder)
        try service.arm(fault)
        #expect(throws: StreamError.closed) { try service.client().exchange(Self.suspension) }
        #expect(try isActive(service) == staysActive)
        #expect(try service.struck(kind) == 1)
    }

    @Test("half an answer ends in the middle")
    func half() throws {
        let service = try UserServiceProcess(.jitsudo, in: folder)
        try service.arm(#"{"kind":"half"}"#)
        #expect(try service.client().exchange(Self.suspension).isCut)
    }

    @Test("a call that hangs is never answered")
    func hangs() throws {
        let service = try UserServiceProcess(.jitsudo, in: folder)
        try service.arm(#"{"kind":"hang"}"#)
        let client = try service.client()
        client.patience = 0.2
        #expect(throws: StreamError.timedOut) { try client.exchange(Self.suspension) }
        #expect(try isActive(service) == false)
    }

    @Test("a held call is answered when it is released, and changes before or then", arguments: [true, false])
    func holds(commit: Bool) throws {
        let service = try UserServiceProcess(.jitsudo, in: folder)
        try service.arm(#"{"kind":"hold","commit":\#(commit)}"#)
        let client = try service.client()
        try client.stream.send(Array(Self.suspension.utf8))
        while try service.held() == 0 {}
        #expect(try isActive(service) == !commit)
        try service.release()
        #expect(try client.answer(to: "POST").status == 200)
        #expect(try isActive(service) == false)
    }
}
