import Foundation
import TestSupport
import Testing

/// What `/metrics` tells, held against requests that were really sent.
@Suite("metrics", .serialized, .timed)
struct MetricsTests {
    private static let probes = ["probes: {address: 127.0.0.1:0}"]

    @Test("HTTP/1.1, HTTP/2 and WebSockets are told apart")
    func protocols() throws {
        let bench = try Bench { $0.more = Self.probes }
        bench.upstream.answer { request in
            guard request.field("upgrade") != nil else { return [.json("{}")] }
            return [.text(WebSocketOpening.switching), .close]
        }
        for _ in 0..<3 { #expect(try bench.ask(Array(GoodRequest.target("/v1/page").utf8)).status == 200) }
        let client = try HTTP2Client(port: bench.gateway.port)
        for _ in 0..<5 { #expect(try client.exchange(GoodStream.fields()).status == 200) }
        for _ in 0..<2 {
            let opening = WebSocketOpening.text("/v1/live", GoodRequest.identity)
            #expect(try WebSocketPeer(bench.gateway.client(), opening: opening).untilClosed().count == 1)
        }
        let metrics = try bench.gateway.metrics()
        for (name, count) in [("http/1.1", 3), ("h2", 5), ("websocket", 2)] as [(String, Double)] {
            #expect(metrics["tenantgate_requests_by_protocol_total{protocol=\"\(name)\"}"] == count, "\(name)")
        }
        #expect(metrics.sum("tenantgate_requests_total") == metrics.sum("tenantgate_requests_by_protocol_total"))
    }

    @Test("counts equal the requests sent, by route, stage, code and status")
    func counts() throws {
        let world = try World { $0.more = Self.probes }
        let dialect = Dialect.jitsudo
        let gateway = world.gateway
        let client = try gateway.client()
        let own = dialect.call("GET", "/users/\(dialect.member)", token: dialect.memberToken)
        for _ in 0..<7 { #expect(try client.exchange(own).status == 200) }
        for _ in 0..<5 { #expect(try gateway.ask(request("GET", "/v1/things")).status == 401) }
        for _ in 0..<3 { #expect(try gateway.ask(request("GET", "/nowhere")).status == 404) }
        for _ in 0..<2 { #expect(try gateway.ask("GET /v1/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").status == 400) }
        let missing = dialect.call("GET", "/users/0E000000-0000-4000-8000-00000000000E", token: dialect.memberToken)
        #expect(try gateway.ask(missing).status == 404)

        let metrics = try gateway.metrics()
        func count(_ route: String, _ stage: String, _ code: String, _ status: Int) -> Double? {
            metrics["tenantgate_requests_total{route=\"\(route)\",stage=\"\(stage)\",code=\"\(code)\",status=\"\(status)\"}"]
        }
        #expect(count("/v1/**", "respond", "-", 200) == 7)
        #expect(count("/v1/**", "respond", "-", 404) == 1)
        #expect(count("/v1/**", "authenticate", "unauthenticated", 401) == 5)
        #expect(count("-", "route", "route_not_found", 404) == 3)
        #expect(count("-", "parse", "duplicate_header", 400) == 2)
        #expect(metrics.sum("tenantgate_requests_total") == 18)
        #expect(metrics.sum("tenantgate_request_duration_seconds_count") == 18)
        #expect(metrics["tenantgate_request_duration_seconds_bucket{route=\"/v1/**\",le=\"+Inf\"}"] == 13)
        #expect(metrics["tenantgate_upstream_duration_seconds_count{upstream=\"jitsudo\"}"] == 8)
        #expect(metrics["tenantgate_tls_handshakes_total{version=\"1.3\",resumed=\"false\"}"] == 12)
        #expect(metrics.sum("tenantgate_token_memory_lookups_total") == 8)
        #expect(metrics["tenantgate_client_connections_accepted_total"] == 12)
    }

    @Test("what a route that observes would have refused is told beside what was answered")
    func observed() throws {
        let world = try World {
            $0.more = Self.probes
            $0.routes = ["- {path: /v1/legacy/**, upstream: jitsudo, mode: observe, until: 2999-12-31}"]
        }
        for _ in 0..<3 { #expect(try world.gateway.ask(request("GET", "/v1/legacy/things")).gatewayCode == nil) }
        let metrics = try world.gateway.metrics()
        #expect(metrics.sum("tenantgate_observed_refusals_total", "/v1/legacy/**", "authenticate", "unauthenticated") == 3)
        #expect(metrics.sum("tenantgate_requests_total", "/v1/legacy/**", "code=\"-\"") == 3)
        #expect(metrics.sum("tenantgate_requests_total") == 3)
    }

    @Test("a file that is written anew again and again doesn't make the page grow, and what its routes that stay have counted stays")
    func routesThatAreGone() throws {
        let stand = try ReloadStand { $0.more = Self.probes }
        func routes(_ file: Int) -> [String] { (0..<700).map { "- {path: /v1/file\(file)/\($0), upstream: jitsudo}" } }
        #expect(try stand.ask("/v1/things").status == 200)
        #expect(try stand.ask("/nowhere").status == 404)
        for file in 1...3 {
            try stand.edit { $0.routes = routes(file) }
            #expect(try stand.reload() == "reloaded \(stand.file): routes")
            #expect(try stand.ask("/v1/file\(file)/0").status == 200)
        }
        let metrics = try stand.gateway.metrics()
        for file in 1...3 {
            #expect(
                metrics["tenantgate_request_duration_seconds_count{route=\"/v1/file\(file)/0\"}"] == (file == 3 ? 1 : nil),
                "with the third file 1,400 routes are gone, which is too many")
        }
        #expect(metrics["tenantgate_request_duration_seconds_count{route=\"/v1/**\"}"] == 1)
        #expect(metrics["tenantgate_request_duration_seconds_count{route=\"-\"}"] == 1)
    }

    @Test("suspend calls, blocked users and the time to block are told", arguments: Dialect.both)
    func suspensions(_ dialect: Dialect) throws {
        let world = try World { $0.more = Self.probes }
        let gateway = world.gateway
        #expect(try gateway.ask(dialect.setActive(false, dialect.member)).status == 200)
        #expect(try gateway.ask(dialect.setActive(false, dialect.protected)).status == 403)
        let metrics = try gateway.metrics()
        let name = dialect.isJITSudo ? "jitsudo" : "rinne"
        #expect(metrics["tenantgate_suspended_users{directory=\"\(name)\"}"] == 1)
        #expect(metrics["tenantgate_suspend_calls_total{call=\"suspend\",outcome=\"confirmed\"}"] == 1)
        #expect(metrics["tenantgate_suspend_calls_total{call=\"suspend\",outcome=\"refused\"}"] == 1)
        #expect(metrics["tenantgate_time_to_block_seconds_count"] == 1)
        #expect(metrics["tenantgate_time_to_block_seconds_bucket{le=\"1\"}"] == 1)
        #expect(metrics["tenantgate_unconfirmed_users"] == 0)
        #expect(metrics["tenantgate_ledger_errors_total"] == 0)
        #expect(metrics["tenantgate_ledger_writable"] == 1)

        #expect(try gateway.ask(dialect.setActive(true, dialect.member)).status == 200)
        let after = try gateway.metrics()
        #expect(after["tenantgate_suspended_users{directory=\"\(name)\"}"] == 0)
        #expect(after["tenantgate_suspend_calls_total{call=\"reactivate\",outcome=\"confirmed\"}"] == 1)
        #expect(after["tenantgate_time_to_block_seconds_count"] == 1, "a reactivation blocks nobody")
    }

    @Test("the format is Prometheus' own, and its checker has nothing to say", .enabled(if: Promtool.isThere, "promtool is not installed"))
    func format() throws {
        let world = try World { $0.more = Self.probes + ["metrics: {tenants: 2}"] }
        _ = try world.gateway.ask(Dialect.jitsudo.probe(Dialect.jitsudo.memberToken))
        let answer = try world.gateway.probe("/metrics")
        #expect(answer.status == 200)
        #expect(answer.field("content-type") == "text/plain; version=0.0.4; charset=utf-8")
        let result = try Promtool.checkMetrics(answer.text, in: world.folder)
        #expect(result.status == 0)
        #expect(result.output + result.errors == "")
    }

    @Test("tenants are named up to the file's bound; the others count as one, and by default nobody is named")
    func tenants() throws {
        let world = try World { $0.more = Self.probes + ["metrics: {tenants: 1}"] }
        let (acme, globex) = (TestIssuers.acme, TestIssuers.globex)
        for _ in 0..<3 { _ = try world.gateway.ask(Dialect.jitsudo.probe(Dialect.jitsudo.memberToken)) }
        for _ in 0..<2 { _ = try world.gateway.ask(Dialect.rinne.probe(Dialect.rinne.memberToken)) }
        let metrics = try world.gateway.metrics()
        #expect(metrics.sum("tenantgate_tenant_requests_total", acme.lowercased()) == 3)
        #expect(metrics.sum("tenantgate_tenant_requests_total", "tenant=\"other\"") == 2)
        #expect(!metrics.text.lowercased().contains(globex.lowercased()))

        let quiet = try World { $0.more = Self.probes }
        _ = try quiet.gateway.ask(Dialect.jitsudo.probe(Dialect.jitsudo.memberToken))
        #expect(try !quiet.gateway.metrics().text.lowercased().contains(acme.lowercased()))
    }

    @Test("neither log nor metrics hold a token, a cookie or a plain user id")
    func secrets() throws {
        let world = try World { $0.more = Self.probes + ["metrics: {tenants: 100}"] }
        let gateway = world.gateway
        for dialect in Dialect.both {
            _ = try gateway.ask(dialect.probe(dialect.memberToken))
            _ = try gateway.ask(dialect.setActive(false, dialect.member))
            _ = try gateway.ask(dialect.probe(dialect.memberToken))
            _ = try gateway.ask(dialect.call("GET", "/users/x", token: "not.a.token-MARK"))
            let sneaky = ["Cookie: session=COOKIE-MARK", "X-API-Key: KEY-MARK"]
            _ = try gateway.ask(request("GET", "/v1/things?access_token=QUERY-MARK", sneaky))
        }
        let metrics = try gateway.metrics().text
        gateway.process.terminate()
        let log = gateway.process.outputText
        #expect(log.split(separator: "\n").count == 10)
        for text in [metrics, log, gateway.process.errorText] {
            for secret in ["eyJ", "MARK", Dialect.jitsudo.member, Dialect.rinne.member, Dialect.jitsudo.member.lowercased()] {
                #expect(!text.contains(secret), "\(secret) is told")
            }
        }
    }

    @Test("failed handshakes and upstreams that can't be reached are told by cause")
    func failures() throws {
        let world = try World {
            $0.more = Self.probes
            $0.jitsudoPort = 1
        }
        let plain = try WireClient.plain(port: world.gateway.port)
        try plain.stream.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        _ = try plain.rest()
        try WireClient.plain(port: world.gateway.port).stream.close()
        #expect(try world.gateway.ask(Dialect.jitsudo.probe(Dialect.jitsudo.memberToken)).status == 502)
        let metrics = try world.gateway.metrics()
        #expect(metrics["tenantgate_tls_handshake_failures_total{cause=\"plain_http\"}"] == 1)
        #expect(metrics.sum("tenantgate_tls_handshake_failures_total") == 1, "a connection without a byte is no failure")
        #expect(metrics["tenantgate_upstream_connect_failures_total{upstream=\"jitsudo\"}"] == 1)
        #expect(metrics.sum("tenantgate_requests_total", "code=\"upstream_unavailable\"", "status=\"502\"") == 1)
        #expect(metrics["tenantgate_upstream_connections{upstream=\"jitsudo\",state=\"busy\"}"] == 0)
    }

    @Test("whatever status a service answers with has its count")
    func statuses() throws {
        let folder = try TemporaryFolder()
        let upstream = try RecordingUpstream { request in
            let status = request.target.split(separator: "/").last ?? ""
            return [.send(Array("HTTP/1.1 \(status) X\r\nContent-Length: 0\r\n\r\n".utf8))]
        }
        var file = GatewayFile(jitsudo: upstream.port, rinne: upstream.port)
        file.more = Self.probes
        let gateway = try Gateway(file: try file.write(to: folder), in: folder)
        let client = try gateway.client()
        let statuses = (200...599).filter { $0 != 204 && $0 != 205 && $0 != 304 }
        for status in statuses {
            let answer = try client.exchange(
                Dialect.jitsudo.call("GET", "/status/\(status)", token: Dialect.jitsudo.memberToken))
            #expect(answer.status == status)
        }
        let metrics = try gateway.metrics()
        for status in statuses {
            let sample = "tenantgate_requests_total{route=\"/v1/**\",stage=\"respond\",code=\"-\",status=\"\(status)\"}"
            #expect(metrics[sample] == 1, "\(status)")
        }
        #expect(metrics.sum("tenantgate_requests_total") == Double(statuses.count))
    }

    @Test("certificates, build and process are told")
    func basics() throws {
        let world = try World { $0.more = Self.probes }
        let metrics = try world.gateway.metrics()
        let now = Date().timeIntervalSince1970
        #expect(metrics.sum("tenantgate_certificate_expiry_timestamp_seconds") > now)
        #expect(metrics.sum("tenantgate_build_info") == 1)
        let started = try #require(metrics["process_start_time_seconds"])
        #expect(abs(now - started) < 120)
        #expect(try #require(metrics["process_cpu_seconds_total"]) > 0)
        #expect(try #require(metrics["process_resident_memory_bytes"]) > 1_000_000)
        let open = try #require(metrics["process_open_fds"])
        #expect(open > 5 && open < 200)
        #expect(metrics["tenantgate_log_lines_dropped_total"] == 0)
        #expect(metrics["tenantgate_ready"] == 1)
    }
}

/// Prometheus' own checker.
enum Promtool {
    static let path = ["/usr/bin/promtool", ProcessInfo.processInfo.environment["PROMTOOL"] ?? ""].first(
        where: FileManager.default.isExecutableFile)

    static var isThere: Bool { path != nil }

    static func checkMetrics(_ text: String, in folder: TemporaryFolder) throws -> (status: Int32, output: String, errors: String) {
        let file = try folder.write(text, to: "metrics.txt")
        let result = try ChildProcess.run("sh", ["-c", "exec \"$0\" check metrics < \"$1\"", path ?? "", file], in: folder)
        return (result.status, result.output, result.errors)
    }
}
