import NIOCore
import TestSupport
import Testing

@testable import TLS

@Suite("as a client") struct ClientTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("tenantgate-tls-client") }

    private func server(_ identity: Identity, minimum: TLSVersion = .v1_2) throws -> TLSContext {
        try TLSContext(server: .init(certificates: [identity.files], minimum: minimum))
    }

    /// The error with which a client that trusts `authorities` leaves a server.
    private func error(_ identity: Identity, trusting authorities: String?, as wanted: TLSServerIdentity) throws -> TLSError? {
        try ClientPair(TLSClientContext(authorities: authorities), to: wanted, server: server(identity)).shakeHands()
    }

    @Test("a server is believed by its name, by a wildcard for a whole label, and by its address")
    func believed() throws {
        let gateway = Identity.gateway
        #expect(try error(gateway, trusting: gateway.chain, as: .name("gateway.test")) == nil)
        #expect(try error(gateway, trusting: gateway.chain, as: .name("LOCALHOST")) == nil)
        #expect(try error(.wildcard, trusting: Identity.wildcard.chain, as: .name("a.example.test")) == nil)
        let address = try Identity(["IP:127.0.0.1", "IP:::1"], in: folder)
        #expect(try error(address, trusting: address.chain, as: .address("127.0.0.1")) == nil)
        #expect(try error(address, trusting: address.chain, as: .address("::1")) == nil)
    }

    @Test(
        "a certificate for somebody else is refused as such",
        arguments: [
            TLSServerIdentity.name("other.test"), .name("test"), .name("a.gateway.test"), .name("b.a.example.test"), .name("example.test"),
            .address("127.0.0.1"), .address("::1"),
        ])
    func wrongName(wanted: TLSServerIdentity) throws {
        for identity in [Identity.gateway, .wildcard] {
            #expect(try error(identity, trusting: identity.chain, as: wanted) == .untrusted(.wrongName))
        }
    }

    @Test("a common name counts for nothing")
    func commonName() throws {
        let nameless = try Identity([], in: folder)  // its subject is CN=test
        #expect(try error(nameless, trusting: nameless.chain, as: .name("test")) == .untrusted(.wrongName))
    }

    @Test("an authority that is not trusted is refused, whether by the file or by the system's store")
    func unknownAuthority() throws {
        let stranger = try Identity(["gateway.test"], in: folder)
        #expect(try error(.gateway, trusting: stranger.chain, as: .name("gateway.test")) == .untrusted(.unknownAuthority))
        #expect(try error(.gateway, trusting: nil, as: .name("gateway.test")) == .untrusted(.unknownAuthority))
    }

    @Test("a certificate is believed through the authority that signed it")
    func authority() throws {
        let authority = try Identity(["authority.test"], in: folder)
        let signed = try Identity(["gateway.test"], issuer: authority, in: folder)
        #expect(try error(signed, trusting: authority.chain, as: .name("gateway.test")) == nil)
        #expect(try error(signed, trusting: Identity.gateway.chain, as: .name("gateway.test")) == .untrusted(.unknownAuthority))
    }

    @Test("an expired certificate and one of the future are refused as such")
    func dates() throws {
        let old = try Identity(["gateway.test"], in: folder).valid(from: -7200, to: -3600)
        #expect(try error(old, trusting: old.chain, as: .name("gateway.test")) == .untrusted(.expired))
        let young = try Identity(["gateway.test"], in: folder).valid(from: 3600, to: 7200)
        #expect(try error(young, trusting: young.chain, as: .name("gateway.test")) == .untrusted(.notYetValid))
    }

    @Test("what is no TLS, or ends in the middle, is named")
    func otherProtocols() throws {
        func begun() throws -> TLSConnection {
            let client = try TLSClientContext(authorities: nil)
            let connection = try #require(TLSConnection(client: client, to: .name("a.test"), records: TLSRecords()))
            #expect(connection.begin().error == nil)
            return connection
        }
        func error(after answer: String) throws -> TLSError? {
            var plaintext = ByteBuffer()
            let connection = try begun()
            return unsafe Array(answer.utf8).withUnsafeBytes { unsafe connection.receive($0, into: &plaintext, isWritable: true).error }
        }
        #expect(try error(after: "HTTP/1.1 400 Bad Request\r\n\r\n") == .notTLS)
        #expect(try error(after: "220 mail.test ESMTP ready\r\n") == .notTLS)
        // The fatal alert protocol_version, of a server that speaks TLS 1.1 at most.
        #expect(try error(after: "\u{15}\u{3}\u{1}\u{0}\u{2}\u{2}\u{46}") == .peerAlert(70))
        let connection = try begun()
        #expect(connection.isHandshaking)
        #expect(connection.streamEnded() == .failure(.handshakeInterrupted))
    }

    @Test("data goes both ways, SNI and ALPN are sent, and the end is told from a cut", arguments: [TLSVersion.v1_2, .v1_3])
    func data(minimum: TLSVersion) throws {
        let identity = Identity.gateway
        let pair = try ClientPair(
            TLSClientContext(authorities: identity.chain), to: .name("gateway.test"), server: server(identity, minimum: minimum))
        #expect(pair.shakeHands() == nil)
        #expect(pair.serverLog.handshake?.serverName == "gateway.test")
        #expect(pair.serverLog.handshake?.applicationProtocol == "http/1.1")
        #expect(pair.clientLog.handshake?.version == .v1_3)
        pair.clientSends("ask")
        pair.pump()
        #expect(pair.serverLog.data == Array("ask".utf8))
        pair.serverSends(String(repeating: "answer", count: 20_000))
        pair.pump()
        #expect(pair.clientLog.data.count == 120_000)
        #expect(pair.client.streamEnded() == .failure(.truncated))
        let second = try ClientPair(
            TLSClientContext(authorities: identity.chain), to: .name("gateway.test"), server: server(identity, minimum: minimum))
        #expect(second.shakeHands() == nil)
        second.serverCloses()
        second.pump()
        #expect(second.clientLog.inputClosed == 1)
        #expect(second.client.streamEnded() == .expected)
    }

    @Test("a file of authorities that can't be used is named with the cause")
    func authorities() throws {
        func problem(_ file: String) -> TLSConfigurationError? {
            do throws(TLSConfigurationError) {
                _ = try TLSClientContext(authorities: file)
                return nil
            } catch {
                return error
            }
        }
        let missing = folder.path("missing.pem")
        #expect(problem(missing) == .authorities(file: missing, .missing))
        #expect(problem(Identity.gateway.key) == .authorities(file: Identity.gateway.key, .notPEM))
        #expect(problem(missing)?.description == "\(missing): the file of authorities does not exist")
        #expect(problem(Identity.gateway.chain) == nil)
    }
}
