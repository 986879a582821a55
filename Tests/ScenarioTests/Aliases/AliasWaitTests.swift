import Foundation
import TestSupport
import Testing

/// Requests that wait until it is known whom their token means: what goes upstream, over both protocols, and who has gone meanwhile.
@Suite("requests that wait for an alias", .serialized, .timed)
struct AliasWaitTests {
    private static let ben = TestIssuers.acmeMember

    private static func user(_ email: String = "ben@acme.example") -> String {
        #"{"id":"\#(ben.uppercased())","email":"\#(email)","email_verified":true,"active":true}"#
    }

    private static func fields(_ method: String, _ path: String, _ token: String) -> [HTTP2Field] {
        [
            HTTP2Field(":method", method), HTTP2Field(":scheme", "https"), HTTP2Field(":path", path),
            HTTP2Field(":authority", "gateway.test"), HTTP2Field("authorization", "Bearer \(token)"),
            HTTP2Field("x-tenant-id", TestIssuers.acme),
        ]
    }

    private func stand(_ gate: TestGate? = nil, _ edit: (inout GatewayFile) -> Void = { _ in }) throws -> (AliasStand, RecordingUpstream) {
        let service = try RecordingUpstream { request in
            guard request.target.hasPrefix("/v1/users?email=") else { return [.json("{}")] }
            let found = request.target == "/v1/users?email=ben%40acme.example" ? Self.user() : ""
            return (gate.map { [.hold($0)] } ?? []) + [.json(#"{"users":[\#(found)]}"#)]
        }
        let stand = try AliasStand { file in
            file.jitsudoPort = service.port
            file.threads = 1
            file.more.append("log: {users: plain}")
            edit(&file)
        }
        return (stand, service)
    }

    @Test("the service is asked with the service token and the tenant, and gets the request with the user's own id, body and all")
    func upstream() throws {
        let (stand, service) = try stand()
        let token = TestIssuers.loginToken("Ben@acme.example", ["roles": ["member"]])
        let answer = try stand.world.gateway.ask(
            request("POST", "/v1/things?a=b", token: token, tenant: TestIssuers.acme, body: #"{"x":1}"#))
        #expect(answer.status == 200)
        let requests = service.takeRequests()
        #expect(requests.map(\.target) == ["/v1/users?email=ben%40acme.example", "/v1/things?a=b"])
        #expect(requests[0].field("authorization") == "Bearer \(GatewayFile.serviceToken)")
        #expect(requests[0].values("x-tenant-id") == [TestIssuers.acme] && requests[0].field("x-user-id") == nil)
        #expect(requests[1].values("x-user-id") == [Self.ben] && requests[1].values("x-user-roles") == ["member"])
        #expect(requests[1].values("x-tenant-id") == [TestIssuers.acme] && requests[1].bodyText == #"{"x":1}"#)
        let end = Date.now.addingTimeInterval(10)
        while stand.world.gateway.process.outputText.isEmpty, Date.now < end { usleep(10_000) }
        #expect(stand.world.gateway.process.outputText.contains(#""user":"\#(Self.ben)""#))
    }

    @Test("requests on one connection, and streams on another, wait for one search and are all answered, in their order")
    func together() throws {
        let gate = TestGate()
        let (stand, service) = try stand(gate)
        let token = TestIssuers.loginToken("ben@acme.example")
        let client = try stand.world.gateway.client()
        let one = request("POST", "/v1/a", token: token, tenant: TestIssuers.acme, body: "first")
        try client.stream.send(Array((one + request("GET", "/v1/b", token: token, tenant: TestIssuers.acme)).utf8))
        let http2 = try HTTP2Client(port: stand.world.gateway.port)
        let streams = try (0..<3).map { number in
            try http2.begin(Self.fields("POST", "/v1/s\(number)", token), body: Array("body\(number)".utf8))
        }
        #expect(service.wait { $0.received >= 1 })
        gate.open()
        #expect(try client.answer(to: "POST").status == 200 && client.answer(to: "GET").status == 200)
        for id in streams { #expect(try http2.answer(on: id).status == 200) }
        let requests = service.takeRequests()
        #expect(requests.count { $0.target.hasPrefix("/v1/users") } == 1)
        #expect(requests.filter { !$0.target.hasPrefix("/v1/users") }.allSatisfy { $0.values("x-user-id") == [Self.ben] })
        #expect(requests.first { $0.target == "/v1/a" }?.bodyText == "first")
        for number in 0..<3 { #expect(requests.first { $0.target == "/v1/s\(number)" }?.content == Array("body\(number)".utf8)) }
    }

    @Test("a client that has gone meanwhile is noted and nothing of its request is forwarded; a service that never answers is given up")
    func gone() throws {
        let gate = TestGate()
        let (stand, service) = try stand(gate)
        let token = TestIssuers.loginToken("ben@acme.example")
        let client = try stand.world.gateway.client()
        try client.stream.send(Array(request("GET", "/v1/a", token: token, tenant: TestIssuers.acme).utf8))
        let http2 = try HTTP2Client(port: stand.world.gateway.port)
        _ = try http2.begin(Self.fields("GET", "/v1/b", token))
        let patient = try stand.world.gateway.client()
        try patient.stream.send(Array(request("GET", "/v1/c", token: token, tenant: TestIssuers.acme).utf8))
        #expect(service.wait { $0.received >= 1 })
        client.stream.close()
        http2.stream.close()
        let answer = try patient.answer(to: "GET")
        #expect(answer.status == 503 && answer.gatewayCode == "overloaded")
        gate.open()
        let end = Date.now.addingTimeInterval(10)
        while stand.world.gateway.process.outputText.components(separatedBy: "client_closed").count < 3, Date.now < end { usleep(10_000) }
        #expect(stand.world.gateway.process.outputText.components(separatedBy: "client_closed").count == 3)
        #expect(service.takeRequests().allSatisfy { $0.target.hasPrefix("/v1/users") })
    }
}
