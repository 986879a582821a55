import Foundation
import TestSupport
import Testing

/// Tokens of an identity provider that knows users by their addresses (SPEC §2). Real programs throughout.
@Suite("tokens with an alias", .serialized, .timed)
struct AliasTests {
    @Test("a user whom nobody has seen yet is asked for once, and is then known, also after kill -9 and with the service away")
    func found() throws {
        let stand = try AliasStand()
        #expect(passed(try stand.probe("Ben@ACME.example")))
        #expect(passed(try stand.probe("ben@acme.example")))
        #expect(try stand.searches() == 1)
        #expect(try stand.world.gateway.metrics()["tenantgate_aliases"] == 1)
        try waitForLedger(stand)
        try stand.world.killAndRestart()
        stand.world.jitsudo.process.kill()
        // The service is away, and who it is is known all the same.
        #expect(try stand.probe("ben@acme.example").gatewayCode == "upstream_unavailable")
        #expect(try stand.searches() == 0)
    }

    @Test("whoever is suspended is refused by every name, at once and after kill -9; and let in again by every name")
    func suspended() throws {
        let stand = try AliasStand()
        #expect(passed(try stand.probe("ben@acme.example")))
        #expect(try stand.set(false, AliasStand.ben).status == 200)
        #expect(try stand.probe("ben@acme.example").gatewayCode == "user_suspended")
        #expect(try stand.world.isBlocked(AliasStand.ben, .jitsudo) == true)
        try waitForLedger(stand)
        try stand.world.killAndRestart()
        #expect(try stand.probe("BEN@acme.example").gatewayCode == "user_suspended")
        #expect(try stand.set(true, AliasStand.ben).status == 200)
        #expect(passed(try stand.probe("ben@acme.example")))
        // Who was never seen by that name before he was suspended.
        #expect(try stand.set(false, TestIssuers.globexAdmin).status != 200)
        let globex = TestIssuers.jitsudoToken(TestIssuers.globexAdmin, tenant: TestIssuers.globex, roles: ["admin"])
        let call = request(
            "POST", "/v1/users/\(TestIssuers.globexAdmin)/suspend", token: globex, tenant: TestIssuers.globex, body: #"{"active":false}"#)
        #expect(try stand.world.gateway.ask(call).status == 200)
        #expect(try stand.probe("carl@globex.example", tenant: TestIssuers.globex).gatewayCode == "user_suspended")
    }

    @Test("whom the service's answer to a search shows as suspended is refused with that very request, and lifted like anybody")
    func seenSuspended() throws {
        let stand = try AliasStand()
        let service = try stand.world.service(of: .jitsudo).client()
        #expect(try service.exchange(Dialect.jitsudo.setActive(false, AliasStand.ben)).status == 200)
        #expect(try stand.probe("ben@acme.example").gatewayCode == "user_suspended")
        #expect(try stand.world.isBlocked(AliasStand.ben, .jitsudo) == true)
        #expect(try stand.set(true, AliasStand.ben).status == 200)
        #expect(passed(try stand.probe("ben@acme.example")))
    }

    @Test("one tenant's user is nobody in another, whoever has been seen there")
    func tenants() throws {
        let stand = try AliasStand()
        #expect(passed(try stand.probe("ben@acme.example")))
        #expect(isUnknown(try stand.probe("ben@acme.example", tenant: TestIssuers.globex)))
        #expect(isUnknown(try stand.probe("carl@globex.example")))
        #expect(passed(try stand.probe("carl@globex.example", tenant: TestIssuers.globex)))
        // A token of two tenants means the one that the request names; without a header it is refused as ever.
        let both = TestIssuers.loginToken("ben@acme.example", tenant: [TestIssuers.acme, TestIssuers.globex])
        #expect(passed(try stand.world.gateway.ask(request("GET", "/v1/probe", token: both, tenant: TestIssuers.acme))))
        #expect(isUnknown(try stand.world.gateway.ask(request("GET", "/v1/probe", token: both, tenant: TestIssuers.globex))))
        #expect(try stand.world.gateway.ask(request("GET", "/v1/probe", token: both)).gatewayCode == "tenant_required")
    }

    @Test("without a way to ask users are known from what the service has shown, verified, in an answer to anybody")
    func passive() throws {
        let stand = try AliasStand(searches: false)
        #expect(isUnknown(try stand.probe("ben@acme.example")))
        try stand.look(at: AliasStand.ben)
        try wait { passed(try stand.probe("ben@acme.example")) }
        // From the answer to a suspend call, too.
        #expect(isUnknown(try stand.probe("ana@acme.example")))
        #expect(try stand.set(true, AliasStand.ana).status == 200)
        try wait { passed(try stand.probe("ana@acme.example")) }
        #expect(isUnknown(try stand.probe("olga@acme.example")))
    }

    @Test(
        "an address that somebody only writes into a profile is nobody's; one that is verified no more stops at once; one that moves, moves"
    )
    func attacks() throws {
        let stand = try AliasStand(searches: false)
        try stand.look(at: AliasStand.ben)
        try wait { passed(try stand.probe("ben@acme.example")) }
        #expect(try stand.set(false, AliasStand.ben).status == 200)
        // Ana takes Ben's address, unverified: her profile shows it, and his name stays his.
        try stand.edit(AliasStand.ana, email: "ben@acme.example", verified: false)
        try stand.look(at: AliasStand.ana)
        try stand.look(at: TestIssuers.acmeOwner)
        try wait { passed(try stand.probe("olga@acme.example")) }
        #expect(try stand.probe("ben@acme.example").gatewayCode == "user_suspended")
        // An unverified one of his own.
        try stand.edit(TestIssuers.acmeOwner, verified: false)
        try stand.look(at: TestIssuers.acmeOwner)
        try wait { isUnknown(try stand.probe("olga@acme.example")) }
        // It moves: Ana has verified it, and Ben's address is another one.
        try stand.edit(AliasStand.ben, email: "benjamin@acme.example")
        try stand.edit(AliasStand.ana, email: "ben@acme.example", verified: true)
        try stand.look(at: AliasStand.ana)
        try wait { passed(try stand.probe("ben@acme.example")) }
        try stand.look(at: AliasStand.ben)
        try wait { try stand.probe("benjamin@acme.example").gatewayCode == "user_suspended" }
        #expect(passed(try stand.probe("ben@acme.example")))
        // A Kelvin sign is no k, and the issuer has to have verified it as well.
        #expect(isUnknown(try stand.probe("ben@acme.e\u{445}ample")))
        #expect(try stand.probe("ben@acme.example", ["email_verified": false]).gatewayCode == "invalid_token")
    }

    @Test("an address that two have at once names neither")
    func contested() throws {
        let stand = try AliasStand()
        try stand.edit(AliasStand.ana, email: "ben@acme.example")
        #expect(isUnknown(try stand.probe("ben@acme.example")))
        #expect(try stand.world.gateway.metrics()["tenantgate_aliases_contested"] == 1)
        // The service has put it right; somebody looks.
        try stand.edit(AliasStand.ana, email: "ana@acme.example")
        try stand.look(at: AliasStand.ana)
        try wait { passed(try stand.probe("ben@acme.example")) }
    }

    @Test("whom the service doesn't know is refused, asked for once in a while; a service that fails is told as that")
    func unknown() throws {
        let stand = try AliasStand()
        for _ in 0..<5 { #expect(isUnknown(try stand.probe("nobody@acme.example"))) }
        #expect(try stand.searches() == 1)
        stand.world.jitsudo.process.kill()
        let answer = try stand.probe("olga@acme.example")
        #expect(answer.status == 503 && answer.gatewayCode == "overloaded" && answer.field("retry-after") == "1")
        let refusal = #""status":401,"code":"invalid_token","stage":"authenticate","tenant":"\#(TestIssuers.acme)","user":null"#
        try wait { stand.world.gateway.process.outputText.contains(refusal) }
        #expect(!stand.world.gateway.process.outputText.contains("nobody@acme.example"))
    }

    @Test("explain says by what a user is known, and why not")
    func explain() throws {
        let stand = try AliasStand()
        #expect(passed(try stand.probe("Ben@acme.example")))
        #expect(try stand.set(false, AliasStand.ben).status == 200)
        let program = try BuildProducts.program("tenantgate").path
        func explain(_ email: String) throws -> String {
            let token = try stand.world.folder.write(TestIssuers.loginToken(email), to: "a.token")
            return try ChildProcess.run(
                program,
                [
                    "explain", "--config", stand.world.file, "--token-file", token, "--method", "GET", "--path", "/v1/probe", "--tenant",
                    TestIssuers.acme,
                ], in: stand.world.folder
            ).output
        }
        #expect(try explain("ben@acme.example").contains("is held by the running gateway"))
        stand.world.gateway.process.kill()
        let known = try explain("BEN@acme.example")
        #expect(known.contains("user \(AliasStand.ben) of jitsudo, known by the email ben@acme.example"), "\(known)")
        #expect(known.contains("403 user_suspended"), "\(known)")
        let unknown = try explain("olga@acme.example")
        #expect(unknown.contains("401 invalid_token") && unknown.contains("Rule: credentials[4].claims.user"), "\(unknown)")
        #expect(unknown.contains("knows no user of jitsudo by the verified email olga@acme.example; a running gateway would ask"))
    }

    private func wait(_ isGood: () throws -> Bool) throws {
        let end = Date.now.addingTimeInterval(10)
        while try !isGood(), Date.now < end { usleep(5000) }
        #expect(try isGood())
    }

    /// Waits until the ledger has what memory knows.
    private func waitForLedger(_ stand: AliasStand) throws {
        // A suspend call's row comes after what was learned before.
        _ = try stand.set(true, TestIssuers.acmeOwner)
    }
}
