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
