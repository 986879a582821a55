import Foundation
import TestSupport
import Testing

/// `fresh_token_after_reactivation`: what a token from before a reactivation is worth after it (SPEC §4, "What happens to the user").
@Suite("fresh tokens after a reactivation", .serialized, .timed)
struct FreshTokenTests {
    private static let now = Int(Date().timeIntervalSince1970)
    /// The next second is never waited for: tokens may be as far ahead as the leeway.
    private static var soon: Int { Int(Date().timeIntervalSince1970) + 5 }

    private func token(
        _ user: String, _ dialect: Dialect, at time: Any = now - 60, tenant: String? = nil, _ more: [String: Any] = [:]
    ) -> String {
        let forge = dialect.isJITSudo ? TestIssuers.jitsudo : TestIssuers.rinne
        let claims: [String: Any] = ["tenant_id": tenant ?? dialect.tenant, "iat": time]
        return forge.token(user: user, claims.merging(more) { $1 })
    }

    /// `passed` for the service's own answer, else the gateway's code.
    private func verdict(_ client: WireClient, _ dialect: Dialect, _ token: String, tenant: String? = nil) throws -> String {
        try verdict(client.exchange(dialect.call("GET", "/probe", token: token, tenant: tenant)))
    }

    private func verdict(_ answer: WireAnswer) -> String { answer.gatewayCode ?? "passed" }

    private func setActive(_ active: Bool, _ user: String, _ world: World, _ dialect: Dialect) throws {
        let admin = token(dialect.admin, dialect, ["roles": ["admin"]])
        #expect(try world.gateway.ask(dialect.setActive(active, user, token: admin)).status == 200)
    }

    private func suspendAndReactivate(_ user: String, _ world: World, _ dialect: Dialect) throws {
        try setActive(false, user, world, dialect)
        try setActive(true, user, world, dialect)
    }

    @Test("a token from before is refused on every loop, remembered or not, and after SIGKILL; a later one passes", arguments: Dialect.both)
    func reactivated(_ dialect: Dialect) throws {
        let world = try World { $0.wantsFreshTokens = true }
        let (old, other) = (token(dialect.member, dialect), token(dialect.admin, dialect))
        // Several connections, so that every loop remembers the token.
        let clients = try (0..<8).map { _ in try world.gateway.client() }
        for client in clients { #expect(try verdict(client, dialect, old) == "passed") }
        try setActive(false, dialect.member, world, dialect)
        for client in clients { #expect(try verdict(client, dialect, old) == "user_suspended") }
        try setActive(true, dialect.member, world, dialect)
        for client in clients {
            let answer = try client.exchange(dialect.probe(old))
            #expect(answer.status == 401 && verdict(answer) == "token_expired")
            let place = dialect.isJITSudo ? 0 : 1
            #expect(answer.text.contains("\"rule\":\"credentials[\(place)].fresh_token_after_reactivation\""), "\(answer.text)")
            #expect(try verdict(client, dialect, token(dialect.member, dialect, at: Self.soon)) == "passed")
            #expect(try verdict(client, dialect, other) == "passed", "nobody else's")
        }
        try world.killAndRestart()
        let client = try world.gateway.client()
        #expect(try verdict(client, dialect, old) == "token_expired")
        #expect(try verdict(client, dialect, token(dialect.member, dialect, at: Self.now - 1)) == "token_expired", "one never seen before")
        #expect(try verdict(client, dialect, token(dialect.member, dialect, at: Self.soon)) == "passed")
        #expect(try verdict(client, dialect, other) == "passed")
    }

    @Test("without the option the old token passes again; with it a token must say when it was issued", arguments: Dialect.both)
    func option(_ dialect: Dialect) throws {
        let plain = try World()
        try suspendAndReactivate(dialect.member, plain, dialect)
        #expect(try verdict(plain.gateway.client(), dialect, token(dialect.member, dialect)) == "passed")
        #expect(try verdict(plain.gateway.client(), dialect, token(dialect.member, dialect, at: NSNull())) == "passed")
        let fresh = try World { $0.wantsFreshTokens = true }
        #expect(try verdict(fresh.gateway.client(), dialect, token(dialect.member, dialect, at: NSNull())) == "invalid_token")
    }

    @Test("the reactivation counts where it was made: JITSudo's in the tenant, Rinne's in every company", arguments: Dialect.both)
    func scope(_ dialect: Dialect) throws {
        let world = try World { $0.wantsFreshTokens = true }
        try suspendAndReactivate(dialect.member, world, dialect)
        let elsewhere = token(dialect.member, dialect, tenant: dialect.otherTenant)
        let tenant = dialect.isJITSudo ? dialect.otherTenant : nil
        #expect(try verdict(world.gateway.client(), dialect, elsewhere, tenant: tenant) == (dialect.isJITSudo ? "passed" : "token_expired"))
    }

    @Test("whoever acts for another is asked too", arguments: Dialect.both)
    func actors(_ dialect: Dialect) throws {
        let world = try World { $0.wantsFreshTokens = true }
        try suspendAndReactivate(dialect.member, world, dialect)
        let acting: [String: Any] = ["act": ["sub": dialect.admin, "act": ["sub": dialect.member]]]
        let client = try world.gateway.client()
        #expect(try verdict(client, dialect, token(dialect.protected, dialect, acting)) == "token_expired")
        #expect(try verdict(client, dialect, token(dialect.protected, dialect, at: Self.soon, acting)) == "passed")
        #expect(try verdict(client, dialect, token(dialect.protected, dialect)) == "passed")
    }

    @Test("routes for suspended users don't ask, and routes that observe note it", arguments: Dialect.both)
    func routes(_ dialect: Dialect) throws {
        let upstream = dialect.description
        let world = try World { file in
            file.wantsFreshTokens = true
            file.routes = [
                "- {path: \(dialect.base)/logout, upstream: \(upstream), require: upstream, suspended: allow}",
                "- {path: \(dialect.base)/legacy, upstream: \(upstream), require: upstream, mode: observe, until: 2999-12-31}",
            ]
        }
        try suspendAndReactivate(dialect.member, world, dialect)
        for path in ["/logout", "/legacy"] {
            #expect(try verdict(world.gateway.ask(dialect.call("GET", path, token: token(dialect.member, dialect)))) == "passed")
        }
        _ = world.gateway.process.terminate()
        let noted = world.gateway.accessLog.compactMap { line in (line["would_refuse"] as? String).map { (line["route"] as? String, $0) } }
        #expect(noted.count == 1 && noted.first?.0 == "\(dialect.base)/legacy" && noted.first?.1 == "token_expired")
    }

    @Test("an operator's lift counts too", arguments: Dialect.both)
    func byHand(_ dialect: Dialect) throws {
        let world = try World { $0.wantsFreshTokens = true }
        _ = world.gateway.process.terminate()
        let tenant = dialect.isJITSudo ? ["--tenant", dialect.tenant] : []
        for step in ["add", "lift"] {
            let arguments = [
                "suspensions", step, "--ledger", "sqlite:\(world.folder.path("var/tenantgate.db"))", "--operator", "ops", "--directory",
                dialect.description, "--user", dialect.member, "--reason", "INC-1",
            ]
            let done = try ChildProcess.run(try BuildProducts.program("tenantgate").path, arguments + tenant, in: world.folder)
            #expect(done.status == 0, "\(done.errors)")
        }
        try world.killAndRestart()
        #expect(try verdict(world.gateway.client(), dialect, token(dialect.member, dialect)) == "token_expired")
        #expect(try verdict(world.gateway.client(), dialect, token(dialect.member, dialect, at: Self.soon)) == "passed")
    }
}
