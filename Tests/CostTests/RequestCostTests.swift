import Foundation
import TestSupport
import Testing

/// What one proxied request costs in user space, counted by valgrind and so the same on every machine and under every load.
///
/// The request is the benchmark's `hot` case: one connection, a token that was seen before, a small answer, the access log on.
@Suite("what a request costs", .serialized)
struct RequestCostTests {
    /// Instructions of one request at most: what it took when this was last looked at, and a tenth more. Raise it only with a reason.
    private static let bound = isOptimised ? 76_000 : 690_000
    private static let isOptimised = (try? BuildProducts.program("tenantgate").path.contains("/release/")) ?? false

    @Test("a request takes no more instructions than it used to", .enabled(if: Valgrind.isThere, "valgrind is not installed"))
    func instructions() throws {
        let few = try instructions(ofRun: 50)
        let many = try instructions(ofRun: 250)
        let cost = (many - few) / 200
        print("cost: \(cost) instructions a request (bound \(Self.bound))")
        #expect(cost > 10_000, "nothing was counted")
        #expect(cost <= Self.bound)
    }

    /// The same over HTTP/2, libnghttp2's share with it. Optimised it is told and not held yet.
    private static let streamBound = isOptimised ? Int.max : 1_135_000

    @Test("a request over HTTP/2 takes no more instructions than it used to", .enabled(if: Valgrind.isThere, "valgrind is not installed"))
    func streamInstructions() throws {
        let few = try instructions(ofRun: 50, overStreams: true)
        let many = try instructions(ofRun: 250, overStreams: true)
        let cost = (many - few) / 200
        print("cost: \(cost) instructions a request over HTTP/2 (bound \(Self.streamBound))")
        #expect(cost > 10_000, "nothing was counted")
        #expect(cost <= Self.streamBound)
    }

    /// Instructions of a whole run of the gateway in which one connection makes so many requests.
    private func instructions(ofRun requests: Int, overStreams: Bool = false) throws -> Int {
        let folder = try TemporaryFolder()
        let upstream = try RecordingUpstream { _ in [.json(#"{"id":"x","name":"\#(String(repeating: "n", count: 400))"}"#)] }
        let file = try GatewayFile(jitsudo: upstream.port, rinne: upstream.port).write(to: folder)
        let gateway = try Valgrind(serving: file, in: folder)
        let token = TestIssuers.jitsudoToken(TestIssuers.acmeAdmin)
        if overStreams {
            try makeStreams(requests, port: gateway.port, token: token)
            return try gateway.instructions()
        }
        let client = try WireClient.tls(port: gateway.port)
        client.patience = 60
        for _ in 0..<requests {
            let answer = try client.exchange(
                "GET /v1/things HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer \(token)\r\nX-Tenant-ID: \(TestIssuers.acme)\r\n\r\n"
            )
            #expect(answer.status == 200, "\(answer.text)")
        }
        client.stream.close()
        return try gateway.instructions()
    }

    private func makeStreams(_ requests: Int, port: Int, token: String) throws {
        let client = try HTTP2Client(port: port)
        client.patience = 60
        for _ in 0..<requests {
            let answer = try client.exchange([
                HTTP2Field(":method", "GET"), HTTP2Field(":scheme", "https"), HTTP2Field(":authority", "gateway.test"),
                HTTP2Field(":path", "/v1/things"), HTTP2Field("authorization", "Bearer \(token)"),
                HTTP2Field("x-tenant-id", TestIssuers.acme),
            ])
            #expect(answer.status == 200)
        }
        client.stream.close()
    }
}
