import Foundation
import Glibc
import TestSupport
import Testing

/// The probes' listener: who is alive, who is ready, and how little it lets one client take.
@Suite("probes", .serialized, .timed)
struct ReadinessTests {
    private static let probes = ["probes: {address: 127.0.0.1:0}"]

    @Test("a gateway that serves is alive and ready; other paths and methods are told so")
    func ready() throws {
        let world = try World { $0.more = Self.probes }
        #expect(try world.gateway.probe("/healthz").text == "ok\n")
        let ready = try world.gateway.probe("/readyz")
        #expect(ready.status == 200)
        #expect(ready.text == "ready\n")
        #expect(try world.gateway.probe("/").status == 404)
        #expect(try world.gateway.probe("/readyz", method: "POST").status == 405)
        #expect(try world.gateway.probe("/metrics", method: "HEAD").body.isEmpty)
    }

    @Test("requests on one connection are answered in order, the slow page too")
    func pipeline() throws {
        let world = try World { $0.more = Self.probes }
        let client = try WireClient.plain(port: try world.gateway.probesPort())
        let paths = ["/healthz", "/metrics", "/readyz", "/metrics"]
        try client.stream.send(Array(paths.map { "GET \($0) HTTP/1.1\r\nHost: p\r\n\r\n" }.joined().utf8))
        let answers = try paths.map { _ in try client.answer(to: "GET").text }
        #expect(answers[0] == "ok\n")
        #expect(answers[2] == "ready\n")
        #expect(answers[1].hasPrefix("# HELP") && answers[3].hasPrefix("# HELP"))
    }

    @Test("a hundred connections that say nothing keep no probe out")
    func bound() throws {
        let world = try World { $0.more = Self.probes }
        let port = try world.gateway.probesPort()
        let silent = try (0..<100).map { _ in try WireClient.plain(port: port) }
        #expect(try world.gateway.probe("/healthz").status == 200)
        #expect(try silent[0].end(within: 5) != nil, "the oldest made room")
        for client in silent { client.stream.close() }
    }

    @Test("a call whose outcome is unknown is a notice and keeps nobody out")
    func notice() throws {
        let world = try World { $0.more = Self.probes }
        try world.jitsudo.arm(#"{"kind":"drop"}"#)
        let dialect = Dialect.jitsudo
        let answer = try world.gateway.ask(dialect.setActive(false, dialect.member))
        try #require(answer.status == 502)
        let ready = try world.gateway.probe("/readyz")
        #expect(ready.status == 200)
        #expect(ready.text == "ready\nnotice: users with a suspend call whose outcome is unknown: 1\n")
        let metrics = try world.gateway.metrics()
        #expect(metrics["tenantgate_unconfirmed_users"] == 1)
        #expect(metrics["tenantgate_suspend_calls_total{call=\"suspend\",outcome=\"unconfirmed\"}"] == 1)
    }
}
