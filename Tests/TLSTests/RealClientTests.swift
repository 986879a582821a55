import NIOCore
import NIOPosix
import TLS
import TestSupport
import Testing

@Suite("real clients over loopback") struct RealClientTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("tenantgate-tls") }

    @Test("openssl s_client agrees on version, certificate and protocol", arguments: ["-tls1_2", "-tls1_3"])
    func sClient(version: String) async throws {
        let server = try await EchoServer()
        let result = try ChildProcess.run(
            "openssl",
            [
                "s_client", "-connect", "127.0.0.1:\(server.port)", "-servername", "gateway.test", "-verify_return_error", "-CAfile",
                Identity.gateway.chain, "-verify_hostname", "gateway.test", version, "-alpn", "http/1.1",
            ], in: folder)
        #expect(result.status == 0)
        #expect(result.output.contains("Verify return code: 0 (ok)") || result.output.contains("Verification: OK"))
        #expect(result.output.contains("ALPN protocol: http/1.1"))
        #expect(result.output.contains("Secure Renegotiation IS NOT supported") == (version == "-tls1_3"))
        #expect(result.output.contains("Compression: NONE"))
        try await server.close()
    }

    @Test("curl gets its answers over one connection", arguments: [["--tlsv1.3"], ["--tls-max", "1.2"]])
    func curl(options: [String]) async throws {
        let server = try await EchoServer(answering: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
        let url = "https://gateway.test:\(server.port)/"
        let result = try ChildProcess.run(
            "curl",
            [
                "-sS", "--cacert", Identity.gateway.chain, "--resolve", "gateway.test:\(server.port):127.0.0.1", url, url, "-w",
                "%{num_connects}",
            ]
                + options, in: folder)
        #expect(result.errors == "")
        #expect(result.output == "fine1fine0")
        try await server.close()
    }

    @Test("curl is refused TLS 1.1, and plain HTTP gets no answer")
    func refused() async throws {
        let server = try await EchoServer()
        let old = try ChildProcess.run(
            "openssl", ["s_client", "-connect", "127.0.0.1:\(server.port)", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], in: folder)
        #expect(old.status != 0)
        #expect(old.errors.contains("protocol version"))
        let plain = try ChildProcess.run("curl", ["-sS", "http://127.0.0.1:\(server.port)/"], in: folder)
        #expect(plain.status != 0)
        #expect(server.errors.contains(.unsupportedVersion))
        #expect(server.errors.contains(.plainHTTP))
        try await server.close()
    }

    @Test("ten MiB go both ways unharmed, with back-pressure", arguments: [4096, 64 * 1024])
    func bulk(portion: Int) async throws {
        let server = try await EchoServer()
        let pump = try SocketPump(port: server.port)
        var state: UInt32 = 1
        let message = (0..<10 << 20).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(state >> 24)
        }
        #expect(try pump.roundTrip(message, readingAtMost: portion) == message)
        #expect(server.errors.isEmpty)
        try await server.close()
    }

    @Test("a client that resets the connection is a truncation")
    func reset() async throws {
        let server = try await EchoServer()
        let pump = try SocketPump(port: server.port)
        pump.socket.resetOnClose()
        pump.socket.close()
        try await server.connectionsEnded(1)
        #expect(server.errors.contains(.truncated))
        try await server.close()
    }
}
