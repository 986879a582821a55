import Foundation
import GRDB
import TestSupport
import Testing

/// Aliases where another gateway has seen what this one has not (SPEC §2): real programs throughout.
@Suite("aliases in a fleet", .serialized, .timed, .enabled(if: TestPostgres.programs != nil, Comment(rawValue: TestPostgres.missing)))
struct AliasFleetTests {
    private let stand: FleetStand

    init() throws {
        stand = try FleetStand(gateways: 2) { file in
            file.jitsudoDialect = AliasStand.dialect
            file.credentials = [AliasStand.credential]
            file.directoryKeys = ["service_tokens: [{file: secrets/service}]", "reconcile: off"]
        }
        #expect(try stand.waitUntilJoined())
    }

    private func email(_ user: Int) -> String { "\(stand.users[user])@fleet.example" }

    private func probe(_ email: String, at gateway: Int) throws -> WireAnswer {
        try stand.gateways[gateway].ask(request("GET", "/v1/probe", token: TestIssuers.loginToken(email), tenant: TestIssuers.acme))
    }

    /// Changes an address past everything.
    private func give(_ user: Int, _ email: String) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        let database = try DatabaseQueue(path: stand.jitsudo.database, configuration: configuration)
        try database.write {
            try $0.execute(sql: "UPDATE users SET email = ? WHERE id = ?", arguments: [email, stand.users[user].uppercased()])
        }
        try database.close()
    }

    @Test("a suspended user is not let in by an address whose last holder another gateway still had, and not as that one")
    func moved() throws {
        let address = email(0)
        #expect(passed(try probe(address, at: 1)))
        // What was learned is on disk when a later change is.
        #expect(try stand.setActive(true, stand.users[9], at: 1).status == 200)
        stand.kill(1)
        try give(0, "new-\(address)")
        try give(1, address)
        #expect(passed(try probe(address, at: 0)))
        #expect(try stand.setActive(false, stand.users[1], at: 0).status == 200)
        try stand.start(1)
        #expect(try stand.waitUntil(stand.users[1], isBlocked: true, at: [1]))
        #expect(try probe(address, at: 1).gatewayCode == "user_suspended")
        #expect(passed(try probe("new-\(address)", at: 1)))
        #expect(try stand.gateways[1].metrics()["tenantgate_alias_reads_total{result=\"read\"}"] == 1)
        // While the service can't be asked, nobody is let in by what the ledger has kept.
        #expect(try stand.setActive(true, stand.users[9], at: 1).status == 200)
        stand.kill(1)
        stand.jitsudo.process.kill()
        try stand.start(1)
        let answer = try probe("new-\(address)", at: 1)
        #expect(answer.status == 503 && answer.gatewayCode == "overloaded", "\(answer.status) \(answer.text)")
        #expect(try stand.gateways[1].metrics()["tenantgate_alias_reads_total{result=\"failed\"}"] == 1)
    }
}
