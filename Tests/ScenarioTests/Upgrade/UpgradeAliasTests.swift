import Foundation
import GRDB
import TestSupport
import Testing

/// Whom aliases mean while two processes answer, each by what it has learned itself.
@Suite("aliases over an upgrade", .serialized, .timed)
struct UpgradeAliasTests {
    private let stand: AliasStand
    private static let (olga, address) = (TestIssuers.acmeOwner, "olga@acme.example")

    init() throws {
        stand = try AliasStand(searches: false) { $0.admin = true }
        try stand.look(at: Self.olga)
        try wait { passed(try stand.probe(Self.address)) }
    }

    private func wait(_ isGood: () throws -> Bool) throws {
        let end = Date.now.addingTimeInterval(10)
        while try !isGood(), Date.now < end { usleep(5000) }
        #expect(try isGood())
    }

    /// A connection on which a request has begun, so that draining doesn't close it.
    private func begun(_ text: String) throws -> (finish: () throws -> WireAnswer, client: WireClient) {
        let client = try stand.world.gateway.client()
        client.owner = nil
        try client.stream.send(Array(text.prefix(20).utf8))
        // Taken in: the gateway has accepted it when it answers a later one.
        try stand.look(at: AliasStand.ana)
        return (
            {
                try client.stream.send(Array(text.dropFirst(20).utf8))
                return try client.answer(to: text.hasPrefix("GET") ? "GET" : "POST")
            }, client
        )
    }

    private var probe: String {
        request("GET", "/v1/probe", token: TestIssuers.loginToken(Self.address), tenant: TestIssuers.acme)
    }

    /// Olga's address becomes Ben's.
    private func move() throws {
        try stand.edit(Self.olga, email: "other@acme.example")
        try stand.edit(AliasStand.ben, email: Self.address)
    }

    @Test("who is suspended is refused on the old one's connections by an address that the new one has seen become his")
    func newSees() throws {
        let waiting = try begun(probe)
        let old = try stand.world.upgrade()
        try move()
        #expect(try stand.set(false, AliasStand.ben).status == 200)
        let answer = try waiting.finish()
        #expect(answer.gatewayCode == "user_suspended", "\(answer.status) \(answer.text)")
        #expect(old.process.waitForExit(seconds: 30) == 0)
        #expect(try stand.probe(Self.address).gatewayCode == "user_suspended")
    }

    @Test("and at the new one by an address that only the old one has seen become his")
    func oldSees() throws {
        let call = try begun(Dialect.jitsudo.setActive(false, AliasStand.ben))
        let old = try stand.world.upgrade()
        try move()
        let answer = try call.finish()
        #expect(answer.status == 200, "\(answer.status) \(answer.text)")
        #expect(try stand.probe(Self.address).gatewayCode == "user_suspended")
        #expect(old.process.waitForExit(seconds: 30) == 0)
        // It is in the ledger that the new one has.
        #expect(try stand.set(true, AliasStand.ana).status == 200)
        try stand.world.killAndRestart()
        #expect(try stand.probe(Self.address).gatewayCode == "user_suspended")
    }

    @Test("an old process that has the ledger back goes by it, and forgets nothing that it has seen meanwhile")
    func takenBack() throws {
        try stand.look(at: AliasStand.ben)
        try wait { passed(try stand.probe("ben@acme.example")) }
        // On disk before the ledger goes.
        #expect(try stand.set(true, AliasStand.ana).status == 200)
        let peer = try HandoverPeer(stand.world)
        #expect(peer.go(to: .hasLedger) == .yielded)
        // The other process sees Olga without her address; this one, Ben without his.
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(10)
        let ledger = try DatabaseQueue(path: stand.world.folder.path("var/tenantgate.db"), configuration: configuration)
        let count = try ledger.write { database in
            try database.execute(sql: "DELETE FROM aliases WHERE value = ?", arguments: [Self.address])
            return database.changesCount
        }
        try ledger.close()
        #expect(count == 1)
        try stand.edit(AliasStand.ben, verified: false)
        try stand.look(at: AliasStand.ben)
        try wait { isUnknown(try stand.probe("ben@acme.example")) }
        #expect(passed(try stand.probe(Self.address)))
        peer.end()
        try wait { isUnknown(try stand.probe(Self.address)) }
        #expect(isUnknown(try stand.probe("ben@acme.example")))
        #expect(try stand.world.gateway.metrics()["tenantgate_upgrades_total{result=\"came_to_nothing\"}"] == 1)
        #expect(try stand.set(true, AliasStand.ana).status == 200)
        try stand.world.killAndRestart()
        #expect(isUnknown(try stand.probe(Self.address)))
        #expect(isUnknown(try stand.probe("ben@acme.example")))
    }

