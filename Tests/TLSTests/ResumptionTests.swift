import COpenSSL
import Testing

@testable import TLS

@Suite("resumption") struct ResumptionTests {
    /// The ticket of a first connection.
    private func ticket(_ context: TLSContext, _ version: Int32, name: String?) throws -> SavedSession {
        let pair = try Pair.connected(context, .init(versions: version...version, name: name))
        _ = pair.clientHears([1])
        #expect(pair.client.tickets.count == 1)
        return try #require(pair.client.tickets.last)
    }

    private func resume(_ context: TLSContext, _ ticket: SavedSession, _ version: Int32, name: String?) throws -> Pair {
        try Pair.connected(context, .init(versions: version...version, name: name, resuming: ticket))
    }

    @Test("a session is resumed under its own name", arguments: [TLS1_2_VERSION, TLS1_3_VERSION], ["gateway.test", "a.example.test", nil])
    func sameName(version: Int32, name: String?) throws {
        let context = try TLSContext.test()
        let pair = try resume(context, ticket(context, version, name: name), version, name: name)
        #expect(pair.client.isResumed)
        #expect(pair.log.handshake?.resumed == true)
        #expect(pair.log.handshake?.serverName == name)
        #expect(pair.serverHears([1, 2, 3]) == [1, 2, 3])
    }

    @Test(
        "a session is resumed under no other name, whether that has the same certificate or not",
        arguments: [TLS1_2_VERSION, TLS1_3_VERSION],
        [("gateway.test", "localhost"), ("gateway.test", "a.example.test"), ("a.example.test", "b.example.test"), ("gateway.test", nil)])
    func otherName(version: Int32, names: (String, String?)) throws {
        let context = try TLSContext.test()
        let pair = try resume(context, ticket(context, version, name: names.0), version, name: names.1)
        #expect(pair.client.isReady)
        #expect(!pair.client.isResumed)
    }

    @Test("another process' ticket leads to a full handshake", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func otherContext(version: Int32) throws {
        let saved = try ticket(.test(), version, name: "gateway.test")
        let pair = try resume(.test(), saved, version, name: "gateway.test")
        #expect(pair.client.isReady)
        #expect(!pair.client.isResumed)
    }

    @Test("a context that follows another resumes its sessions", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func successor(version: Int32) throws {
        let first = try TLSContext.test()
        let saved = try ticket(first, version, name: "gateway.test")
        let second = try TLSContext(server: .init(certificates: [Identity.gateway.files]), after: first)
        #expect(second.identity != first.identity)
        #expect(try resume(second, saved, version, name: "gateway.test").client.isResumed)
    }

    @Test("a session of a certificate that was replaced is not resumed", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func replacedCertificate(version: Int32) throws {
        let first = try TLSContext.test()
        let saved = try ticket(first, version, name: "gateway.test")
        let second = try TLSContext(server: .init(certificates: [Identity(["gateway.test"]).files]), after: first)
        let pair = try resume(second, saved, version, name: "gateway.test")
        #expect(pair.client.isReady)
        #expect(!pair.client.isResumed)
    }

    @Test("a context's identity is that of what it serves")
    func identity() throws {
        #expect(try TLSContext.test().identity == TLSContext.test().identity)
        #expect(try TLSContext.test().identity != TLSContext.test(minimum: .v1_3).identity)
        #expect(try TLSContext.test().identity != TLSContext.test(alpn: ["h2", "http/1.1"]).identity)
    }

    @Test("each resumed connection of TLS 1.3 brings a ticket for the next")
    func chainOfTickets() throws {
        let context = try TLSContext.test()
        var saved = try ticket(context, TLS1_3_VERSION, name: "gateway.test")
        for _ in 0..<5 {
            let pair = try resume(context, saved, TLS1_3_VERSION, name: "gateway.test")
            #expect(pair.client.isResumed)
            _ = pair.clientHears([1])
            saved = try #require(pair.client.tickets.last)
        }
    }

    @Test("a ticket key seals for one lifetime, opens for another and is forgotten")
    func rotation() throws {
        let life = TLSLimits.ticketLifetime
        let first = try #require(TicketKeys.Key(now: 100))
        var ring = TicketKeys.Ring(current: first)
        #expect(ring.current(now: 99 + life).name == first.name)
        let second = ring.current(now: 100 + life)
        #expect(second.name != first.name)
        #expect(ring.previous?.name == first.name)
        _ = ring.current(now: 100 + 2 * life)
        #expect(ring.previous?.name == second.name)
        _ = ring.current(now: 100 + 5 * life)
        #expect(ring.previous == nil)
    }
}
