import Foundation
import Glibc
import TestSupport
import Testing

/// Servers of one upstream that fail in every phase, and come back (SPEC §5).
@Suite("servers that fail", .serialized, .timed)
struct ServerFailureTests {
    private static let quick = "ejection: {failures: 2, time: 400ms, maximum: 2s}"

    /// A port at which nobody listens, for now.
    private static func closedPort() throws -> Int {
        let (descriptor, port) = try listeningSocket()
        _ = close(descriptor)
        return port
    }

    @Test("equal servers take turns, with connections that are kept")
    func turns() throws {
        let servers = try (0..<3).map { _ in try RecordingUpstream() }
        let stand = try ServersStand(servers.map(\.url))
        for _ in 0..<30 { #expect(try stand.ask().status == 200) }
        for server in servers {
            #expect(server.received == 10)
            #expect(server.connections.accepted == 1)
        }
    }

    @Test("a request goes to the server with the fewest in progress")
    func leastConnections() throws {
        let gate = TestGate()
        let servers = try (0..<2).map { _ in try RecordingUpstream() }
        servers[0].answer { _ in [.hold(gate), .json("{}")] }
        let stand = try ServersStand(servers.map(\.url))
        let clients = try (0..<8).map { _ in try stand.gateway.client() }
        // At most one of them waits at the slow server for each that the other one has answered.
        var waiting: [WireClient] = []
        for client in clients {
            try client.stream.send(Array(GoodRequest.target("/v1/page").utf8))
            client.patience = 0.5
            if (try? client.answer(to: "GET")) == nil { waiting.append(client) }
        }
        #expect(waiting.count == 1)
        gate.open()
        for client in waiting {
            client.patience = 20
            #expect(try client.answer(to: "GET").status == 200)
        }
    }

    @Test("one of three refuses connections: no request fails, whatever its method, and the server is left out until it is back")
    func refusing() throws {
        let good = try (0..<2).map { _ in try RecordingUpstream() }
        let port = try Self.closedPort()
        let stand = try ServersStand(good.map(\.url) + ["http://127.0.0.1:\(port)"], [Self.quick])
        for index in 0..<20 { #expect(try stand.ask(index % 2 == 0 ? "GET" : "POST").status == 200) }
        _ = try stand.line("upstream jitsudo: 127.0.0.1:\(port) is left out for 400 ms: connecting: Connection refused")
        let metrics = try stand.gateway.metrics()
        #expect(metrics.sum("tenantgate_upstream_ejections_total", ":\(port)") >= 1)
        #expect(metrics.sum("tenantgate_upstream_ejections_total") == metrics.sum("tenantgate_upstream_ejections_total", ":\(port)"))
        #expect(try stand.gateway.probe("/readyz").text == "ready\n")
        let back = try RecordingUpstream(at: .ipv4(port: port))
        let deadline = Date(timeIntervalSinceNow: 20)
        while back.received == 0, Date() < deadline { #expect(try stand.ask().status == 200) }
        #expect(back.received > 0)
        _ = try stand.line("127.0.0.1:\(port) answers again")
        #expect(try stand.isUp("127.0.0.1:\(port)") == true)
    }

    /// How a server fails once it is connected to.
    enum Fault: String, CaseIterable, Sendable {
        case neverAccepts, hangs, halfHead, garbage, closes, resets

        var steps: [UpstreamStep] {
            switch self {
            case .neverAccepts: []
            case .hangs: [.hang]
            case .halfHead: [.text("HTTP/1.1 200 OK\r\nContent-"), .hang]
            case .garbage: [.text("<html>sorry</html>\r\n\r\n"), .close]
            case .closes: [.close]
            case .resets: [.reset]
            }
        }

        /// A timeout has used up the request's time: it is not sent again.
        var isTimeout: Bool { [.neverAccepts, .hangs, .halfHead].contains(self) }
    }

    @Test("a server that fails is left out, and idempotent requests that failed fast are answered by another", arguments: Fault.allCases)
    func faults(_ fault: Fault) throws {
        let good = try (0..<2).map { _ in try RecordingUpstream() }
        let bad = try RecordingUpstream { _ in fault.steps }
        let (deaf, deafPort) = try listeningSocket()
        defer { _ = close(deaf) }
        let port = fault == .neverAccepts ? deafPort : bad.port
        let stand = try ServersStand(
            good.map(\.url) + ["http://127.0.0.1:\(port)"], ["ejection: {failures: 2, time: 30s}"], timeout: "400ms")
        var statuses: [Int] = []
        for _ in 0..<20 { statuses.append(try stand.ask().status) }
        #expect(statuses.count { $0 != 200 } == (fault.isTimeout ? 2 : 0), "\(statuses)")
        #expect(statuses.suffix(10).allSatisfy { $0 == 200 })
        _ = try stand.line("127.0.0.1:\(port) is left out for 30 s")
        #expect(try stand.isUp("127.0.0.1:\(port)") == false)
        #expect(try stand.gateway.metrics()["tenantgate_upstream_retries_total{upstream=\"jitsudo\"}"] == (fault.isTimeout ? 0 : 2))
        for _ in 0..<4 { #expect(try stand.ask("POST").status == 200) }
    }

    @Test("what isn't idempotent, or has a body, is sent once")
    func once() throws {
        let servers = try (0..<3).map { _ in try RecordingUpstream { _ in [.close] } }
        let stand = try ServersStand(servers.map(\.url), ["ejection: off"])
        func sent(_ method: String, body: String = "") throws -> Int {
            let before = servers.reduce(0) { $0 + $1.received }
            #expect(try stand.ask(method, body: body).gatewayCode == "upstream_unavailable")
            return servers.reduce(0) { $0 + $1.received } - before
        }
        #expect(try sent("POST") == 1)
        #expect(try sent("PATCH", body: "x") == 1)
        #expect(try sent("PUT", body: "x") == 1)
        #expect(try sent("DELETE") == 2)
        #expect(try sent("GET") == 2, "one retry, not one for each server")
    }

    @Test("a server killed in the middle of a body: the answer is cut, the next goes elsewhere or there again")
    func killed() throws {
        let servers = try (0..<2).map { _ in try RecordingUpstream() }
        for server in servers { server.answer { _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), .reset] } }
        let stand = try ServersStand(servers.map(\.url))
        let answer = try stand.ask()
        #expect(answer.isCut && answer.text == "half")
        #expect(servers.reduce(0) { $0 + $1.received } == 1, "an answer that has begun is not asked for again")
        for server in servers { server.answer { _ in [.json("{}")] } }
        #expect(try stand.ask().status == 200)
    }

    @Test("a server that takes no connection costs `connect_timeout`, and the request goes to another")
    func hangingConnect() throws {
        let good = try RecordingUpstream()
        let (full, port) = try listeningSocket()
        defer { _ = close(full) }
        // Who comes when the queue is full hears nothing.
        _ = listen(full, 0)
        let queue = try (0..<2).map { _ in try nonBlocking(to: port) }
        defer { for descriptor in queue { _ = close(descriptor) } }
        let stand = try ServersStand(
            [good.url, "http://127.0.0.1:\(port)"], ["connect_timeout: 300ms", "ejection: {failures: 1, time: 1h, maximum: 1h}"])
        for _ in 0..<4 { #expect(try stand.ask("POST").status == 200) }
        _ = try stand.line("127.0.0.1:\(port) is left out for 3600 s: no connection within the time allowed")
    }

    private func nonBlocking(to port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = loopback(port: port)
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return descriptor
    }

    @Test("a server that falls silent within an answer: it is cut after `idle_timeout`")
    func silence() throws {
        let server = try RecordingUpstream { _ in [.text("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), .hang] }
        let stand = try ServersStand([server.url], ["idle_timeout: 300ms"])
        let answer = try stand.ask()
        #expect(answer.isCut && answer.text == "half")
    }

    @Test("a name is tried at each of its addresses")
    func name() throws {
        // localhost is ::1 and 127.0.0.1, in whatever order, where the machine has both.
        let server = try RecordingUpstream()
        let stand = try ServersStand(["http://localhost:\(server.port)"])
        for _ in 0..<3 { #expect(try stand.ask("POST").status == 200) }
        let nobody = try ServersStand(["http://nobody.invalid:80"], ["ejection: {failures: 1}"])
        #expect(try nobody.ask().gatewayCode == "upstream_unavailable")
    }

    @Test("where every server is away, requests fail at once, and the first that is back serves at once")
    func allAway() throws {
        let ports = try (0..<2).map { _ in try Self.closedPort() }
        let stand = try ServersStand(ports.map { "http://127.0.0.1:\($0)" }, ["ejection: {failures: 1, time: 1h, maximum: 1h}"])
        for _ in 0..<6 { #expect(try stand.ask().gatewayCode == "upstream_unavailable") }
        #expect(try ports.count { try stand.isUp("127.0.0.1:\($0)") == true } == 1, "the last one is never left out")
        for port in ports {
            let back = try RecordingUpstream(at: .ipv4(port: port))
            #expect(try stand.ask().status == 200, "though others are tried first")
            back.stop()
        }
    }

    @Test("a suspend call to a server that dies is sent once, whoever else is there, and its outcome is unknown")
    func suspendCall() throws {
        for steps in [[UpstreamStep.close], [.reset], [.text("HTTP/1.1 200 OK\r\nContent-Le"), .close], [.text("garbage\r\n\r\n")]] {
            let servers = try (0..<3).map { _ in try RecordingUpstream { _ in steps } }
            let stand = try ServersStand(servers.map(\.url))
            let dialect = Dialect.jitsudo
            let answer = try stand.gateway.ask(dialect.setActive(false, dialect.member))
            #expect(answer.status == 502)
            #expect((answer.json?["details"] as? [String: Any])?["suspension"] as? String == "unconfirmed", "\(answer.text)")
            #expect(servers.reduce(0) { $0 + $1.received } == 1)
            #expect(try stand.gateway.metrics()["tenantgate_unconfirmed_users"] == 1)
        }
    }

    @Test("a suspend call goes to another server where the first can't be connected to: nothing was sent")
    func suspendCallElsewhere() throws {
        let good = try RecordingUpstream { _ in [.json("{}", status: "404 Not Found")] }
        for _ in 0..<2 {
            let stand = try ServersStand(["http://127.0.0.1:\(try Self.closedPort())", good.url])
            let dialect = Dialect.jitsudo
            #expect(try stand.gateway.ask(dialect.setActive(false, dialect.member)).status == 404)
        }
        #expect(good.received == 2)
    }
}
