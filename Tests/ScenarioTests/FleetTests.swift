import Foundation
import TestSupport
import Testing

/// Several gateways on one shared log: what one knows, the others know.
@Suite("fleet", .serialized, .timed, .enabled(if: TestPostgres.programs != nil, Comment(rawValue: TestPostgres.missing)))
struct FleetTests {
    @Test("a suspension at one gateway is in force at all, and so is the reactivation at another")
    func everywhere() throws {
        let stand = try FleetStand(users: 2)
        let user = stand.users[0]
        let answer = try stand.setActive(false, user, at: 0)
        #expect(answer.status == 200)
        #expect(answer.field("suspension-reach") == "gateway")
        #expect(try stand.waitUntil(user, isBlocked: true))
        #expect(try stand.isBlocked(stand.users[1], at: 1) == false)
        #expect(try stand.setActive(true, user, at: 1).status == 200)
        #expect(try stand.waitUntil(user, isBlocked: false))
        let ready = try stand.gateways[2].probe("/readyz")
        #expect(ready.text == "ready\n")
        #expect(try stand.gateways[2].metrics()["tenantgate_fleet_heard_total"] == 2)
    }

    @Test(
        "PostgreSQL away, in whatever way: suspensions work and take effect here, and reach the others when it is back",
        arguments: Outage.allCases)
    func outage(_ outage: Outage) throws {
        let stand = try FleetStand(users: 4)
        let (before, during, reactivated, after) = (stand.users[0], stand.users[1], stand.users[2], stand.users[3])
        try stand.setActive(false, before, at: 1)
        try stand.setActive(false, reactivated, at: 1)
        #expect(try stand.waitUntil(before, isBlocked: true))
        #expect(try stand.waitUntil(reactivated, isBlocked: true))
        try outage.begin(stand.postgres)
        for (number, user) in [(0, during), (1, during)] {
            let answer = try stand.setActive(false, user, at: number)
            #expect(answer.status == 200)
            #expect(answer.field("suspension-reach") == "gateway")
            #expect(try stand.isBlocked(user, at: number) == true)
        }
        #expect(try stand.setActive(true, reactivated, at: 1).status == 200)
        if outage.lasts {
            #expect(try stand.isBlocked(during, at: 2) == false, "nobody told it")
            #expect(try stand.gateways[0].metrics()["tenantgate_fleet_unpublished"] == 1)
            #expect(try stand.gateways[0].probe("/readyz").status == 200)
            #expect(try stand.waitFor("tenantgate_fleet_behind_seconds", at: 2) { $0 > 3 })
            #expect(try stand.gateways[2].probe("/readyz").text.contains("notice: fleet: "))
        }
        for number in 0..<3 { #expect(try stand.isBlocked(before, at: number) == true, "nothing is un-suspended") }
        try outage.end(stand.postgres)
        #expect(try stand.waitUntil(during, isBlocked: true, seconds: 30))
        #expect(try stand.waitUntil(reactivated, isBlocked: false, seconds: 30))
        #expect(try stand.waitUntil(before, isBlocked: true))
        try stand.setActive(false, after, at: 2)
        #expect(try stand.waitUntil(after, isBlocked: true))
        #expect(try stand.waitUntilJoined())
    }

    enum Outage: String, CaseIterable, CustomStringConvertible {
        case restarted, killed, paused, cut
        var description: String { rawValue }
        var lasts: Bool { self != .cut }

        func begin(_ postgres: TestPostgres) throws {
            switch self {
            case .restarted: postgres.stop()
            case .killed: postgres.kill()
            case .paused: postgres.pause()
            case .cut: try postgres.cut()
            }
        }

        func end(_ postgres: TestPostgres) throws {
            switch self {
            case .restarted, .killed: try postgres.start()
            case .paused: postgres.goOn()
            case .cut: break
            }
        }
    }

    @Test("a database restored from an older copy is told what it has lost, and nothing steps back")
    func restored() throws {
        let stand = try FleetStand(users: 6)
        let (old, lost, reactivated) = (stand.users[0], stand.users[1], stand.users[2])
        try stand.setActive(false, old, at: 0)
        try stand.setActive(false, reactivated, at: 0)
        #expect(try stand.waitUntil(reactivated, isBlocked: true))
        #expect(try stand.waitUntilJoined())
        stand.postgres.stop()
        try stand.postgres.copy(to: "copy")
        try stand.postgres.start()
        #expect(try stand.waitUntilJoined())
        try stand.setActive(false, lost, at: 1)
        #expect(try stand.waitUntil(lost, isBlocked: true))
        try stand.setActive(true, reactivated, at: 2)
        #expect(try stand.waitUntil(reactivated, isBlocked: false))
        // Only the others know by the time that the database has forgotten it.
        stand.kill(1)
        stand.postgres.stop()
        try stand.postgres.restore(from: "copy")
        try stand.postgres.start()
        for number in [0, 2] { #expect(try stand.isBlocked(lost, at: number) == true) }
        try stand.start(1)
        #expect(try stand.waitUntilJoined())
        for (user, isBlocked) in [(old, true), (lost, true), (reactivated, false)] {
            #expect(try stand.waitUntil(user, isBlocked: isBlocked), "\(user)")
        }
        let told = try stand.postgres.ask("SELECT count(*) FROM tenantgate.entries WHERE userid IN ('\(lost)', '\(reactivated)')")
        #expect(told == "3", "the suspension before the copy, and both that were lost, each once")
        try stand.setActive(false, stand.users[3], at: 1)
        #expect(try stand.waitUntil(stand.users[3], isBlocked: true))
    }

    @Test("a gateway that was killed knows after its restart what was said meanwhile, before it serves")
    func killedGateway() throws {
        let stand = try FleetStand(users: 4)
        try stand.setActive(false, stand.users[0], at: 2)
        #expect(try stand.waitUntil(stand.users[0], isBlocked: true))
        stand.kill(2)
        try stand.setActive(false, stand.users[1], at: 0)
        try stand.setActive(true, stand.users[0], at: 1)
        #expect(try stand.waitUntil(stand.users[0], isBlocked: false, at: [0, 1]))
        #expect(try stand.waitUntil(stand.users[1], isBlocked: true, at: [0, 1]))
        try stand.start(2)
        #expect(try stand.isBlocked(stand.users[1], at: 2) == true)
        #expect(try stand.isBlocked(stand.users[0], at: 2) == false)
    }

    @Test("calls that were made while gateways didn't hear of each other: suspended wins until the next call")
    func partitioned() throws {
        let stand = try FleetStand(gateways: 2, users: 2)
        let user = stand.users[0]
        stand.postgres.stop()
        try stand.setActive(false, user, at: 0)
        try stand.setActive(true, user, at: 1)
        #expect(try stand.isBlocked(user, at: 1) == false)
        try stand.postgres.start()
        #expect(try stand.waitUntil(user, isBlocked: true, seconds: 30))
        for number in 0..<2 {
            #expect(try stand.waitFor("tenantgate_fleet_contested_users", at: number) { $0 == 1 })
            #expect(try stand.gateways[number].metrics()["tenantgate_unconfirmed_users"] == 1)
        }
        // The mark goes with the suspension that was made meanwhile: both sides know of both words now.
        stand.kill(1)
        try stand.start(1)
        #expect(try stand.isBlocked(user, at: 1) == true, "also after a restart")
        #expect(try stand.setActive(true, user, at: 1).status == 200)
        #expect(try stand.waitUntil(user, isBlocked: false))
        #expect(try stand.waitFor("tenantgate_fleet_contested_users", at: 0) { $0 == 0 })
        #expect(try stand.waitFor("tenantgate_unconfirmed_users", at: 0) { $0 == 0 })
    }

    @Test("a shared log that is gone is made anew out of what the gateways know; the password is shown nowhere")
    func madeAnew() throws {
        let postgres = try TestPostgres()
        let folder = try TemporaryFolder()
        try folder.write("wonderland\n", to: "password")
        let stand = try FleetStand(
            gateways: 2, users: 2, fleet: ["password_file: \"\(folder.path("password"))\""], postgres: postgres)
        try stand.setActive(false, stand.users[0], at: 0)
        #expect(try stand.waitUntil(stand.users[0], isBlocked: true))
        _ = try postgres.ask("DROP SCHEMA tenantgate CASCADE")
        try postgres.cut()
        #expect(try stand.waitUntilJoined())
        #expect(try stand.waitFor("tenantgate_fleet_applied_number", at: 1) { $0 > 0 })
        #expect(try stand.postgres.ask("SELECT count(*) FROM tenantgate.entries WHERE state = 1") != "0")
        for number in 0..<2 { #expect(try stand.isBlocked(stand.users[0], at: number) == true) }
        for gateway in stand.gateways {
            #expect(!gateway.process.errorText.contains("wonderland"))
            #expect(!(try gateway.probe("/readyz").text + gateway.probe("/metrics").text).contains("wonderland"))
        }
    }
}
