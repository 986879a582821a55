import Foundation
import struct Policy.UUIDBits
import struct Policy.UserID
import struct Suspensions.Subject
import TestSupport
import Testing

/// One of the two processes dies, at whatever point of an upgrade.
@Suite("upgrades that come to nothing", .serialized, .timed)
struct UpgradeFailureTests {
    private static let dialect = Dialect.jitsudo

    /// The gateway answers, suspends, and what it suspends is in force, on a connection from before and on a new one.
    private func expectServing(_ world: World, _ before: WireClient) throws {
        let probe = Self.dialect.probe(Self.dialect.memberToken)
        #expect(try before.exchange(probe).status == 404)
        #expect(try world.gateway.ask(probe).status == 404)
        #expect(try world.gateway.ask(Self.dialect.setActive(false, Self.dialect.member)).status == 200)
        #expect(try before.exchange(probe).gatewayCode == "user_suspended")
        #expect(try world.gateway.ask(probe).gatewayCode == "user_suspended")
        #expect(try world.gateway.ask(Self.dialect.setActive(true, Self.dialect.member)).status == 200)
        #expect(try before.exchange(probe).status == 404)
    }

    @Test(
        "a new process that is gone at any point leaves the old one serving, and the next one takes over",
        arguments: HandoverPeer.Step.allCases)
    func newIsGone(_ step: HandoverPeer.Step) throws {
        let world = try World()
        let client = try world.gateway.client()
        let calls = try world.gateway.client()
        #expect(try calls.exchange(Self.dialect.probe(Self.dialect.memberToken)).status == 404)
        let peer = try HandoverPeer(world)
        let answer = peer.go(to: step)
        #expect(step == .connected || answer != nil)
        // What nobody is told of meanwhile: calls wait, and everything else goes on.
        try calls.stream.send(Array(Self.dialect.setActive(false, Self.dialect.member).utf8))
        if step == .hasLedger { #expect(try client.exchange(Self.dialect.probe(Self.dialect.token(Self.dialect.admin))).status == 404) }
        if step != .isFollowed {
            Thread.sleep(forTimeInterval: 0.2)
            #expect(try world.gateway.ask(Self.dialect.probe(Self.dialect.token(Self.dialect.admin))).status == 404)
        } else {
            guard case .begin(_, let call?)? = peer.next() else { throw StreamError.malformed("the call is the successor's") }
            #expect(call.wanted == .suspended && call.subject.directory == 0)
        }
        peer.end()
        let called = try calls.answer(to: "POST")
        #expect(step == .isFollowed ? called.gatewayCode == "overloaded" : called.status == 200, "\(step): \(called.text)")
        _ = try world.gateway.ask(Self.dialect.setActive(true, Self.dialect.member))
        try expectServing(world, client)
        client.stream.close()
        let before = try world.upgrade()
        #expect(before.process.waitForExit(seconds: 30) == 0)
        try expectServing(world, try world.gateway.client())
    }

    @Test("an old process that is killed before it has said a word leaves a start like any other")
    func oldIsSilentAndGone() throws {
        let world = try World()
        #expect(try world.gateway.ask(Self.dialect.setActive(false, Self.dialect.member)).status == 200)
        try HandoverPeer(world).end()
        let old = world.gateway.process
        let door = world.folder.path("var/tenantgate.db.upgrade")
        while sockets(at: door) != 1 { Thread.sleep(forTimeInterval: 0.002) }
        old.pause()
        let asked = TestThread {
            // The listening socket and what waits to be taken.
            while sockets(at: door) < 2 { Thread.sleep(forTimeInterval: 0.002) }
            old.kill()
        }
        _ = try world.upgrade()
        asked.wait()
        #expect(world.gateway.process.errorText.contains("going on without it"))
        #expect(try world.isBlocked(Self.dialect.member, .jitsudo) == true)
        #expect(try world.gateway.ask(Self.dialect.setActive(true, Self.dialect.member)).status == 200)
        try expectServing(world, try world.gateway.client())
    }

    @Test("suspend calls and operators' changes wait while nobody has the ledger")
    func held() throws {
        let world = try World { $0.admin = true }
        let peer = try HandoverPeer(world)
        #expect(peer.go(to: .hasLedger) == .yielded)
        let gateway = world.gateway
        let member = Self.dialect.member
        let call = TestThread { #expect((try? gateway.ask(Self.dialect.setActive(false, member)))?.status == 200) }
        let change = TestThread {
            let wish = TestAdmin.wish("rinne", TestIssuers.northMember)
            #expect((try? gateway.admin("POST", "/api/suspensions", body: wish))?.status == 200)
        }
        Thread.sleep(forTimeInterval: 0.3)
        #expect(try world.isBlocked(member, .jitsudo) == false)
        peer.end()
        call.wait()
        change.wait()
        #expect(try world.isBlocked(member, .jitsudo) == true)
        #expect(try world.isBlocked(TestIssuers.northMember, .rinne) == true)
    }

    @Test("a gateway that follows admits users while it hears of leases, refuses all when it doesn't, and has what came before a lease")
    func leases() throws {
        let world = try World()
        let client = try world.gateway.client()
        let probe = Self.dialect.probe(Self.dialect.memberToken)
        #expect(try client.exchange(probe).status == 404)
        let peer = try HandoverPeer(world)
        #expect(peer.go(to: .isFollowed) == .following)
        let deadline = Date(timeIntervalSinceNow: 10)
        var answer = try client.exchange(probe)
        while answer.status == 404, Date.now < deadline { answer = try client.exchange(probe) }
        #expect(answer.gatewayCode == "overloaded" && answer.field("retry-after") == "1", "\(answer.status) \(answer.text)")
        let second: UInt64 = 1_000_000_000
        peer.send(.lease(at: Int64(DispatchTime.now().uptimeNanoseconds - second)))
        #expect(try client.exchange(probe).gatewayCode == "overloaded", "a lease that is as old as the last one")
        peer.send(.change(1, .block([Self.member], .operator)))
        #expect(peer.next() == .applied(1))
        peer.send(.lease(at: Int64(DispatchTime.now().uptimeNanoseconds + 60 * second)))
        peer.send(.change(2, .block([], .operator)))
        #expect(peer.next() == .applied(2))
        #expect(try client.exchange(probe).gatewayCode == "user_suspended")
        peer.send(.change(3, .lift(Self.member, .operator, at: 0)))
        #expect(peer.next() == .applied(3))
        #expect(try client.exchange(probe).status == 404)
        peer.end()
        answer = try client.exchange(probe)
        #expect(answer.status == 404, "\(answer.text)")
    }

    private static let member = Subject(
        directory: 0, tenant: .uuid(UUIDBits(Array(TestIssuers.acme.utf8).span)!),
        user: UserID(.uuid(UUIDBits(Array(TestIssuers.acmeMember.utf8).span)!)))

    @Test("a process that speaks another version, or of directories in other formats, is told so, and nothing changes")
    func refused() throws {
        let world = try World()
        let peer = try HandoverPeer(world)
        peer.send(bytes: [1, 99])
        guard case .refused(let reason)? = peer.next() else { throw StreamError.malformed("no refusal") }
        #expect(reason.contains("another version"))
        let other = try HandoverPeer(world)
        other.send(.hello([.init(name: "jitsudo", idFormat: .string, tenantFormat: .uuid)]))
        guard case .refused(let formats)? = other.next() else { throw StreamError.malformed("no refusal") }
        #expect(formats.contains("`jitsudo` has other formats"))
        try expectServing(world, try world.gateway.client())
    }

    @Test("a new process that can't serve says why and leaves the old one serving")
    func cannotServe() throws {
        let world = try World()
        let client = try world.gateway.client()
        let text = world.folder.read("tenantgate.yaml")
        try world.folder.write(text.replacing("ledger:", with: "probes: {address: 192.0.2.1:9}\nledger:"), to: "other.yaml")
        let new = try? Gateway(file: world.folder.path("other.yaml"), in: world.folder, takesOver: true)
        #expect(new == nil)
        try expectServing(world, client)
        #expect(world.gateway.process.errorText.contains("came to nothing; serving on"))
    }

    @Test("`--take-over` where nobody runs is a start")
    func nobody() throws {
        let world = try World()
        world.gateway.process.terminate()
        _ = try world.upgrade()
        try expectServing(world, try world.gateway.client())
    }

    /// `TENANTGATE_UPGRADE_KILLS=200` is the long form.
    @Test("either process may be killed at any moment: acknowledged suspensions stay in force")
    func killed() throws {
        let rounds = environmentNumber("TENANTGATE_UPGRADE_KILLS", default: 12)
        let world = try World { $0.more = ["limits: {suspend_calls_per_minute: 100000}"] }
        var random = SeededRandom(seed: UInt64(environmentNumber("TENANTGATE_SEED", default: Int(Date().timeIntervalSince1970))))
        var isSuspended = false
        var tally = (old: 0, new: 0, both: 0)
        for round in 0..<rounds {
            let arguments = ["serve", "--config", world.file, "--take-over"]
            let new = try ChildProcess(try BuildProducts.program("tenantgate"), arguments, in: world.folder, name: "next")
            let kills = random.chance(50) ? new : world.gateway.process
            Thread.sleep(forTimeInterval: Double.random(in: 0.02..<0.5, using: &random))
            kills.kill()
            let port = world.gateway.port
            if kills === new {
                tally.new += 1
                // It may have served already: then the old one ends, and a start is needed.
                if !answers(port, within: 5) {
                    tally.both += 1
                    try world.killAndRestart()
                }
            } else {
                tally.old += 1
                // The old one may have died before it gave anything: then the new one starts as usual, at a port of its own.
                new.kill()
                try world.killAndRestart()
            }
            #expect(try world.isBlocked(Self.dialect.member, .jitsudo) == isSuspended, "round \(round)")
            isSuspended.toggle()
            #expect(try world.gateway.ask(Self.dialect.setActive(!isSuspended, Self.dialect.member)).status == 200)
            #expect(try world.isBlocked(Self.dialect.member, .jitsudo) == isSuspended, "round \(round)")
        }
        print("upgrades killed: \(tally.new) new processes (\(tally.both) after they served), \(tally.old) old ones")
    }

    private func answers(_ port: Int, within seconds: Double) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        repeat {
            if let client = try? WireClient.tls(port: port),
                (try? client.exchange(Self.dialect.probe(Self.dialect.token(Self.dialect.admin))))?.status == 404
            {
                return true
            }
            Thread.sleep(forTimeInterval: 0.02)
        } while Date() < end
        return false
    }
}

/// Unix sockets at a path, those too that nobody has taken yet (proc(5)).
private func sockets(at path: String) -> Int {
    let text = (try? String(contentsOfFile: "/proc/net/unix", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").count { $0.hasSuffix(path) }
}
