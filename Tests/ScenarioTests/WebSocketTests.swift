import Foundation
import Glibc
import TestSupport
import Testing

/// A real WebSocket server, asked by the same client straight and through the gateway: the gateway must not be noticed.
@Suite("WebSocket verdicts", .serialized, .timed, .enabled(if: Provider.python != nil, "the providers are not installed"))
struct WebSocketVerdictTests {
    private static let stand = Result { try WebSocketStand() }

    private static func verdict(_ client: WireClient, _ target: String, _ fields: String, _ bytes: [UInt8], by step: Int = .max) throws
        -> [WebSocketPeer.Event]
    {
        defer { client.stream.close() }
        let peer = try WebSocketPeer(client, opening: WebSocketOpening.text(target, fields))
        guard peer.isOpen else { throw StreamError.malformed(peer.answer.text) }
        do {
            for start in stride(from: 0, to: bytes.count, by: max(1, min(step, bytes.count))) {
                try peer.stream.send(Array(bytes[start..<min(bytes.count, start + min(step, bytes.count))]))
            }
        } catch StreamError.closed {}  // The server may have heard enough.
        return try peer.untilClosed()
    }

    @Test("frames come to the same verdict straight and through the gateway", arguments: WebSocketCase.all)
    func frames(_ example: WebSocketCase) throws {
        let stand = try Self.stand.get()
        let straight = try Self.verdict(.plain(port: stand.echoPort), "/v1/echo", "", example.bytes)
        if let code = example.closes { #expect(straight.last == .close(code), "the case itself") }
        let through = try Self.verdict(stand.gateway.client(), "/v1/echo", GoodRequest.identity, example.bytes)
        #expect(through == straight)
        guard example.bytes.count < 400 else { return }
        let slowly = try Self.verdict(stand.gateway.client(), "/v1/echo", GoodRequest.identity, example.bytes, by: 1)
        #expect(slowly == straight)
    }

    @Test("there are enough of them") func count() { #expect(WebSocketCase.all.count >= 60) }

    @Test("openings come to the same end", arguments: WebSocketOpening.cases)
    func openings(_ example: WebSocketOpening) throws {
        let stand = try Self.stand.get()
        let client = try WireClient.plain(port: stand.echoPort)
        let straight = (try? WebSocketPeer(client, opening: example.text(""))).map(\.isOpen) ?? false
        client.stream.close()
        #expect(straight == example.opens, "the case itself")
        let answer = try WebSocketPeer(stand.gateway.client(), opening: example.text(GoodRequest.identity)).answer
        #expect((answer.status == 101) == example.opens, "\(answer.status)")
        #expect(answer.status == 101 || answer.status >= 400)
    }

    @Test("the server's choice of a subprotocol comes back")
    func subprotocol() throws {
        let stand = try Self.stand.get()
        let fields = GoodRequest.identity + "Sec-WebSocket-Protocol: chat.v1, other\r\n"
        let peer = try WebSocketPeer(stand.gateway.client(), opening: WebSocketOpening.text("/v1/echo", fields))
        #expect(peer.isOpen && peer.answer.field("sec-websocket-protocol") == "chat.v1")
    }

    @Test("compression is the two ends' own affair")
    func extensions() throws {
        let stand = try Self.stand.get()
        let fields = GoodRequest.identity + "Sec-WebSocket-Extensions: permessage-deflate\r\n"
        let peer = try WebSocketPeer(stand.gateway.client(), opening: WebSocketOpening.text("/v1/echo", fields))
        #expect(peer.answer.field("sec-websocket-extensions")?.hasPrefix("permessage-deflate") == true)
        // "Hello" as in RFC 7692 §7.2.3.1.
        try peer.send(WebSocketFrame(1, [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], reserved: 0x40))
        guard case .frame(1, true, let echo) = try peer.next() else {
            Issue.record("no echo")
            return
        }
        #expect(echo.starts(with: [0xF2, 0x48, 0xCD, 0xC9, 0xC9]))
    }

    @Test("64 MiB both ways, read slowly: the right bytes, and the gateway's memory stays flat")
    func large() throws {
        let stand = try Self.stand.get()
        let stream = try PlainStream(port: stand.plainPort)
        let peer = try WebSocketPeer(WireClient(stream), opening: WebSocketOpening.text("/v1/echo", GoodRequest.identity))
        try #require(peer.isOpen, "\(peer.answer.text)")
        let before = stand.gateway.process.residentMemory
        let messages = 128
        let payload = (0..<512 * 1024).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let message = WebSocketFrame(2, payload).bytes
        let twin = dup(stream.descriptor)
        let allRead = TestGate()
        let sender = TestThread {
            let sending = PlainStream(descriptor: twin)
            for _ in 0..<messages { guard (try? sending.send(message)) != nil else { return } }
            // Letting go of its stream ends both directions.
            allRead.wait()
        }
        var most = before
        for _ in 0..<messages {
            let event = try peer.next()
            try #require(event == .frame(opcode: 2, isFinal: true, payload: payload), "\(String(describing: event).prefix(80))")
            most = max(most, stand.gateway.process.residentMemory)
        }
        allRead.open()
        sender.wait()
        #expect(most - before < 24 * 1024, "KiB")
    }
}

/// The echo server, and a gateway that has it as its service.
final class WebSocketStand: Sendable {
    let echoPort: Int
    let gateway: Gateway
    /// Plain HTTP, for a client that sends and receives at once.
    let plainPort: Int
    private let echo: ChildProcess
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let provider = try Provider("echo.py", [], in: folder)
        echo = provider.process
        echoPort = provider.facts["port"] as? Int ?? 0
        var file = GatewayFile(jitsudo: echoPort, rinne: echoPort)
        file.listeners = ["- {address: \"127.0.0.1:0\", tls: off}"]
        gateway = try Gateway(file: file.write(to: folder), in: folder)
        plainPort = try gateway.plainPort()
    }
}

/// An opening (RFC 6455 §4.1) and whether it opens.
struct WebSocketOpening: Sendable, CustomTestStringConvertible {
    let name: String
    let line: String
    let fields: [String]
    let opens: Bool