    @Test("metrics and status tell of an upgrade, and of the process before as long as it is there")
    func told() throws {
        #expect(try stand.world.gateway.metrics()["tenantgate_follower"] == 0)
        let waiting = try begun(probe)
        let old = try stand.world.upgrade()
        let gateway = stand.world.gateway
        #expect(try stand.set(false, AliasStand.ben).status == 200)
        let metrics = try gateway.metrics()
        #expect(metrics["tenantgate_upgrades_total{result=\"taken_over\"}"] == 1)
        #expect(metrics["tenantgate_upgrades_total{result=\"refused\"}"] == 0)
        #expect(metrics["tenantgate_upgrade_duration_seconds"].map { (0..<30).contains($0) } == true)
        #expect(metrics["tenantgate_follower"] == 1 && metrics["tenantgate_follower_changes_unapplied"] == 0)
        // It may have had the change in force before anybody waited for that.
        #expect(metrics["tenantgate_follower_waits_total{ending=\"applied\"}"].map { $0 <= 1 } == true)
        #expect(metrics["tenantgate_follower_waits_total{ending=\"lease_over\"}"] == 0)
        let follower = try gateway.admin("GET", "/api/status").json?["follower"] as? [String: Any]
        #expect(follower?["process"] as? Int == Int(old.process.identifier) && follower?["changes_unapplied"] as? Int == 0)
        // One that stands still is waited for until its lease is over.
        old.process.pause()
        #expect(try stand.set(true, AliasStand.ben).status == 200)
        #expect(try gateway.metrics()["tenantgate_follower_waits_total{ending=\"lease_over\"}"] == 1)
        old.process.resume()
        _ = try? waiting.finish()
        #expect(old.process.waitForExit(seconds: 30) == 0)
        try wait { try gateway.metrics()["tenantgate_follower"] == 0 }
        #expect(try gateway.admin("GET", "/api/status").json?["follower"] == nil)
    }
}

/// What an upgrade leaves undone at the process that goes on.
@Suite("upgrades that are refused", .serialized, .timed)
struct UpgradeRefusalTests {
    @Test("a lock that can't be made is told as that, and counted")
    func lock() throws {
        let world = try World { $0.more = ["probes: {address: 127.0.0.1:0}"] }
        let lock = world.folder.path("var/tenantgate.db.lease")
        try FileManager.default.createDirectory(atPath: lock, withIntermediateDirectories: true)
        let peer = try HandoverPeer(world)
        guard case .refused(let reason)? = peer.go(to: .hasLedger) else {
            Issue.record("not refused")
            return
        }
        #expect(reason.contains(".lease can't be locked (Is a directory)"), "\(reason)")
        #expect(try world.gateway.metrics()["tenantgate_upgrades_total{result=\"refused\"}"] == 1)
        #expect(try world.gateway.ask(Dialect.jitsudo.setActive(false, Dialect.jitsudo.member)).status == 200)
    }

    @Test("a file that changes during an upgrade that comes to nothing is read afterwards")
    func changedMeanwhile() throws {
        let world = try World { $0.more = ["timeouts: {drain: 20s}"] }
        let peer = try HandoverPeer(world)
        #expect(peer.go(to: .greeted) != nil)
        let text = try String(contentsOfFile: world.file, encoding: .utf8)
        try text.replacing("drain: 20s", with: "drain: 21s").write(toFile: world.file, atomically: true, encoding: .utf8)
        // Longer than the gateway waits for files to come to rest: nothing tells that it has looked and may not read.
        Thread.sleep(forTimeInterval: 1)
        #expect(!world.gateway.process.errorText.contains("reloaded"))
        peer.end()
        try world.gateway.process.waitForErrors { $0.contains("reloaded ") ? () : nil }
    }
}
