import Foundation
import TestSupport
import Testing

/// Tokens that were verified once, when the file changes.
@Suite("remembered tokens over a reload", .serialized, .timed)
struct RememberedTokensTests {
    private static let misses = "tenantgate_token_memory_lookups_total{result=\"miss\"}"

    @Test("tenants that come, change and go cost nobody else's tokens another verification")
    func otherTenants() throws {
        let stand = try ReloadStand {
            $0.more = ["credentials_dir: issuers", "probes: {address: 127.0.0.1:0}"]
        } prepare: {
            try Issuers.write(2, to: $0)
            // Another key, for later.
            try Issuers.write(3, to: $0)
            try FileManager.default.removeItem(atPath: $0.path("issuers/3.yaml"))
        }
        // One connection is on one loop.
        let client = try stand.gateway.client()
        // Made once: a token that is made in the next second is another one.
        let requests = (0..<20).map { Issuers.request(2, stand, unique: $0) }
        func ask() throws {
            for request in requests { #expect(try client.exchange(request).status == 200) }
        }
        try ask()
        let before = try #require(try stand.gateway.metrics()[Self.misses])
        #expect(before >= 20)
        try Issuers.write(1, to: stand.folder)
        #expect(try stand.nextReload() == "reloaded \(stand.file): issuers")
        try ask()
        #expect(try stand.gateway.metrics()[Self.misses] == before)
        let other = try String(contentsOfFile: stand.folder.path("keys/3.pem"), encoding: .utf8)
        try stand.folder.write(other, to: "keys/1.pem")
        #expect(try stand.nextReload().hasSuffix("/keys/1.pem"))
        try ask()
        #expect(try stand.gateway.metrics()[Self.misses] == before)
        // Its own key is another one now.
        try stand.folder.write(other, to: "keys/2.pem")
        #expect(try stand.nextReload().hasSuffix("/keys/2.pem"))
        #expect(try client.exchange(Issuers.request(2, stand)).status == 401)
    }
}
