import Foundation
import Glibc
import TestSupport
import Testing

/// Health checks, and the circuit breaker (SPEC §5).
@Suite("health checks and circuit breaker", .serialized, .timed)
struct HealthCheckTests {
    private static let health = "health: {path: \"/healthz?deep=1\", interval: 100ms, timeout: 300ms, healthy: 2, unhealthy: 2}"

    /// A server that answers `/healthz` as `isWell` says, and everything else.
    private final class Patient: Sendable {
        let server: RecordingUpstream
        private static let good = UpstreamStep.json("{}")

        init(certificate: TestCertificate? = nil) throws {
            server = try RecordingUpstream(certificate: certificate)
            isWell(true)
        }

        func isWell(_ isWell: Bool, sick: [UpstreamStep] = [.json("{}", status: "503 Service Unavailable")]) {
            server.answer { request in request.target.hasPrefix("/healthz") ? (isWell ? [Self.good] : sick) : [Self.good] }
        }

        /// Requests that were not checks since this was asked last.
        var clients: Int { server.takeRequests().count { !$0.target.hasPrefix("/healthz") } }
    }

    @Test("a server that says it isn't well is left out though it answers, and comes back when it is", arguments: [false, true])
    func states(tls: Bool) throws {
        let certificate = try TestCertificate.gateway.get()
        let patients = try (0..<2).map { _ in try Patient(certificate: tls ? certificate : nil) }
        let keys = tls ? ["tls: {ca: \"\(certificate.chainFile)\"}"] : []
        let stand = try ServersStand(patients.map { (tls ? "https://" : "http://") + $0.server.address }, keys + [Self.health])
        let sick = patients[1]
        #expect(sick.server.wait { $0.received >= 2 })
        let check = try #require(sick.server.takeRequests().first)
        #expect(check.target == "/healthz?deep=1" && check.field("host") == sick.server.address && check.field("connection") == "close")
        for faults in [[UpstreamStep.json("{}", status: "503 No")], [.hang], [.text("nonsense\r\n\r\n")], [.close]] {
            sick.isWell(false, sick: faults)
            #expect(try stand.waitForMetrics { try stand.isUp(sick.server.address, $0) == false })
            _ = sick.clients
            for _ in 0..<6 { #expect(try stand.ask().status == 200) }
            #expect(sick.clients == 0)
            sick.isWell(true)
            #expect(try stand.waitForMetrics { try stand.isUp(sick.server.address, $0) == true })
            for _ in 0..<6 { #expect(try stand.ask().status == 200) }
            #expect(sick.clients == 3)
        }
        _ = try stand.line("\(sick.server.address) fails its health checks: status 503")
        _ = try stand.line("\(sick.server.address) passes its health checks again")
        let metrics = try stand.gateway.metrics()
        #expect(metrics.sum("tenantgate_upstream_health_checks_total", sick.server.address, "result=\"bad\"") >= 8)
        #expect(metrics.sum("tenantgate_upstream_health_checks_total", patients[0].server.address, "result=\"bad\"") == 0)
        #expect(metrics.sum("tenantgate_upstream_health_checks_total", patients[0].server.address, "result=\"good\"") >= 8)
    }

    @Test("a dead server that was ejected for long is back as soon as its checks say so")
    func recovery() throws {
        let good = try Patient()
        let (descriptor, port) = try listeningSocket()
        _ = close(descriptor)
        let stand = try ServersStand(
            [good.server.url, "http://127.0.0.1:\(port)"], [Self.health, "ejection: {failures: 1, time: 1h, maximum: 1h}"])
        for _ in 0..<4 { #expect(try stand.ask().status == 200) }
        _ = try stand.line("127.0.0.1:\(port) is left out for 3600 s")
        _ = try stand.line("127.0.0.1:\(port) fails its health checks: connecting: Connection refused")
        let back = try RecordingUpstream(at: .ipv4(port: port))
        #expect(try stand.waitForMetrics { try stand.isUp("127.0.0.1:\(port)", $0) == true })
        for _ in 0..<6 { #expect(try stand.ask().status == 200) }
        #expect(back.takeRequests().contains { $0.target == "/v1/page" })
    }

    @Test("where no server is well, all are tried, and /readyz says so without keeping anybody out")
    func noneLeft() throws {
        let patients = try (0..<2).map { _ in try Patient() }
        let stand = try ServersStand(patients.map(\.server.url), [Self.health])
        for patient in patients { patient.isWell(false) }
        _ = try stand.line("upstream jitsudo: no server is left that is well: all of them are tried")
        for _ in 0..<4 { #expect(try stand.ask().status == 200) }
        let ready = try stand.gateway.probe("/readyz")
        #expect(ready.status == 200)
        #expect(ready.text == "ready\nnotice: no server of the upstream jitsudo is well\n")
        // A file without checks knows of no illness.
        try stand.edit { $0.upstreamKeys = [] }
        #expect(try stand.gateway.probe("/readyz").text == "ready\n")
    }

    @Test("a reload that changes nothing of it keeps what is known; checks follow the file")
    func reload() throws {
        let patients = try (0..<2).map { _ in try Patient() }
        let stand = try ServersStand(patients.map(\.server.url), [Self.health])
        patients[1].isWell(false)
        #expect(try stand.waitForMetrics { try stand.isUp(patients[1].server.address, $0) == false })
        try stand.edit { $0.upstreamKeys = [Self.health, "keepalive: 10s"] }
        #expect(try stand.isUp(patients[1].server.address) == false, "with other settings too")
        patients[1].isWell(true)
        #expect(try stand.waitForMetrics { try stand.isUp(patients[1].server.address, $0) == true })
        try stand.edit { $0.servers = [patients[0].server.url] }
        #expect(try stand.isUp(patients[1].server.address) == nil)
        _ = patients[1].server.takeRequests()
        let before = patients[0].server.received
        #expect(patients[0].server.wait { $0.received > before + 5 })
        #expect(patients[1].server.takeRequests().count <= 1, "one may have been under way")
    }

    @Test("when requests wait in vain the circuit opens: others are refused at once, one tries again, and an answer closes it")
    func circuit() throws {
        let server = try RecordingUpstream { _ in [.hang] }
        let stand = try ServersStand(
            [server.url], ["circuit_breaker: {timeouts: 3, open: 1s}"], timeout: "300ms")
        for _ in 0..<3 { #expect(try stand.ask().gatewayCode == "upstream_timeout") }
        _ = try stand.line("3 requests in a row waited in vain")
        let sent = server.received
        let start = Date()
        for _ in 0..<5 {
            let answer = try stand.ask()
            #expect(answer.status == 503 && answer.gatewayCode == "overloaded")
            #expect(answer.field("retry-after") == "1")
        }
        #expect(Date().timeIntervalSince(start) < 0.9)
        #expect(server.received == sent)
        #expect(try stand.gateway.metrics()["tenantgate_upstream_circuit_open{upstream=\"jitsudo\"}"] == 1)
        // One tries, and waits in vain; the others still don't.
        let deadline = Date(timeIntervalSinceNow: 20)
        while server.received == sent, Date() < deadline { _ = try stand.ask() }
        #expect(server.received == sent + 1)
        #expect(try stand.ask().gatewayCode == "overloaded")
        server.answer { _ in [.json("{}")] }
        while try stand.ask().status != 200, Date() < deadline {}
        for _ in 0..<5 { #expect(try stand.ask().status == 200) }
        #expect(try stand.gateway.metrics()["tenantgate_upstream_circuit_open{upstream=\"jitsudo\"}"] == 0)
        _ = try stand.line("it answers again: requests pass")
    }

    @Test("as many requests as the file says wait for a connection; the next is refused at once")
    func waiting() throws {
        let gate = TestGate()
        let server = try RecordingUpstream { _ in [.hold(gate), .json("{}")] }
        let stand = try ServersStand([server.url], ["waiting: 2"]) { $0.connections = 1 }
        let clients = try (0..<3).map { index in
            let client = try stand.gateway.client()
            try client.stream.send(Array(GoodRequest.target("/v1/page").utf8))
            #expect(try stand.waitForMetrics { $0.sum("tenantgate_upstream_waiting_requests", "jitsudo") == Double(index) })
            if index == 0 { #expect(server.wait { $0.received == 1 }) }
            return client
        }
        let answer = try stand.ask()
        #expect(answer.gatewayCode == "overloaded" && answer.field("retry-after") != nil)
        gate.open()
        for client in clients { #expect(try client.answer(to: "GET").status == 200) }
    }
}
