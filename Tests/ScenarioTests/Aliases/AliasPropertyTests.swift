import Foundation
import TestSupport
import Testing

/// Whatever happens to users and their addresses: no name lets in a user who is suspended.
@Suite("suspended users and their aliases", .serialized, .timed)
struct AliasPropertyTests {
    @Test("no request of a suspended user is let in by any name, whatever moves, and through kill -9", arguments: [1, 2])
    func property(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let stand = try AliasStand()
        let users = [AliasStand.ana, AliasStand.ben, TestIssuers.acmeOwner]
        let admin = Dialect.jitsudo.adminToken
        var emails = [AliasStand.ana: "ana@acme.example", AliasStand.ben: "ben@acme.example", TestIssuers.acmeOwner: "olga@acme.example"]
        var suspended: Set<String> = []
        var (refused, admitted) = (0, 0)
        for step in 0..<80 {
            let user = random.pick(Array(users.dropFirst()))
            switch Int.random(in: 0..<10, using: &random) {
            case 0...2 where user != TestIssuers.acmeOwner:
                let active = suspended.contains(user)
                #expect(try stand.set(active, user).status == 200)
                if active { suspended.remove(user) } else { suspended.insert(user) }
            case 3...4:
                // Two users change places; whoever asks sees both.
                let (a, b) = (emails[AliasStand.ben]!, emails[TestIssuers.acmeOwner]!)
                try stand.edit(AliasStand.ben, email: "moving-\(step)@acme.example")
                try stand.edit(TestIssuers.acmeOwner, email: a)
                try stand.edit(AliasStand.ben, email: b)
                (emails[AliasStand.ben], emails[TestIssuers.acmeOwner]) = (b, a)
                try see(stand, admin)
            case 5:
                let email = "new-\(step)@acme.example"
                try stand.edit(user, email: email)
                emails[user] = email
                try see(stand, admin)
            case 6 where step % 20 == 6: try stand.world.killAndRestart()
            default: break
            }
            for (user, email) in emails {
                let answer = try stand.probe(random.chance(50) ? email.uppercased() : email)
                if passed(answer) {
                    admitted += 1
                    #expect(!suspended.contains(user), "\(email) of \(user) at step \(step)")
                } else {
                    refused += 1
                    #expect(answer.gatewayCode == "user_suspended" || answer.gatewayCode == "invalid_token", "\(answer.status) at \(step)")
                    if answer.gatewayCode == "user_suspended" { #expect(suspended.contains(user)) }
                }
            }
        }
        #expect(admitted > 80 && refused > 20)
    }

    /// Has the gateway see everybody, and waits until it has taken it.
    private func see(_ stand: AliasStand, _ admin: String) throws {
        let answer = try stand.world.gateway.ask(request("GET", "/v1/users", token: admin, tenant: TestIssuers.acme))
        #expect(answer.status == 200)
        // What was read before is taken before: whom nobody knows is asked for behind it, in the same line.
        #expect(isUnknown(try stand.probe("nobody-\(UUID().uuidString)@acme.example")))
    }
}
