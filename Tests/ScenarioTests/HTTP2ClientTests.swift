import Foundation
import TestSupport
import Testing

/// Clients that others have written: nghttp, h2load, Python's h2. curl does the main job in `MainJobTests`.
@Suite("HTTP/2 clients", .serialized, .timed)
struct HTTP2ClientTests {
    private static func isThere(_ program: String) -> Bool {
        ["/usr/bin", "/usr/local/bin"].contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
    }

    private static let dialect = Dialect.jitsudo
    private static let tenant = "x-tenant-id: \(dialect.tenant)"

    @Test("nghttp gets two answers of one connection, and a refusal", .enabled(if: isThere("nghttp"), "nghttp is not installed"))
    func nghttp() throws {
        let world = try World()
        let base = "https://localhost:\(world.gateway.port)"
        func run(_ token: String, _ paths: [String]) throws -> String {
            let arguments = ["--no-verify-peer", "-v", "-H", "authorization: Bearer \(token)", "-H", Self.tenant, "--timeout=20"]
            return try ChildProcess.run("nghttp", arguments + paths.map { base + $0 }, in: world.folder).output
        }
        let own = "/v1/users/\(Self.dialect.member)"
        let good = try run(Self.dialect.memberToken, [own, "/healthz"])
        #expect(good.components(separatedBy: ":status: 200").count == 3, "\(good)")
        let other = try run(Self.dialect.token(Self.dialect.member, tenant: Self.dialect.otherTenant), [own])
        #expect(other.contains(":status: 403") && other.contains("tenant_mismatch"))
    }

    @Test("a HEAD that is refused unread has no body, over either protocol", arguments: ["--http1.1", "--http2"])
    func head(_ version: String) throws {
        let bench = try Bench()
        let folder = try TemporaryFolder()
        let result = try ChildProcess.run(
            "curl",
            [
                "-sS", "--insecure", "--head", version, "--max-time", "20", "-H", "X-Tenant-ID: a", "-H", "X-Tenant-ID: b",
                "https://localhost:\(bench.gateway.port)/v1/page",
            ], in: folder)
        #expect(result.status == 0 && result.output.contains(" 400"), "\(result)")
        let client = try bench.gateway.client()
        let head = "HEAD /v1/page HTTP/1.1\r\nHost: gateway.test\r\nX-Tenant-ID: a\r\nX-Tenant-ID: b\r\n\r\n"
        try client.stream.send(Array(head.utf8))
        let answer = String(decoding: try client.rest(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 400") && answer.hasSuffix("\r\n\r\n"), "\(answer)")
    }

    @Test(
        "h2load: 2000 requests on 8 connections with 32 streams each all succeed",
        .enabled(if: isThere("h2load"), "h2load is not installed"))
    func h2load() throws {
        let bench = try Bench()
        let folder = try TemporaryFolder()
        let result = try ChildProcess.run(
            "h2load",
            [
                "-n", "2000", "-c", "8", "-m", "32", "-H", "authorization: Bearer \(Self.dialect.memberToken)", "-H", Self.tenant,
                "https://localhost:\(bench.gateway.port)/v1/page",
            ], in: folder)
        #expect(result.output.contains("2000 done, 2000 succeeded, 0 failed, 0 errored"), "\(result.output)\(result.errors)")
        #expect(bench.upstream.received == 2000)
    }

    @Test("Python's h2: 200, 401, 403, a suspension, 3 MiB in both directions, trailers", .enabled(if: hasPython, "h2 is not installed"))
    func python() throws {
        let folder = try TemporaryFolder()
        let bench = try Bench()
        let (member, admin) = (Self.dialect.memberToken, Self.dialect.adminToken)
        let large = [UInt8](repeating: 7, count: 3 << 20)
        bench.upstream.answer { request in
            switch request.target {
            case "/v1/large":
                [
                    .text("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n300000\r\n"), .send(large),
                    .text("\r\n0\r\nX-Sum: 1\r\n\r\n"),
                ]
            case "/v1/upload": [.json(#"{"length":\#(request.content.count)}"#)]
            case let path where path.hasSuffix("/suspend"): [.json(#"{"id":"\#(Self.dialect.member)","active":false}"#)]
            default: [.json("{}")]
            }
        }
        func ask(_ requests: [[String: Any]]) throws -> [[String: Any]] {
            let file = try folder.write(
                String(decoding: try JSONSerialization.data(withJSONObject: requests), as: UTF8.self), to: "requests.json")
            let script = BuildProducts.repository.appending(path: "Tests/Providers/http2.py").path
            let certificate = try TestCertificate.gateway.get().chainFile
            let python = try #require(Provider.python).path
            let result = try ChildProcess.run(python, [script, "\(bench.gateway.port)", certificate, file], in: folder)
            let answers = try? JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]]
            return try #require(answers, "\(result.output)\(result.errors)")
        }
        func request(
            _ method: String, _ path: String, _ token: String?, tenant: String = Self.dialect.tenant, body: String = "", times: Int = 1
        )
            -> [String: Any]
        {
            var fields = [
                [":method", method], [":scheme", "https"], [":authority", "gateway.test"], [":path", path], ["x-tenant-id", tenant],
            ]
            if let token { fields.append(["authorization", "Bearer \(token)"]) }
            if body.hasPrefix("{") { fields.append(["content-type", "application/json"]) }
            return ["fields": fields, "body": body, "times": times]
        }
        func status(_ answer: [String: Any]) -> String? { (answer["fields"] as? [String: String])?[":status"] }
        let answers = try ask([
            request("GET", "/v1/page", member), request("GET", "/v1/page", nil),
            request("GET", "/v1/page", member, tenant: Self.dialect.otherTenant), request("GET", "/v1/large", member),
            request("POST", "/v1/upload", member, body: "abc", times: 1 << 20),
        ])
        let suspension = try ask([
            request("POST", "/v1/users/\(Self.dialect.member)/suspend", admin, body: #"{"active": false}"#)
        ])
        #expect(answers.map(status) == ["200", "401", "403", "200", "200"])
        #expect(suspension.map(status) == ["200"])
        #expect(answers.allSatisfy { $0["whole"] as? Bool == true })
        #expect((answers[2]["text"] as? String)?.contains("tenant_mismatch") == true)
        #expect(answers[3]["length"] as? Int == large.count && answers[3]["sum"] as? Int == 7 * large.count)
        #expect(answers[3]["trailers"] as? [String: String] == ["x-sum": "1"])
        #expect(answers[4]["text"] as? String == #"{"length":\#(3 << 20)}"#)
        let after = try ask([request("GET", "/v1/page", member), request("GET", "/v1/page", admin)])
        #expect(after.map(status) == ["403", "200"])
        #expect((after[0]["text"] as? String)?.contains("user_suspended") == true)
    }

    private static let hasPython: Bool = {
        guard let python = Provider.python?.path, let folder = try? TemporaryFolder() else { return false }
        return (try? ChildProcess.run(python, ["-c", "import h2"], in: folder).status) == 0
    }()
}
