import Foundation
import TestSupport
import Testing

/// Calls for one user at once, clients that go away, open work of the user.
@Suite("suspend calls at once", .serialized, .timed)
struct ConcurrentCallsTests {
    @Test("the second call for a user waits for the first, and the last one answered is in force", arguments: Dialect.both)
    func oneAtATime(_ dialect: Dialect) throws {
        let world = try World()
        let service = world.service(of: dialect)
        try service.arm(#"{"kind":"hold"}"#)
        let (first, second) = (try world.gateway.client(), try world.gateway.client())
        try first.stream.send(Array(dialect.setActive(false, dialect.member).utf8))
        while try service.held() == 0 {}
        let before = try world.commitNumber(dialect.member, dialect)
        let other = dialect.token(dialect.protected, roles: ["admin"])
        try second.stream.send(Array(dialect.setActive(true, dialect.member, token: other).utf8))
        #expect(try second.stream.receive(seconds: 0.3) == .nothingYet)
        #expect(try world.commitNumber(dialect.member, dialect) == before, "the second call must not have been sent")
        #expect(try world.isBlocked(dialect.member, dialect) == false, "a pending call blocks nobody")
        try service.release()
        let (suspended, active) = (try first.answer(to: "POST"), try second.answer(to: "POST"))
        #expect(suspended.status == 200)
        #expect(active.status == 200)
        #expect(try #require(suspended.commitNumber) < #require(active.commitNumber))
        #expect(try world.isBlocked(dialect.member, dialect) == false)
    }

    @Test("calls for other users don't wait")
    func othersGoOn() throws {
        let (world, dialect) = (try World(), Dialect.jitsudo)
        try world.jitsudo.arm(#"{"kind":"hold"}"#)
        let first = try world.gateway.client()
        try first.stream.send(Array(dialect.setActive(false, dialect.member).utf8))
        while try world.jitsudo.held() == 0 {}
        #expect(try world.gateway.ask(dialect.setActive(true, dialect.admin)).status == 200)
        try world.jitsudo.release()
        #expect(try first.answer(to: "POST").status == 200)
    }

    @Test("connections that lie idle don't hold up a call, which needs one of its own", arguments: Dialect.both)
    func idleConnections(_ dialect: Dialect) throws {
        let world = try World { $0.connections = 2 }
        let client = try world.gateway.client()
        let start = Date()
        for round in 0..<12 {
            #expect(try client.exchange(dialect.setActive(round % 2 == 1, dialect.member)).status == 200, "round \(round)")
        }
        #expect(Date().timeIntervalSince(start) < 5, "a call waited for a connection to be given back or to grow old")
    }

    @Test("a call that waits longer than five seconds is refused, and leaves no trace")
    func busy() throws {
        let (world, dialect) = (try World { $0.timeout = "20s" }, Dialect.rinne)
        try world.rinne.arm(#"{"kind":"hold"}"#)
        let first = try world.gateway.client()
        try first.stream.send(Array(dialect.setActive(false, dialect.member).utf8))
        while try world.rinne.held() == 0 {}
        let start = Date()
        let refused = try world.gateway.ask(dialect.setActive(true, dialect.member, token: dialect.token("usr_root", roles: ["admin"])))
        #expect(refused.status == 503)
        #expect(refused.gatewayCode == "suspension_busy")
        #expect((4.5...9).contains(Date().timeIntervalSince(start)))
        try world.rinne.release()
        #expect(try first.answer(to: "POST").status == 200)
        #expect(try world.isBlocked(dialect.member, dialect) == true)
        #expect(try world.isSuspendedAtService(dialect.member, dialect) == true)
    }

    @Test("the answer is awaited and learned from even if the client goes away", arguments: Dialect.both)
    func clientGoesAway(_ dialect: Dialect) throws {
        let world = try World()
        let service = world.service(of: dialect)
        try service.arm(#"{"kind":"hold","commit":false}"#)
        let client = try world.gateway.client()
        try client.stream.send(Array(dialect.setActive(false, dialect.member).utf8))
        while try service.held() == 0 {}
        client.stream.close()
        try service.release()
        let deadline = Date(timeIntervalSinceNow: 10)
        while try world.isBlocked(dialect.member, dialect) != true, Date() < deadline {}
        #expect(try world.isBlocked(dialect.member, dialect) == true)
    }

    @Test("a suspended user's open answer is cut without a clean end, others' goes on")
    func openWorkIsCut() throws {
        let upstream = try RecordingUpstream { request in
            guard request.target.hasPrefix("/v1/stream") else {
                return [.json(#"{"id":"\#(TestIssuers.acmeMember.uppercased())","active":false}"#)]
            }
            return [.text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), .hang]
        }
        let folder = try TemporaryFolder()
        let gateway = try Gateway(file: GatewayFile(jitsudo: upstream.port, rinne: upstream.port).write(to: folder), in: folder)
        let dialect = Dialect.jitsudo
        let (mine, others) = (try gateway.client(), try gateway.client())
        try mine.stream.send(Array(dialect.call("GET", "/stream", token: dialect.memberToken).utf8))
        try others.stream.send(Array(dialect.call("GET", "/stream", token: dialect.adminToken).utf8))
        for client in [mine, others] { #expect(try client.begin(until: "hello\r\n").status == 200) }
        #expect(try gateway.ask(dialect.setActive(false, dialect.member)).status == 200)
        let start = Date()
        let cut = try mine.stream.receive(seconds: 5)
        #expect(cut == .end(clean: false), "no close_notify, no last chunk: \(cut)")
        #expect(Date().timeIntervalSince(start) < 1)
        #expect(try others.stream.receive(seconds: 0.3) == .nothingYet)
    }

    @Test("the exchange that carries a user's own suspension is answered")
    func ownSuspension() throws {
        let (world, dialect) = (try World(), Dialect.jitsudo)
        let token = dialect.token(dialect.member, roles: ["admin"])
        let client = try world.gateway.client()
        let answer = try client.exchange(dialect.setActive(false, dialect.member, token: token))
        #expect(answer.status == 200)
        #expect(!answer.isCut)
        #expect(try world.isBlocked(dialect.member, dialect) == true)
        #expect(try world.gateway.ask(dialect.setActive(true, dialect.member, token: token)).gatewayCode == "user_suspended")
    }
}
