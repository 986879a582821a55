import Foundation
import TestSupport
import Testing

/// A changed file is put in force whole or not at all, and nobody's connection notices (SPEC §5).
@Suite("reload", .serialized, .timed)
struct ReloadTests {
    @Test("SIGHUP puts a changed file in force on connections that are open, and says in one line what changed")
    func hangup() throws {
        let stand = try ReloadStand()
        let client = try stand.gateway.client()
        #expect(try client.exchange(stand.get("/v1/things")).status == 200)
        try stand.edit { $0.routes = ["- {path: /v1/things, upstream: jitsudo, require: {roles: [admin]}}"] }
        #expect(try stand.reload() == "reloaded \(stand.file): routes")
        #expect(try client.exchange(stand.get("/v1/things")).gatewayCode == "insufficient_role")
        stand.gateway.process.send(signal: SIGHUP)
        _ = try stand.gateway.process.waitForErrors { $0.contains("reloaded \(stand.file): nothing has changed") ? true : nil }
    }

    @Test("a file that is written or renamed into place is reloaded without being asked", arguments: [false, true])
    func changedFile(byRenaming: Bool) throws {
        let stand = try ReloadStand()
        try stand.edit(byRenaming: byRenaming) { $0.routes = ["- {path: /v1/things, upstream: jitsudo, require: {roles: [admin]}}"] }
        #expect(try stand.nextReload() == "reloaded \(stand.file): routes")
        #expect(try stand.ask("/v1/things").gatewayCode == "insufficient_role")
    }

    @Test("turning a symbolic link, as Kubernetes does, reloads what is behind it")
    func symbolicLink() throws {
        let stand = try ReloadStand(throughLinks: true)
        try stand.turnLinks { $0.routes = ["- {path: /v1/things, upstream: jitsudo, require: {roles: [admin]}}"] }
        #expect(try stand.nextReload().hasPrefix("reloaded \(stand.file): routes"))
        #expect(try stand.ask("/v1/things").gatewayCode == "insufficient_role")
        try stand.turnLinks { _ in }
        #expect(try stand.nextReload().hasPrefix("reloaded \(stand.file): routes"))
        #expect(try stand.ask("/v1/things").status == 200)
    }

    @Test("a secret that changes on its own: tokens of the old one stop at once, though they were remembered")
    func secret() throws {
        let stand = try ReloadStand()
        let client = try stand.gateway.client()
        #expect(try client.exchange(stand.get("/v1/things")).status == 200)
        let next = TokenForge(
            issuer: TestIssuers.jitsudo.issuer, audience: TestIssuers.jitsudo.audience,
            key: .hs256(secret: Array("another-secret-of-jitsudo-012345".utf8)))
        try stand.folder.write("another-secret-of-jitsudo-012345\n", to: "secrets/jitsudo")
        #expect(try stand.nextReload() == "reloaded \(stand.file): secrets/jitsudo")
        #expect(try client.exchange(stand.get("/v1/things")).gatewayCode == "invalid_token")
        let token = next.token(user: TestIssuers.acmeAdmin, ["tenant_id": TestIssuers.acme])
        #expect(try client.exchange(stand.get("/v1/things", token: token)).status == 200)
    }

    @Test("a refused file names every problem at once, and the rules before go on")
    func refused() throws {
        let stand = try ReloadStand()
        try stand.edit {
            $0.routes = ["- {path: /v1/things, upstream: nowhere, tennant: none}"]
            $0.more = ["limits: {token: 8KB}"]
        }
        let line = try stand.nextReload()
        #expect(line == "reload refused: \(stand.file) can't be put in force; what was before goes on")
        for problem in ["there is no upstream `nowhere`", "unknown key `tennant`", "8KB", "3 errors"] {
            #expect(stand.gateway.process.errorText.contains(problem), "\(problem)")
        }
        #expect(try stand.ask("/v1/things").status == 200)
    }

    @Test("what needs a restart is named, and the file refused with it")
    func restartKeys() throws {
        let stand = try ReloadStand({ $0.adminTokens = true })
        try stand.edit {
            $0.threads = 1
            $0.directories = ["more: {id_format: uuid}"]
            $0.more = ["log: off", "limits: {open_suspend_calls: 3}", "probes: {address: 127.0.0.1:0}"]
            $0.admin = true
        }
        #expect(try stand.nextReload().hasPrefix("reload refused"))
        for key in ["`threads`", "`log.to`", "`limits.open_suspend_calls`", "`probes.address`", "`admin.address`"] {
            #expect(stand.gateway.process.errorText.contains("\(key) can't change without a restart"), "\(key)")
        }
        #expect(stand.gateway.process.errorText.contains("the directory `more` can't be added without a restart"))
        #expect(try stand.ask("/v1/things").status == 200)
    }

    @Test("directories may change their order: blocks stay with their names")
    func directoryOrder() throws {
        let world = try World()
        let dialect = Dialect.rinne
        #expect(try world.gateway.ask(dialect.setActive(false, dialect.member)).status == 200)
        let text = try String(contentsOfFile: world.file, encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let first = try #require(lines.firstIndex { $0.hasPrefix("  jitsudo: {dialect") })
        var swapped = lines
        swapped.swapAt(first, first + 1)
        try swapped.joined(separator: "\n").write(toFile: world.file, atomically: true, encoding: .utf8)
        _ = try world.gateway.process.waitForLine { $0.hasPrefix("reloaded ") ? true : nil }
        #expect(try world.isBlocked(dialect.member, dialect) == true)
        #expect(try world.isBlocked(Dialect.jitsudo.member, .jitsudo) == false)
    }

    @Test("a request in progress finishes by the rules and with the upstream that it was admitted by")
    func inProgress() throws {
        let gate = TestGate()
        let stand = try ReloadStand(script: { request in
            if request.target == "/v1/slow" { gate.wait() }
            return [.json("{}")]
        })
        let client = try stand.gateway.client()
        try client.stream.send(Array(stand.get("/v1/slow").utf8))
        #expect(stand.upstream.wait { $0.received == 1 })
        let other = try RecordingUpstream { _ in [.json(#"{"other":true}"#)] }
        try stand.edit {
            $0.jitsudoPort = other.port
            $0.routes = ["- {path: /v1/slow, upstream: jitsudo, require: {roles: [admin]}}"]
        }
        #expect(try stand.nextReload() == "reloaded \(stand.file): routes, upstreams")
        #expect(try stand.ask("/v1/things").text.contains("other"))
        gate.open()
        #expect(try client.answer(to: "GET").status == 200)
        #expect(try client.exchange(stand.get("/v1/slow")).gatewayCode == "insufficient_role")
    }

    @Test("an upstream that hasn't changed keeps its connections, another's end")
    func pools() throws {
        let stand = try ReloadStand()
        for _ in 0..<4 { #expect(try stand.ask("/v1/things").status == 200) }
        let before = stand.upstream.connections.accepted
        try stand.edit { $0.routes = ["- {path: /v1/more, upstream: jitsudo}"] }
        _ = try stand.nextReload()
        for _ in 0..<4 { #expect(try stand.ask("/v1/things").status == 200) }
        #expect(stand.upstream.connections.accepted <= max(before, 2), "two loops, a connection each")
        try stand.edit { $0.connections = 100 }
        _ = try stand.nextReload()
        for _ in 0..<2 { #expect(try stand.ask("/v1/things").status == 200) }
        #expect(stand.upstream.connections.accepted > before)
        #expect(stand.upstream.wait { $0.connections.open <= 2 })
    }
}
