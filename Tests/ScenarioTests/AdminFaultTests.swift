import Foundation
import TestSupport
import Testing

/// What the admin listener says when a disk hangs or a client is slow: no more than is true.
@Suite("the admin listener under faults", .serialized, .timed)
struct AdminFaultTests {
    @Test(
        "a disk that hangs: a block is in force and told so, a lift is not known, and an import goes on without its client",
        .enabled(if: HungDisk.canBe))
    func hungDisk() throws {
        let world = try World { $0.admin = true }
        let gateway = world.gateway
        func begin(_ path: String, _ user: String) throws -> WireClient {
            let client = try gateway.adminClient()
            try client.stream.send(Array(TestAdmin.request("POST", path, body: TestAdmin.wish("rinne", user)).utf8))
            return client
        }
        #expect(try begin("/api/suspensions", "usr_mia").answer(to: "POST").status == 200)
        let disk = try HungDisk(under: world)
        let (adding, lifting) = (try begin("/api/suspensions", "usr_ana"), try begin("/api/suspensions/lift", "usr_mia"))
        let importing = try gateway.adminClient()
        let lines = #"{"directory":"rinne","user":"usr_list"}"#
        try importing.stream.send(
            Array(TestAdmin.request("POST", "/api/suspensions/import", type: "application/x-ndjson", body: lines).utf8))
        var blocked = try world.isBlocked("usr_list", .rinne)
        for _ in 0..<500 where blocked == false { blocked = try world.isBlocked("usr_list", .rinne) }
        #expect(blocked == true, "the import has begun")
        importing.stream.close()
        func check() throws -> WireAnswer {
            try gateway.admin("POST", "/api/suspensions/import?dry_run=true", type: "application/x-ndjson", body: lines)
        }
        #expect(try check().code == "import_in_progress", "its client has gone, it hasn't")

        let (added, lifted) = (try adding.answer(to: "POST"), try lifting.answer(to: "POST"))
        #expect(added.status == 503 && added.code == "suspension_not_durable" && added.text.contains("In force here, but not on disk"))
        #expect(lifted.status == 503 && lifted.code == "outcome_unknown" && lifted.text.contains("Not known"), "\(lifted.text)")
        #expect(!lifted.text.contains("othing has changed"))
        #expect(try world.isBlocked("usr_ana", .rinne) == true && world.isBlocked("usr_mia", .rinne) == true)
        for words in [
            "admin: ops suspended user \"usr_ana\" in all tenants of directory rinne: \"INC-4711\": IN FORCE, NOT DURABLE",
            "admin: ops asked to lift (operator) user \"usr_mia\" in all tenants of directory rinne: \"INC-4711\": NOT KNOWN",
            "admin: ops's import stopped after 0 of 1 lines; the next 1 are IN FORCE, NOT DURABLE",
        ] { _ = try gateway.process.waitForErrors { $0.contains(words) ? true : nil } }
        var again = try check()
        for _ in 0..<500 where again.status == 409 { again = try check() }
        #expect(again.status == 200, "the import has ended: \(again.text)")
        disk.release()
    }

    @Test("a request that doesn't come is answered by 408 with its id; silence is not answered")
    func slow() throws {
        let world = try World { $0.admin = true }
        let (head, body, silent) = (try world.gateway.adminClient(), try world.gateway.adminClient(), try world.gateway.adminClient())
        try head.stream.send(Array("GET /api/status HTTP/1.1\r\nHost: local".utf8))
        try body.stream.send(
            Array(TestAdmin.request("POST", "/api/suspensions", ["Content-Type: application/json", "Content-Length: 100"]).utf8))
        for client in [head, body] {
            let answer = try client.answer(to: "POST")
            #expect(answer.status == 408 && answer.code == "request_timeout", "\(answer.text)")
            #expect(answer.field("x-request-id")?.count == 32 && answer.field("connection") == "close")
        }
        #expect(try silent.rest().isEmpty)
    }
}
