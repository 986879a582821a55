import COpenSSL
import TLS
import Testing

@Suite("handshake") struct HandshakeTests {
    @Test("TLS 1.2 and 1.3 are spoken", arguments: [(TLS1_2_VERSION, TLSVersion.v1_2), (TLS1_3_VERSION, .v1_3)])
    func versions(wire: Int32, version: TLSVersion) throws {
        let pair = try Pair.connected(.test(), .init(versions: wire...wire))
        #expect(pair.client.version == wire)
        #expect(
            pair.log.handshake
                == TLSHandshakeCompleted(applicationProtocol: nil, serverName: "gateway.test", version: version, resumed: false))
        #expect(pair.serverHears(Array("hello".utf8)) == Array("hello".utf8))
        #expect(pair.clientHears(Array("good day".utf8)) == Array("good day".utf8))
        #expect(!pair.server.isHandshaking)
    }

    @Test("TLS 1.0 and 1.1 are refused", arguments: [TLS1_VERSION, TLS1_1_VERSION])
    func oldVersions(wire: Int32) throws {
        let pair = try Pair.connected(.test(), .init(versions: wire...wire, ciphers: "ALL:@SECLEVEL=0"))
        #expect(pair.log.errors == [.unsupportedVersion])
        #expect(pair.client.failure == "tlsv1 alert protocol version")
        #expect(!pair.isActive)
    }

    @Test("with a minimum of 1.3 a client of 1.2 is refused")
    func minimum() throws {
        let pair = try Pair.connected(.test(minimum: .v1_3), .init(versions: TLS1_2_VERSION...TLS1_2_VERSION))
        #expect(pair.log.errors == [.unsupportedVersion])
    }

    @Test(
        "the certificate is chosen by the name asked for",
        arguments: [
            ("gateway.test", "gateway.test"), ("exact.example.test", "exact.example.test"), ("a.example.test", "a.example.test"),
            ("A.EXAMPLE.test", "a.example.test"), ("a.b.example.test", "gateway.test"), ("example.test", "gateway.test"),
            ("unknown.test", "gateway.test"), (nil, "gateway.test"),
        ])
    func serverNames(asked: String?, answering: String) throws {
        let pair = try Pair.connected(.test(), .init(name: asked))
        #expect(pair.client.serverIs(answering))
        #expect(pair.log.handshake?.serverName == asked)
    }

    @Test("of an ECDSA and an RSA certificate for the same names the client gets the one that it can verify")
    func twoKinds() throws {
        let context = try TLSContext(server: .init(certificates: [Identity.rsa.files, Identity.gateway.files]))
        #expect(try Pair.connected(context).client.serverKey == EVP_PKEY_EC)
        let old = ClientSession.Offer(signatures: "rsa_pss_rsae_sha256:rsa_pkcs1_sha256")
        #expect(try Pair.connected(context, old).client.serverKey == EVP_PKEY_RSA)
    }

    @Test(
        "the server's first protocol that the client offers is chosen",
        arguments: [
            (["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["x", "http/1.1"], "http/1.1"), ([], nil),
        ])
    func protocols(offered: [String], chosen: String?) throws {
        let pair = try Pair.connected(.test(alpn: ["h2", "http/1.1"]), .init(protocols: offered))
        #expect(pair.client.chosenProtocol == chosen)
        #expect(pair.log.handshake?.applicationProtocol == chosen)
    }

    @Test("a client that offers none of our protocols is refused")
    func noCommonProtocol() throws {
        let pair = try Pair.connected(.test(), .init(protocols: ["h2", "http/1.10", "http/1."]))
        #expect(pair.log.errors == [.noCommonProtocol])
        #expect(pair.client.failure == "tlsv1 alert no application protocol")
    }

    @Test(
        "only ciphers with forward secrecy and authentication of the data are spoken",
        arguments: ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"])
    func oldCiphers(name: String) throws {
        let pair = try Pair.connected(.test(), .init(versions: TLS1_2_VERSION...TLS1_2_VERSION, ciphers: name))
        #expect(pair.log.errors == [.nothingInCommon("no shared cipher")])
        #expect(!pair.isActive)
    }

    @Test(
        "the server prefers AES-128, except where the client puts ChaCha20 first",
        arguments: [
            ("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
            ("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES256-GCM-SHA384"),
            ("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
        ])
    func preference(offered: String, chosen: String) throws {
        let pair = try Pair.connected(.test(), .init(versions: TLS1_2_VERSION...TLS1_2_VERSION, ciphers: offered))
        #expect(pair.client.cipher == chosen)
    }

    @Test("what a connection without a client's fault costs is no session until the first byte")
    func nothingBeforeTheFirstByte() throws {
        let pair = try Pair(.test())
        #expect(pair.server.isHandshaking)
        pair.endStream()
        #expect(!pair.isActive)
        #expect(pair.log.errors.isEmpty)
    }
}

@Suite("bad beginnings") struct BadBeginningTests {
    @Test(
        "HTTP without TLS is told apart from other noise",
        arguments: [
            ("GET / HTTP/1.1\r\n\r\n", TLSError.plainHTTP), ("DELETE /v1/users/1 HTTP/1.1\r\n\r\n", .plainHTTP),
            ("CONNECT a:443 HTTP/1.1\r\n\r\n", .plainHTTP), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .plainHTTP),
            ("\u{0}\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}\u{8}\u{9}\u{a}\u{b}", .notTLS), ("ssh-2.0-OpenSSH_9.2\r\n", .notTLS),
        ])
    func notTLS(sent: String, error: TLSError) throws {
        let pair = try Pair(.test())
        pair.deliver(Array(sent.utf8))
        #expect(pair.log.errors == [error])
        #expect(!pair.isActive)
        #expect(!pair.server.isHandshaking)
    }

    @Test("bytes after the failure are ignored")
    func afterFailure() throws {
        let pair = try Pair(.test())
        pair.deliver(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        pair.deliver(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        #expect(pair.log.errors.count == 1)
    }

    @Test("a damaged ClientHello is answered with an alert")
    func damagedHello() throws {
        let pair = try Pair(.test())
        pair.client.shakeHands()
        var hello = pair.client.takeOutput()
        hello[40] = 255  // the session id's length lies
        hello[43] = 255
        pair.deliver(hello)
        #expect(pair.log.errors.count == 1)
        #expect(pair.takeServerOutput().first == 21)
    }

    @Test("a handshake that never ends is ended after 64 KiB")
    func endless() throws {
        let pair = try Pair(.test())
        pair.client.shakeHands()
        pair.deliver(pair.client.takeOutput())
        // The client's next flight is due; change-cipher-spec records may come at any time in TLS 1.3.
        let filler: [UInt8] = [20, 3, 3, 0, 1, 1]
        for _ in 0..<20_000 where pair.log.errors.isEmpty { pair.deliver(filler) }
        #expect(pair.log.errors.count == 1)
        #expect(!pair.isActive)
    }

    @Test("a client that goes away in mid-handshake is told apart from one that never began")
    func interrupted() throws {
        let pair = try Pair(.test())
        pair.client.shakeHands()
        pair.deliver(Array(pair.client.takeOutput().prefix(100)))
        pair.endStream()
        #expect(pair.log.errors == [.handshakeInterrupted])
        #expect(!pair.isActive)
    }

    @Test("a client that trusts the certificate not is reported with its alert")
    func alert() throws {
        let pair = try Pair(.test())
        pair.client.shakeHands()
        pair.deliver(pair.client.takeOutput())
        pair.deliver([21, 3, 3, 0, 2, 2, 48])  // fatal unknown_ca
        #expect(pair.log.errors == [.peerAlert(48)])
    }

    @Test("writing before the handshake is done sends nothing")
    func earlyWrite() throws {
        let pair = try Pair(.test())
        pair.write([1])
        pair.flush()
        #expect(pair.takeServerOutput().isEmpty)
    }
}
