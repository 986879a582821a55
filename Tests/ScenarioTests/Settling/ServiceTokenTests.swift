import Foundation
import TestSupport
import Testing

/// What the gateway's own requests carry, and that a token's file may change.
@Suite("service tokens", .serialized, .timed)
struct ServiceTokenTests {
    @Test("a read carries the tenant's token and nobody else's; a changed file is taken without a restart")
    func rotation() throws {
        let dialect = Dialect.jitsudo
        let user = #"{"id":"\#(dialect.member)","email":"b@acme.example","active":false}"#
        let service = try RecordingUpstream { request in
            request.method == "GET" ? [.json(request.field("authorization") == "Bearer new-token" ? user : "{}")] : [.close]
        }
        let world = try World { file in
            file.jitsudoPort = service.port
            file.directoryKeys = ["service_tokens: [{file: secrets/service}]", "reconcile: off"]
            file.directories = []
            file.more = ["probes: {address: 127.0.0.1:0}"]
        }
        #expect(try world.gateway.ask(dialect.setActive(false, dialect.member)).status == 502)
        let first = try read(service)
        #expect(first.target == "/v1/users/\(dialect.member)" && first.field("authorization") == "Bearer \(GatewayFile.serviceToken)")
        #expect(first.values("x-tenant-id") == [dialect.tenant] && first.field("host") == "127.0.0.1:\(service.port)")
        #expect(first.field("accept-encoding") == "identity" && first.field("x-user-id") == nil && first.body.isEmpty)
        #expect(try world.isBlocked(dialect.member, dialect) != true)
        try Data("new-token\n".utf8).write(to: URL(filePath: world.folder.path("secrets/service")), options: .atomic)
        let end = Date.now.addingTimeInterval(20)
        while try world.gateway.metrics()["tenantgate_unconfirmed_users"] != 0, Date.now < end { usleep(20_000) }
        #expect(try world.gateway.metrics()["tenantgate_unconfirmed_users"] == 0)
        #expect(service.takeRequests().last { $0.method == "GET" }?.field("authorization") == "Bearer new-token")
        let told = world.gateway.process.errorText
        #expect(told.contains("reloaded") && !told.contains("new-token") && !told.contains(GatewayFile.serviceToken))
        #expect(told.contains("users of jitsudo can't be read") && told.contains("users of jitsudo can be read again"))
    }

    private func read(_ service: RecordingUpstream) throws -> RecordedRequest {
        let end = Date.now.addingTimeInterval(10)
        while Date.now < end {
            if let read = service.takeRequests().first(where: { $0.method == "GET" }) { return read }
            usleep(10_000)
        }
        throw StreamError.closed
    }
}
