import Foundation
import TestSupport
import Testing

/// Connections beyond what there is room for wait or end, cost nothing meanwhile, and keep nobody out for longer than they stand.
@Suite("limits of connections", .serialized, .timed)
struct ConnectionLimitTests {
    private static let refused = Array("GET /nowhere HTTP/1.1\r\nHost: gateway.test\r\n\r\n".utf8)

    private func bench(_ more: String, descriptors: (Int, Int)? = nil) throws -> (bench: Bench, port: Int) {
        let bench = try Bench(descriptors: descriptors) {
            $0.listeners = ["- {address: \"127.0.0.1:0\", tls: off}"]
            $0.more = [more]
        }
        let port = try bench.gateway.process.waitForLine { line in
            line.contains("plain HTTP") ? line.split(separator: "127.0.0.1:").last.flatMap { Int($0.prefix { $0.isNumber }) } : nil
        }
        return (bench, port)
    }

    @Test("the soft limit of open files is raised to the hard one at the start")
    func raised() throws {
        let (bench, _) = try bench("errors: flat", descriptors: (256, 2048))
        #expect(bench.gateway.process.descriptorLimits == [2048, 2048])
    }

    @Test("without descriptors accepting pauses instead of spinning, who is there is served, and others when there are some again")
    func descriptors() throws {
        let (bench, port) = try bench("errors: flat", descriptors: (32, 32))
        let clients = try (0..<60).map { _ in try WireClient.plain(port: port) }
        #expect(try clients[0].exchange(Self.refused).status == 404)
        let before = bench.gateway.process.cpuSeconds
        let end = Date(timeIntervalSinceNow: 2)
        // Whoever waits in the kernel's queue is not answered, and costs nothing.
        #expect(try clients[59].end(within: end.timeIntervalSinceNow) == nil)
        #expect(bench.gateway.process.cpuSeconds - before < 0.5)
        #expect(try clients[0].exchange(Self.refused).status == 404)
        for client in clients.dropLast() { client.stream.close() }
        #expect(try clients[59].exchange(Self.refused).status == 404)
        #expect(try bench.ask(Array(GoodRequest.target("/v1/page").utf8)).status == 200)
    }

    @Test("beyond all connections that may be, others wait until one ends")
    func all() throws {
        let (bench, port) = try bench("limits: {connections: 3, connections_per_source: 3}")
        let clients = try (0..<4).map { _ in try WireClient.plain(port: port) }
        for client in clients.prefix(3) { #expect(try client.exchange(Self.refused).status == 404) }
        try clients[3].stream.send(Self.refused)
        #expect(try clients[3].end(within: 0.5) == nil, "neither answered nor ended")
        clients[1].stream.close()
        #expect(try clients[3].answer(to: "GET").status == 404)
        #expect(bench.gateway.process.isRunning)
    }

    @Test("beyond what one source may have, its connections are ended at once, and none later than one of its own ends")
    func source() throws {
        let (bench, port) = try bench("limits: {connections_per_source: 3}\nprobes: {address: \"127.0.0.1:0\"}")
        let clients = try (0..<3).map { _ in try WireClient.plain(port: port) }
        for client in clients { #expect(try client.exchange(Self.refused).status == 404) }
        let fourth = try WireClient.plain(port: port)
        #expect(try fourth.end(within: 10) != nil)
        #expect(try bench.gateway.metrics()["tenantgate_client_connections_refused_total"] == 1)
        clients[0].stream.close()
        var status: Int?
        for _ in 0..<500 where status != 404 { status = try? WireClient.plain(port: port).exchange(Self.refused).status }
        #expect(status == 404)
    }
}
