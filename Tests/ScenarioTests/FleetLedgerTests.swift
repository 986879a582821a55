import Foundation
import TestSupport
import Testing

/// A member of the fleet whose ledger's disk is full, and one that has much to hear.
@Suite("fleet: a member's ledger", .serialized, .timed, .enabled(if: TestPostgres.programs != nil, Comment(rawValue: TestPostgres.missing)))
struct FleetLedgerTests {
    @Test("a member whose disk is full refuses whom the others suspend, confirms nothing, and says what is wrong; later it has it all")
    func full() throws {
        guard geteuid() == 0, let disk = try? SmallDisk() else {
            print("SKIPPED: a full disk needs root and mount(8) for a small tmpfs")
            return
        }
        var number = 0
        let stand = try FleetStand(gateways: 2, users: 40, fleet: ["acknowledge: all"]) { file in
            if number == 0 { file.ledgerFolder = disk.path }
            number += 1
        }
        let reactivated = stand.users[0]
        #expect(try stand.setActive(false, reactivated, at: 1).status == 200)
        #expect(try stand.waitUntil(reactivated, isBlocked: true))
        try disk.fill()
        var reach: String?
        var suspended: [String] = []
        // What is left of a page that was allocated before takes some.
        for user in stand.users[1...] where reach != "gateway" || suspended.count < 3 {
            reach = try stand.setActive(false, user, at: 1).field("suspension-reach")
            suspended = reach == "gateway" ? suspended + [user] : []
            #expect(try stand.waitUntil(user, isBlocked: true), "in force at both")
        }
        #expect(suspended.count >= 3 && reach == "gateway", "it isn't on disk at the other")
        #expect(try stand.setActive(true, reactivated, at: 1).status == 200)
        #expect(try stand.waitUntil(reactivated, isBlocked: false, at: [1]))
        let ready = try stand.gateways[0].probe("/readyz").text
        #expect(ready.contains("the ledger doesn't take what the others say"), "\(ready)")
        #expect(!ready.contains("the database can't be used"), "\(ready)")
        #expect(try stand.gateways[0].metrics()["tenantgate_fleet_link{state=\"joined\"}"] == 1)
        // Also when it has to connect anew, which is known in memory.
        try stand.postgres.cut()
        let last = try #require(stand.users.last { !suspended.contains($0) })
        #expect(try stand.waitFor("tenantgate_fleet_link{state=\"joined\"}", at: 1) { $0 == 1 })
        try stand.setActive(false, last, at: 1)
        #expect(try stand.waitUntil(last, isBlocked: true, seconds: 30))
        #expect(try stand.isBlocked(reactivated, at: 0) == true, "nobody is lifted by what isn't on disk")

        try disk.makeRoom()
        #expect(try stand.waitUntil(reactivated, isBlocked: false, seconds: 30))
        for user in suspended { #expect(try stand.isBlocked(user, at: 0) == true) }
        #expect(try stand.waitFor("tenantgate_fleet_behind_seconds", at: 0) { $0 < 2 })
        #expect(try stand.gateways[0].probe("/readyz").text == "ready\n")
        #expect(stand.gateways[0].process.errorText.contains("fleet: the ledger takes what the others say again"))
        stand.kill(0)
        try stand.start(0)
        for user in suspended + [last] { #expect(try stand.isBlocked(user, at: 0) == true) }
        // The run that was killed is counted on until its lease is over.
        let deadline = Date(timeIntervalSinceNow: 30)
        repeat {
            reach = try stand.setActive(false, reactivated, at: 1).field("suspension-reach")
        } while reach != "fleet" && Date() < deadline
        #expect(reach == "fleet")
    }

    /// `TENANTGATE_FLEET_ROWS`: how many changes come at once, 15,000 by default: more than a lease's time of work.
    @Test("a member that has much to hear serves meanwhile: its lease is kept up, and nothing is behind that says that it hears nothing")
    func much() throws {
        let count = ProcessInfo.processInfo.environment["TENANTGATE_FLEET_ROWS"].flatMap { Int($0) } ?? 15_000
        let stand = try FleetStand(gateways: 1, users: 1, fleet: ["acknowledge: all", "when_behind: {after: 4s, then: refuse}"])
        #expect(try stand.waitUntil(stand.users[0], isBlocked: false))
        let begun = Date.now
        let last = try stand.postgres.ask(
            """
            WITH taken AS (UPDATE tenantgate.fleet SET number = number + \(count) RETURNING number - \(count) AS before, number),
            put AS (
                INSERT INTO tenantgate.entries
                SELECT before + i, '00000000-0000-4000-8000-00000000000a', i, 0, 'jitsudo', NULL, gen_random_uuid()::text, 1, 1, 1, '', '', '',
                    0, NULL
                FROM generate_series(1, \(count)) AS i, taken)
            SELECT number, pg_notify('tenantgate', '') FROM taken
            """
        ).split(separator: "|")[0]
        let end = try #require(Double(last))
        let client = try stand.gateways[0].client()
        let probe = Dialect.jitsudo.probe(Dialect.jitsudo.token(stand.users[0]))
        var (asked, refused) = (0, 0)
        while try stand.gateways[0].metrics()["tenantgate_fleet_applied_number"] ?? 0 < end, Date.now.timeIntervalSince(begun) < 300 {
            asked += 1
            if isBlocked(try client.exchange(probe)) != false { refused += 1 }
            Thread.sleep(forTimeInterval: 0.02)
        }
        let seconds = Date.now.timeIntervalSince(begun)
        print(String(format: "fleet: %d changes heard in %.1f s; %d requests, %d refused", count, seconds, asked, refused))
        #expect(seconds > 5, "too few to outlast a lease")
        #expect(refused == 0)
    }
}
