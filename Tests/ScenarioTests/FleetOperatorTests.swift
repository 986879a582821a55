import Foundation
import TestSupport
import Testing

/// What people do by hand at one gateway, and what one gateway reads of the service, the others know.
@Suite(
    "fleet: by hand and by reading", .serialized, .timed,
    .enabled(if: TestPostgres.programs != nil, Comment(rawValue: TestPostgres.missing)))
struct FleetOperatorTests {
    private func wish(_ user: String, source: String? = nil) -> String {
        TestAdmin.wish("jitsudo", tenant: Dialect.jitsudo.tenant, user, source: source)
    }

    @Test("blocked by hand at one, lifted at another, imported at the third: in force at all, and all say who is there")
    func operators() throws {
        let stand = try FleetStand(users: 4) { $0.admin = true }
        let (one, two) = (stand.users[0], stand.users[1])
        #expect(try stand.gateways[0].admin("POST", "/api/suspensions", body: wish(one)).status == 200)
        #expect(try stand.waitUntil(one, isBlocked: true))
        #expect(try stand.setActive(true, one, at: 2).status == 200, "the service lifts no operator's block")
        for number in 0..<3 { #expect(try stand.isBlocked(one, at: number) == true) }
        let lifted = try stand.gateways[1].admin("POST", "/api/suspensions/lift", body: wish(one))
        #expect(lifted.json?["lifted"] as? [String] == ["operator"])
        #expect(try stand.waitUntil(one, isBlocked: false))

        let line = #"{"directory":"jitsudo","tenant":"\#(Dialect.jitsudo.tenant)","user":"\#(two)","reason":"INC-1"}"#
        let imported = try stand.gateways[2].admin("POST", "/api/suspensions/import", type: "application/x-ndjson", body: line + "\n")
        #expect(imported.status == 200, "\(imported.text)")
        #expect(try stand.waitUntil(two, isBlocked: true))

        // Each looks once a second who else is there.
        let deadline = Date(timeIntervalSinceNow: 15)
        var status: [String: Any]?
        var names: [String]?
        repeat {
            status = try stand.gateways[0].admin("GET", "/api/status").json?["fleet"] as? [String: Any]
            names = (status?["gateways"] as? [[String: Any]])?.compactMap { $0["name"] as? String }
        } while names?.count != 3 && Date() < deadline
        #expect(status?["link"] as? String == "joined")
        #expect(names == ["g0", "g1", "g2"])
    }

    @Test("by hand, too, the answer waits for the whole fleet where the file says so, and says how far it reaches")
    func reach() throws {
        let stand = try FleetStand(gateways: 2, users: 4, fleet: ["acknowledge: all"]) {
            $0.adminTokens = true
            $0.more.append("admin: {address: \"unix:admin.sock\", tokens: [{name: ops, role: operator, file: secrets/ops.token}]}")
        }
        #expect(try stand.waitUntilJoined())
        let added = try stand.command(0, "add", "--directory", "jitsudo", "--user", stand.users[0], "--reason", "INC-1")
        #expect(added.output.hasSuffix("and on disk, at every gateway of the fleet\n"), "\(added)")
        #expect(try stand.isBlocked(stand.users[0], at: 1) == true, "at once")
        let lines = stand.users[1...].map { #"{"directory":"jitsudo","user":"\#($0)"}"# + "\n" }.joined()
        let imported = try stand.command(0, "import", stand.write(lines, to: "lines", of: 0))
        #expect(imported.output == "imported 3 lines, at every gateway of the fleet\n", "\(imported)")
        for user in stand.users { #expect(try stand.isBlocked(user, at: 1) == true) }
        stand.postgres.stop()
        let alone = try stand.command(0, "add", "--directory", "jitsudo", "--user", stand.users[3], "--reason", "INC-2")
        #expect(alone.status == 0 && alone.output.contains("\nONLY AT THIS GATEWAY for now: the fleet's database"), "\(alone)")
        try stand.postgres.start()
    }

    @Test("without `acknowledge: all` an answer says that the others follow")
    func follow() throws {
        let stand = try FleetStand(gateways: 1, users: 1) { $0.admin = true }
        #expect(try stand.waitUntilJoined())
        let answer = try stand.gateways[0].admin("POST", "/api/suspensions", body: wish(stand.users[0]))
        #expect(answer.field("suspension-reach") == "gateway")
        #expect(answer.json?["reach"] as? String == "gateway" && answer.json?["fleet"] as? String == "joined")
    }

    @Test("a block that overlapped with a lift is listed as contested, and a second lift ends it")
    func contested() throws {
        let stand = try FleetStand(gateways: 2, users: 1) {
            $0.adminTokens = true
            $0.more.append("admin: {address: \"unix:admin.sock\", tokens: [{name: ops, role: operator, file: secrets/ops.token}]}")
        }
        let whom = ["--directory", "jitsudo", "--user", stand.users[0], "--reason", "INC-1"]
        #expect(try stand.waitUntilJoined())
        #expect(try stand.command(0, ["add"] + whom).output.hasSuffix("and on disk, at this gateway; the others follow\n"))
        #expect(try stand.waitUntil(stand.users[0], isBlocked: true))
        stand.postgres.stop()
        #expect(try stand.command(0, ["lift"] + whom).output.contains("lifted the block of operator"))
        // Asked of the other one, which hears nothing of that: it says so once more, and its word overlaps with the lift.
        #expect(try stand.command(1, ["lift"] + whom).output.contains("lifted the block of operator"))
        #expect(try stand.command(1, ["add"] + whom).status == 0)
        try stand.postgres.start()
        #expect(try stand.waitFor("tenantgate_fleet_contested_users", at: 0) { $0 == 1 })
        #expect(try stand.waitUntil(stand.users[0], isBlocked: true))
        for number in 0..<2 {
            #expect(try stand.command(number, ["list", "--text"]).output.contains("CONTESTED  jitsudo"))
        }
        #expect(try stand.command(0, ["lift"] + whom).output.contains("lifted the block of operator"))
        #expect(try stand.waitUntil(stand.users[0], isBlocked: false))
        #expect(try stand.waitFor("tenantgate_fleet_contested_users", at: 1) { $0 == 0 })
    }

    @Test("the status of one says that another is gone, and how far it is behind")
    func behind() throws {
        let stand = try FleetStand(gateways: 2, users: 3) { $0.admin = true }
        #expect(try stand.setActive(false, stand.users[0], at: 0).status == 200)
        #expect(try stand.waitUntil(stand.users[0], isBlocked: true))
        stand.kill(1)
        for user in stand.users[1...] { #expect(try stand.setActive(false, user, at: 0).status == 200) }
        #expect(try other(of: stand) { $0["live"] as? Bool == false && ($0["behind"] as? Int ?? 0) >= 2 } != nil)
    }

    /// The second gateway as the first one tells of it, when it is as wanted.
    private func other(of stand: FleetStand, _ isGood: ([String: Any]) -> Bool) throws -> [String: Any]? {
        let deadline = Date(timeIntervalSinceNow: 30)
        repeat {
            let status = try stand.gateways[0].admin("GET", "/api/status").json?["fleet"] as? [String: Any]
            let other = (status?["gateways"] as? [[String: Any]])?.first { $0["name"] as? String == "g1" }
            if let other, isGood(other) { return other }
        } while Date() < deadline
        return nil
    }

    @Test("calls that overlapped are settled by reading the user, to what the service says", arguments: [true, false])
    func settled(_ isActiveLast: Bool) throws {
        let stand = try FleetStand(gateways: 2, users: 1) {
            $0.directoryKeys = ["service_tokens: [{file: secrets/service}]", "late_commits: 1s", "reconcile: off"]
        }
        let user = stand.users[0]
        stand.postgres.stop()
        try stand.setActive(!isActiveLast, user, at: 0)
        try stand.setActive(isActiveLast, user, at: 1)
        try stand.postgres.start()
        #expect(try stand.waitUntilJoined())
        #expect(try stand.waitUntil(user, isBlocked: !isActiveLast, seconds: 30))
        for number in 0..<2 {
            #expect(try stand.waitFor("tenantgate_fleet_contested_users", at: number) { $0 == 0 })
            #expect(try stand.waitFor("tenantgate_unconfirmed_users", at: number) { $0 == 0 })
        }
        let reads = try (0..<2).map {
            try stand.gateways[$0].metrics()[#"tenantgate_user_reads_total{result="\#(isActiveLast ? "active" : "suspended")"}"#] ?? 0
        }
        #expect(reads.reduce(0, +) > 0)
        #expect(try stand.waitUntil(user, isBlocked: !isActiveLast))
    }
}
