import Foundation
import TestSupport
import Testing

/// The main job with real curl, for both dialects: what the README promises.
@Suite("main job with curl", .serialized, .timed)
struct MainJobTests {
    @Test("verify, isolate, suspend, refuse, reactivate", arguments: Dialect.both, ["--http1.1", "--http2"])
    func mainJob(_ dialect: Dialect, version: String) throws {
        let world = try World()
        let curl = try Curl(world, dialect, version)
        let probe = "/users/\(dialect.member)"

        #expect(try curl.run(token: dialect.memberToken, probe).map(\.status) == [200])
        let anonymous = try curl.run(token: nil, probe)[0]
        #expect(anonymous.status == 401)
        #expect(anonymous.code == "unauthenticated")
        #expect(anonymous.field("www-authenticate")?.hasPrefix("Bearer") == true)
        #expect(anonymous.field("www-authenticate")?.contains("error=") == false)

        let mismatch = try curl.run(token: dialect.memberToken, tenant: dialect.otherTenant, probe)[0]
        #expect(mismatch.status == 403)
        #expect(mismatch.gatewayCode == "tenant_mismatch")
        let body = try #require(mismatch.json)
        #expect(((dialect.isJITSudo ? body : body["error"] as? [String: Any]) ?? [:])["code"] as? String == "tenant_mismatch")
        #expect(!mismatch.text.contains(dialect.tenant), "a refusal must not tell another tenant's id")

        let suspended = try curl.suspend(dialect.member, active: false)
        #expect(suspended.status == 200)
        #expect(dialect.isSuspended(suspended) == true)
        #expect(suspended.field("suspension-reach") == "gateway")
        #expect(try curl.run(token: dialect.memberToken, probe)[0].gatewayCode == "user_suspended")

        let reactivated = try curl.suspend(dialect.member, active: true)
        #expect(reactivated.status == 200)
        #expect(dialect.isSuspended(reactivated) == false)
        #expect(try curl.run(token: dialect.memberToken, probe).map(\.status) == [200])
    }

    @Test("the next request on a connection that is open already is refused", arguments: Dialect.both)
    func openConnection(_ dialect: Dialect) throws {
        let world = try World()
        let client = try world.gateway.client()
        let probe = dialect.call("GET", "/users/\(dialect.member)", token: dialect.memberToken)
        #expect(try client.exchange(probe).status == 200)
        #expect(try world.gateway.ask(dialect.setActive(false, dialect.member)).status == 200)
        let refused = try client.exchange(probe)
        #expect(refused.status == 403)
        #expect(refused.gatewayCode == "user_suspended")
        #expect(try world.gateway.ask(dialect.setActive(true, dialect.member)).status == 200)
        if refused.endsConnection { return }
        #expect(try client.exchange(probe).status == 200)
    }

    @Test("a suspension that the service refuses changes nothing", arguments: Dialect.both)
    func refused(_ dialect: Dialect) throws {
        let world = try World()
        let curl = try Curl(world, dialect)
        let noSuchUser = dialect.isJITSudo ? "0E000000-0000-4000-8000-00000000000E" : "usr_none"
        let missing = try curl.suspend(noSuchUser, active: false)
        #expect(missing.status == 404)
        #expect(missing.gatewayCode == nil, "the service's own answer is passed on")
        #expect(try world.isBlocked(noSuchUser, dialect) == false)
        let owner = try curl.suspend(dialect.protected, active: false)
        #expect(owner.status == 403)
        #expect(owner.gatewayCode == nil)
        #expect(try world.isBlocked(dialect.protected, dialect) == false)
        let asMember = try world.gateway.ask(dialect.setActive(false, dialect.member, token: dialect.memberToken))
        #expect(asMember.status == 403)
        #expect(asMember.gatewayCode == nil, "the service decides who may suspend")
        #expect(try world.isBlocked(dialect.member, dialect) == false)
    }

    @Test("public routes need no token, and the service's identity headers are the gateway's alone")
    func publicRoutes() throws {
        let world = try World()
        #expect(try world.gateway.ask(request("GET", "/healthz")).status == 200)
        let login = request("POST", "/v1/auth/login", ["X-User-ID: \(TestIssuers.acmeAdmin)"], body: #"{"email":"ben@acme.example"}"#)
        #expect(try world.gateway.ask(login).status == 200)
        let forged = ["X-User-ID: \(TestIssuers.acmeAdmin)", "X-User-Roles: admin"]
        let answer = try world.gateway.ask(
            Dialect.jitsudo.setActive(false, TestIssuers.acmeOwner, token: Dialect.jitsudo.memberToken, forged))
        #expect(answer.json?["notices"] as? [String] == ["only admins suspend"])
    }

    @Test("every request leaves one line in the access log, and none holds a token")
    func accessLog() throws {
        let world = try World()
        for _ in 0..<3 { _ = try world.gateway.ask(Dialect.jitsudo.probe(Dialect.jitsudo.memberToken)) }
        _ = try world.gateway.ask(request("GET", "/nowhere"))
        world.gateway.process.terminate()
        let log = world.gateway.accessLog
        #expect(log.count == 4)
        #expect(log.filter { $0["code"] as? String == "route_not_found" }.count == 1)
        #expect(!world.gateway.process.outputText.contains("eyJ"))
    }
}

/// curl as people use it: real certificate check, real TLS, one process per line.
struct Curl {
    private let world: World
    private let dialect: Dialect
    private let certificate: String
    /// `--http1.1` or `--http2`.
    private let version: String

    init(_ world: World, _ dialect: Dialect, _ version: String = "--http1.1") throws {
        self.world = world
        self.version = version
        self.dialect = dialect
        certificate = world.folder.path("tls/gateway.pem")
    }

    /// GETs `path` once with each further argument list.
    func run(token: String?, tenant: String? = nil, _ path: String, _ more: [String] = []) throws -> [WireAnswer] {
        var arguments = ["--silent", "--show-error", "--include", version, "--cacert", certificate, "--max-time", "20"]
        if let token { arguments += ["--header", "Authorization: Bearer \(token)"] }
        if let tenant = tenant ?? (dialect.isJITSudo ? dialect.tenant : nil) { arguments += ["--header", "X-Tenant-ID: \(tenant)"] }
        arguments += more + ["https://localhost:\(world.gateway.port)\(dialect.base)\(path)"]
        let result = try ChildProcess.run("curl", arguments, in: world.folder)
        guard result.status == 0 else { throw ChildFailed(program: "curl", errors: result.errors) }
        return [try answer(result.output)]
    }

    func suspend(_ user: String, active: Bool) throws -> WireAnswer {
        let path = "/users/\(user)/" + (dialect.isJITSudo || !active ? "suspend" : "activate")
        let body = dialect.isJITSudo ? ["--json", #"{"active": \#(active)}"#] : ["--request", "POST"]
        return try run(token: dialect.adminToken, path, body)[0]
    }

    /// Splits what `--include` prints.
    private func answer(_ output: String) throws -> WireAnswer {
        let parts = output.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let (start, fields) = splitHead(parts[0].utf8)
        let words = start.split(separator: " ")
        guard parts.count == 2, words.count > 1, let status = Int(words[1]) else { throw StreamError.malformed(output) }
        guard (words[0] == "HTTP/2") == (version == "--http2") else { throw StreamError.malformed("answered by \(words[0])") }
        return WireAnswer(status: status, fields: fields, body: Array(parts[1].utf8))
    }
}
