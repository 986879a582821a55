import Foundation
import Glibc
import TestSupport
import Testing

/// A member of a fleet is not upgraded in place. The fleet's database is one that nobody serves: what is refused doesn't depend on it.
@Suite("upgrades in place and fleets", .serialized, .timed)
struct UpgradeFleetTests {
    private static let dialect = Dialect.jitsudo
    private static let fleet = "fleet: {database: \"postgresql://nobody@127.0.0.1:1/none\", name: one}"
    private static let remedy = "restart the members one after the other behind the balancer; the others go on meanwhile"

    /// Suspensions are taken and in force, by the process that was there before.
    private func expectServing(_ world: World) throws {
        #expect(world.gateway.process.isRunning)
        #expect(try world.gateway.ask(Self.dialect.setActive(false, Self.dialect.member)).status == 200)
        #expect(try world.isBlocked(Self.dialect.member, .jitsudo) == true)
        #expect(try world.gateway.ask(Self.dialect.setActive(true, Self.dialect.member)).status == 200)
        #expect(try world.isBlocked(Self.dialect.member, .jitsudo) == false)
    }

    @Test("a member says so to SIGUSR2 and to whoever asks at its door, with what to do, and serves on")
    func member() throws {
        let world = try World { $0.more = [Self.fleet] }
        let process = world.gateway.process
        process.send(signal: SIGUSR2)
        #expect(try process.waitForErrors { $0.contains("upgrade: with `fleet`") && $0.contains(Self.remedy) ? true : nil })
        let peer = try HandoverPeer(world)
        guard case .refused(let reason)? = peer.go(to: .greeted) else { throw StreamError.malformed("no refusal") }
        #expect(reason.contains(Self.remedy))
        try expectServing(world)
        #expect(!process.errorText.contains("asks to take over") && !process.errorText.contains("started process"))
    }

    @Test("a new process whose file names a fleet refuses by itself, and the one that runs without serves on")
    func joining() throws {
        let world = try World()
        let text = world.folder.read("tenantgate.yaml")
        try world.folder.write(text.replacing("ledger:", with: "\(Self.fleet)\nledger:"), to: "other.yaml")
        try HandoverPeer(world).end()
        let arguments = ["serve", "--config", world.folder.path("other.yaml"), "--take-over"]
        let new = try ChildProcess(try BuildProducts.program("tenantgate"), arguments, in: world.folder, name: "next")
        #expect(new.waitForExit(seconds: 30) == 1)
        #expect(new.errorText.contains(Self.remedy), "\(new.errorText)")
        let told = "doesn't take over: with `fleet`"
        #expect(try world.gateway.process.waitForErrors { $0.contains(told) && $0.contains(Self.remedy) ? true : nil })
        try expectServing(world)
    }

    @Test("where nobody runs, `--take-over` starts a member like any other")
    func nobody() throws {
        let world = try World { $0.more = [Self.fleet] }
        world.gateway.process.terminate()
        _ = try world.upgrade()
        try expectServing(world)
    }
}
