import Foundation
import Glibc
import TestSupport
import Testing

/// Unix sockets and IPv6 on both sides (SPEC §5).
@Suite("Unix sockets and IPv6", .serialized, .timed)
struct UnixSocketTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func stand(_ mode: String? = nil, _ edit: (inout GatewayFile) -> Void = { _ in }) throws -> ServersStand {
        try ServersStand([], in: folder) { file in
            file.servers = nil
            file.listeners = [listener(mode)]
            edit(&file)
        }
    }

    private func listener(_ mode: String? = nil) -> String {
        "- {address: unix:door.sock, tls: off\(mode.map { ", mode: \"\($0)\"" } ?? "")}"
    }

    private var path: String { folder.path("door.sock") }

    private var status: stat? {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status : nil
    }

    @Test("a client comes by the socket, a server is reached by one, and the Host stays the client's")
    func bothSides() throws {
        let server = try RecordingUpstream(at: .unix(path: folder.path("app.sock"))) { _ in [.json(#"{"by":"socket"}"#)] }
        let stand = try stand { $0.servers = ["unix:app.sock"] }
        let result = try ChildProcess.run(
            "curl",
            [
                "-sS", "--unix-socket", path, "-H", "Authorization: Bearer \(GoodRequest.token)", "-H", "X-Tenant-ID: \(TestIssuers.acme)",
                "http://gateway.test/v1/page",
            ], in: folder)
        #expect(result.output == #"{"by":"socket"}"#, "\(result.errors)")
        let seen = try #require(server.takeRequests().first)
        #expect(seen.field("host") == "gateway.test" && seen.target == "/v1/page")
        #expect(seen.field("x-forwarded-for") == "unknown", "there is no address to tell")
        #expect(try stand.isUp("unix:\(folder.path("app.sock"))") == true)
        #expect(try stand.ask().status == 200)
    }

    @Test("the file has the mode that was asked for, and goes with the gateway")
    func mode() throws {
        let stand = try stand("0600")
        _ = try stand.gateway.process.waitForErrors { $0.contains("listening on unix:\(path) (plain HTTP)") ? true : nil }
        #expect(status.map { $0.st_mode & 0o777 } == 0o600)
        try stand.edit { $0.listeners = [listener()] }
        #expect(status.map { $0.st_mode & 0o777 } == 0o660, "a reload changes it")
        #expect(try ask().status == 401)
        stand.gateway.process.terminate()
        #expect(status == nil)
    }

    @Test("what a killed gateway has left is replaced; a living one's socket is not, nor what is no socket")
    func stale() throws {
        let first = try stand()
        first.gateway.process.kill()
        #expect(status != nil)
        let second = try stand()
        #expect(try ask().status == 401)
        // Another gateway, with a ledger of its own.
        let third = try refusal { $0.ledgerFolder = "other" }
        #expect(third.contains("unix:\(path) can't be listened on: a process that is alive listens there"))
        #expect(try ask().status == 401, "the first one is not disturbed")
        second.gateway.process.kill()
        try FileManager.default.removeItem(atPath: path)
        try folder.write("precious", to: "door.sock")
        #expect(try refusal { $0.ledgerFolder = "other" }.contains("there is something else than a socket"))
        #expect(folder.read("door.sock") == "precious")
    }

    @Test("a reload adds and removes it")
    func reload() throws {
        let stand = try stand { $0.listeners = [] }
        #expect(status == nil)
        #expect(try stand.edit { $0.listeners = [listener()] }.hasSuffix("listeners; listening on unix:\(path) (plain HTTP)"))
        let client = try client()
        #expect(try client.exchange(request("GET", "/v1/page")).status == 401)
        try stand.edit { $0.listeners = [] }
        #expect(status == nil)
        #expect(try client.end(within: 20) == true)
        #expect(try stand.ask().status == 502, "TCP goes on")
    }

    @Test("the bound for one source counts addresses, which a socket's clients have not; the bound for all holds")
    func limits() throws {
        let stand = try stand { $0.more += ["limits: {connections: 30, connections_per_source: 2}"] }
        let clients = try (0..<20).map { _ in try client() }
        for client in clients { #expect(try client.exchange(request("GET", "/v1/page")).status == 401) }
        #expect(try stand.gateway.metrics()["tenantgate_client_connections"] == 20)
        for client in clients { client.stream.close() }
        #expect(try stand.waitForMetrics { $0["tenantgate_client_connections"] == 0 })
    }

    @Test("IPv6 on both sides")
    func ipv6() throws {
        let server = try RecordingUpstream(at: .ipv6(port: 0)) { _ in [.json(#"{"by":"six"}"#)] }
        let stand = try ServersStand(["http://[::1]:\(server.port)"]) { $0.listeners = ["- {address: \"[::1]:0\", tls: off}"] }
        let line = try stand.line("listening on [::1]:")
        let port = try #require(line.split(separator: "[::1]:").last.flatMap { Int($0.prefix { $0.isNumber }) })
        let client = WireClient(try PlainStream(.ipv6(port: port)))
        #expect(try client.exchange(GoodRequest.target("/v1/page")).text == #"{"by":"six"}"#)
        #expect(server.takeRequests().first?.field("x-forwarded-for") == "::1")
        #expect(try stand.isUp("[::1]:\(server.port)") == true)
    }

    private func client() throws -> WireClient { WireClient(try PlainStream(.unix(path: path))) }

    private func ask() throws -> WireAnswer { try client().exchange(request("GET", "/v1/page")) }

    /// What a gateway says that doesn't start.
    private func refusal(_ edit: (inout GatewayFile) -> Void) throws -> String {
        try folder.write("", to: "other/.keep")
        do {
            _ = try stand(nil, edit)
            return "it started"
        } catch let failure as ChildFailed {
            return failure.errors
        }
    }
}
