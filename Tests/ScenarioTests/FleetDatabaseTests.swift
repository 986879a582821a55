import Foundation
import TestSupport
import Testing

/// The database as operators have it: behind TLS, of several hosts, and growing.
@Suite("fleet: the database", .serialized, .timed, .enabled(if: TestPostgres.programs != nil, Comment(rawValue: TestPostgres.missing)))
struct FleetDatabaseTests {
    @Test("sslmode=verify-full: joined by a certificate of the named authority, and by no other")
    func verified() throws {
        let authority = try TestCertificate(["DNS:ca.test"])
        let server = try TestCertificate(["IP:127.0.0.1"], issuer: authority)
        let postgres = try TestPostgres(certificate: server)
        let good = "\(postgres.uri)?sslmode=verify-full&sslrootcert=\(authority.chainFile)"
        let stand = try FleetStand(gateways: 2, users: 1, postgres: postgres, uri: good)
        #expect(try stand.setActive(false, stand.users[0], at: 0).status == 200)
        #expect(try stand.waitUntil(stand.users[0], isBlocked: true))
        let spoken = try stand.postgres.ask(
            "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'tenantgate'")
        #expect(spoken == "t")

        let stranger = try TestCertificate(["DNS:ca.test"])
        let bad = "\(postgres.uri)?sslmode=verify-full&sslrootcert=\(stranger.chainFile)"
        let alone = try FleetStand(gateways: 1, users: 1, postgres: postgres, uri: bad)
        #expect(try alone.waitFor("tenantgate_fleet_link{state=\"away\"}", at: 0) { $0 == 1 })
        #expect(try alone.gateways[0].probe("/readyz").text.contains("certificate verify failed"))
    }

    @Test("what the database remarks on isn't written among what the gateway says")
    func notices() throws {
        let postgres = try TestPostgres()
        // Whoever makes the tables is told that the schema is there.
        _ = try postgres.ask("CREATE SCHEMA tenantgate")
        let stand = try FleetStand(gateways: 1, users: 1, postgres: postgres)
        #expect(try stand.waitUntilJoined())
        let said = stand.gateways[0].process.errorText
        #expect(said.contains("fleet: joined"))
        #expect(!said.contains("NOTICE"))
    }

    @Test("two hosts: the one that takes over lacks the end, and is told it; nobody is un-suspended")
    func failOver() throws {
        let (first, second) = (try TestPostgres(), try TestPostgres(runs: false))
        let uri = "postgresql://postgres@127.0.0.1:\(first.port),127.0.0.1:\(second.port)/postgres"
        let stand = try FleetStand(gateways: 2, users: 3, postgres: first, uri: uri)
        let (old, lost) = (stand.users[0], stand.users[1])
        try stand.setActive(false, old, at: 0)
        #expect(try stand.waitUntil(old, isBlocked: true))
        first.stop()
        try first.copy(to: "copy")
        try first.start()
        #expect(try stand.waitUntilJoined())
        try stand.setActive(false, lost, at: 1)
        #expect(try stand.waitUntil(lost, isBlocked: true))
        first.kill()
        try second.takeOver(from: first, copy: "copy")
        #expect(try stand.waitUntilJoined(seconds: 30))
        for number in 0..<2 { for user in [old, lost] { #expect(try stand.isBlocked(user, at: number) == true) } }
        #expect(try second.ask("SELECT count(*) FROM tenantgate.entries WHERE userid = '\(lost)'") == "1", "it was told what it lacked")
        try stand.setActive(false, stand.users[2], at: 0)
        #expect(try stand.waitUntil(stand.users[2], isBlocked: true))
    }

    @Test("a pooler that keeps notifications back is noticed and told of; the others are heard all the same")
    func deaf() throws {
        let postgres = try TestPostgres()
        let pooler = try DeafDatabase(before: postgres.port)
        let stand = try FleetStand(gateways: 2, users: 1, postgres: postgres, uri: pooler.uri)
        for number in 0..<2 {
            #expect(try stand.waitFor("tenantgate_fleet_listening", at: number) { $0 == 0 })
            #expect(try stand.gateways[number].probe("/readyz").text.contains("LISTEN gets nothing"))
        }
        #expect(try stand.setActive(false, stand.users[0], at: 0).status == 200)
        #expect(try stand.waitUntil(stand.users[0], isBlocked: true))
    }

    @Test("the log is cut of what is old and replaced; whoever reads it anew has the same list")
    func cut() throws {
        let stand = try FleetStand(gateways: 2, users: 3)
        let (suspended, reactivated, young) = (stand.users[0], stand.users[1], stand.users[2])
        for (user, states) in [(suspended, [false, true, false]), (reactivated, [false, true]), (young, [false, true, false])] {
            // By turns: what is in force at a gateway its next call knows of, and its own words it hears a moment after their answers.
            for (number, active) in states.enumerated() {
                try stand.setActive(active, user, at: number % 2)
                #expect(try stand.waitUntil(user, isBlocked: !active))
            }
        }
        #expect(try stand.waitUntilJoined())
        _ = try stand.postgres.ask("UPDATE tenantgate.entries SET at = at - 31 * 86400000::bigint WHERE userid <> '\(young)'")
        stand.kill(1)
        try stand.start(1)
        let deadline = Date(timeIntervalSinceNow: 20)
        let count =
            "SELECT count(*) FILTER (WHERE userid = '\(suspended)') || ' ' || count(*) FILTER (WHERE userid = '\(reactivated)') "
            + "|| ' ' || count(*) FILTER (WHERE userid = '\(young)') FROM tenantgate.entries"
        while try stand.postgres.ask(count) != "1 1 3", Date() < deadline {}
        #expect(try stand.postgres.ask(count) == "1 1 3")
        stand.kill(0)
        try stand.forgetLedger(of: 0)
        try stand.start(0)
        for (user, isBlocked) in [(suspended, true), (reactivated, false), (young, true)] {
            #expect(try stand.isBlocked(user, at: 0) == isBlocked, "\(user)")
        }
    }
}
