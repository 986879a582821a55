import Foundation
import Glibc
import TestSupport
import Testing

/// Lines of the access log that nobody could write are counted, and the gateway goes on.
@Suite("lost log lines", .timed)
struct LogLossTests {
    @Test("a full disk loses lines, counted one by one, and no request")
    func full() throws {
        let bench = try Bench { $0.more = ["log: /dev/full", "probes: {address: 127.0.0.1:0}"] }
        let requests = 20
        for _ in 0..<requests { #expect(try bench.ask(Array(GoodRequest.target("/v1/page").utf8)).status == 200) }
        let deadline = Date(timeIntervalSinceNow: 20)
        var lost = 0.0
        while lost < Double(requests), Date.now < deadline {
            lost = try bench.gateway.metrics()["tenantgate_log_lines_dropped_total"] ?? 0
        }
        #expect(lost == Double(requests))
    }

    @Test("a pipe that nobody reads is no log, and is told at the start")
    func pipe() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("log.pipe")
        let isMade = unsafe mkfifo(path, 0o600) == 0
        try #require(isMade)
        var file = GatewayFile(jitsudo: 1, rinne: 2)
        file.more = ["log: \(path)"]
        let outcome = try ChildProcess.run(
            BuildProducts.program("tenantgate").path, ["serve", "--config", try file.write(to: folder)], in: folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("The access log can't be opened"))
    }
}

/// The probes' listener has no token: whoever reaches it must not be able to use up the gateway's memory, nor lose what they ask for.
@Suite("slow probes", .timed)
struct SlowProbeTests {
    @Test("who asks for pages and reads none is not answered on and on")
    func deaf() throws {
        let bench = try Bench { $0.more = ["log: off", "probes: {address: 127.0.0.1:0}"] }
        let stream = try PlainStream(port: try bench.gateway.probesPort())
        let before = bench.gateway.process.residentMemory
        let ask = Array("GET /metrics HTTP/1.1\r\nHost: probes\r\n\r\n".utf8)
        let end = Date.now + 3
        var most = before
        while Date.now < end {
            guard (try? stream.send(ask)) != nil else { break }
            most = max(most, bench.gateway.process.residentMemory)
            _ = poll(nil, 0, 2)
        }
        #expect(most - before < 16 * 1024, "KiB")
        #expect(try bench.gateway.probe("/healthz").status == 200)
    }

    @Test("a page is whole, also for who closes after it and reads slowly")
    func slow() throws {
        let routes = (0..<600).map { "- {path: \"/v1/many/\($0)/{a}\", upstream: jitsudo}" }
        let bench = try Bench {
            $0.more = ["log: off", "probes: {address: 127.0.0.1:0}"]
            $0.routes = routes
        }
        for number in 0..<600 { _ = try bench.ask(Array(GoodRequest.target("/v1/many/\(number)/x").utf8)) }
        let client = try WireClient.plain(port: try bench.gateway.probesPort())
        try client.stream.send(Array("GET /metrics HTTP/1.1\r\nHost: probes\r\nConnection: close\r\n\r\n".utf8))
        _ = poll(nil, 0, 500)  // so that the kernel's buffers are full before anything is read
        let page = try client.answer(to: "GET")
        #expect(page.status == 200 && !page.isCut && page.body.count > 1_000_000, "\(page.body.count) bytes")
    }
}