    var testDescription: String { name }

    static let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    /// What opens it.
    static let switching =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    static let good = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", key]

    init(_ name: String, _ opens: Bool, line: String = "GET /v1/echo HTTP/1.1", _ fields: [String] = good) {
        self.name = name
        self.opens = opens
        self.line = line
        self.fields = fields
    }

    func text(_ more: String) -> String {
        "\(line)\r\nHost: gateway.test\r\n\(more)\(fields.map { $0 + "\r\n" }.joined())\r\n"
    }

    static func text(_ target: String, _ more: String) -> String { Self("", true, line: "GET \(target) HTTP/1.1").text(more) }

    private static func with(_ change: (inout [String]) -> Void) -> [String] {
        var fields = good
        change(&fields)
        return fields
    }

    static let cases: [Self] = [
        Self("§4.1 as it should be", true),
        Self("§4.1 other cases of letters", true, ["UPGRADE: WebSocket", "CONNECTION: keep-alive, upgrade", good[2], key]),
        Self("§4.1 no key", false, with { $0.removeLast() }),
        Self("§4.1 an empty key", false, with { $0[3] = "Sec-WebSocket-Key:" }),
        Self("§4.1 a key of 15 bytes", false, with { $0[3] = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j" }),
        Self("§4.1 a key that is no base64", false, with { $0[3] = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!!==" }),
        Self("§4.1 two keys", false, with { $0.append(key) }),
        Self("§4.1 no version", false, with { $0.remove(at: 2) }),
        Self("§4.4 another version", false, with { $0[2] = "Sec-WebSocket-Version: 12" }),
        Self("§4.1 no upgrade", false, with { $0.remove(at: 0) }),
        Self("§4.1 an upgrade that Connection doesn't name", false, with { $0[1] = "Connection: keep-alive" }),
        Self("§4.1 an upgrade to something else", false, with { $0[0] = "Upgrade: h2c" }),
        Self("§4.1 POST", false, line: "POST /v1/echo HTTP/1.1", with { $0.append("Content-Length: 0") }),
        Self("§4.1 HTTP/1.0", false, line: "GET /v1/echo HTTP/1.0"),
    ]
}
