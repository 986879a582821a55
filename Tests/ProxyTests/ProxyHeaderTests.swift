import NIOCore
import TestSupport
import Testing

@testable import Policy
@testable import Proxy

@Suite("A PROXY header")
struct ProxyHeaderTests {
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let v4: [UInt8] = [192, 0, 2, 7, 198, 51, 100, 1, 0x9C, 0x40, 0x01, 0xBB]
    private static let v6 =
        [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [9] + [UInt8](repeating: 1, count: 16) + [0, 80, 1, 187]

    private static func header(_ command: UInt8, _ family: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
        let length = length ?? rest.count
        return signature + [command, family, UInt8(length >> 8), UInt8(length & 255)] + rest
    }

    /// Nil where it is refused, at either step.
    private func read(_ bytes: [UInt8]) -> ProxyHeader.Client? {
        guard bytes.count >= 16, let rest = try? ProxyHeader.rest(bytes[..<16]), bytes.count == 16 + rest else { return nil }
        return try? ProxyHeader.client(bytes)
    }

    @Test("names its client by IPv4 and IPv6, with TLVs passed over")
    func addresses() throws {
        #expect(read(Self.header(0x21, 0x11, Self.v4)) == .address(try SocketAddress(ipAddress: "192.0.2.7", port: 40000)))
        #expect(read(Self.header(0x21, 0x21, Self.v6)) == .address(try SocketAddress(ipAddress: "2001:db8::9", port: 80)))
        let tlvs: [UInt8] = [0x04, 0x00, 0x02, 1, 2, 0xFF, 0xFF, 0xFF]
        #expect(read(Self.header(0x21, 0x11, Self.v4 + tlvs)) == .address(try SocketAddress(ipAddress: "192.0.2.7", port: 40000)))
        let most = Limits.proxyHeader - 16
        #expect(read(Self.header(0x21, 0x11, Self.v4 + [UInt8](repeating: 0, count: most - 12))) != nil)
        #expect(read(Self.header(0x21, 0x11, Self.v4 + [UInt8](repeating: 0, count: most - 11))) == nil)
    }

    @Test("may be the proxy's own, or of nobody known")
    func others() {
        for family: UInt8 in [0x00, 0x11, 0x12, 0xFF] { #expect(read(Self.header(0x20, family, [])) == .proxy) }
        #expect(read(Self.header(0x20, 0x11, Self.v4)) == .proxy)
        #expect(read(Self.header(0x21, 0x00, [])) == .unknown)
        #expect(read(Self.header(0x21, 0x00, [1, 2, 3])) == .unknown)
        #expect(read(Self.header(0x21, 0x31, [UInt8](repeating: 0x61, count: 216))) == .unknown)
    }

    @Test("of another version, command, family, transport or length is none")
    func malformed() {
        for command: UInt8 in [0x00, 0x01, 0x10, 0x11, 0x22, 0x2F, 0x31, 0xFF] { #expect(read(Self.header(command, 0x11, Self.v4)) == nil) }
        for family: UInt8 in [0x01, 0x10, 0x12, 0x13, 0x20, 0x22, 0x30, 0x32, 0x40, 0x41, 0xFF] {
            #expect(read(Self.header(0x21, family, [UInt8](repeating: 0, count: 216))) == nil, "\(family)")
        }
        for count in 0..<12 { #expect(read(Self.header(0x21, 0x11, Array(Self.v4[..<count]))) == nil) }
        for count in 0..<36 { #expect(read(Self.header(0x21, 0x21, Array(Self.v6[..<count]))) == nil) }
        #expect(read(Self.header(0x21, 0x31, [UInt8](repeating: 0, count: 215))) == nil)
        for place in 0..<12 {
            var bytes = Self.header(0x21, 0x11, Self.v4)
            bytes[place] ^= 0x20
            #expect(read(bytes) == nil)
        }
    }

    @Test("of any bytes is read or refused", arguments: [1, 2, 3])
    func random(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<5000 {
            let count = Int.random(in: 0...300, using: &random)
            let rest = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let header = Self.header(.random(in: 0x1F...0x22, using: &random), UInt8(random.pick([0, 0x11, 0x21, 0x31, 0x12, 0x99])), rest)
            if case .address(let address) = read(header) {
                #expect(address.port == Int(rest[header[13] == 0x11 ? 8 : 32]) << 8 | Int(rest[header[13] == 0x11 ? 9 : 33]))
            }
        }
    }
}

@Suite("Where a connection comes from")
struct SourceAddressTests {
    private func source(_ text: String) throws -> SourceAddress { SourceAddress(try SocketAddress(ipAddress: text, port: 1)).source }

    @Test("is counted by IPv4 address or IPv6 /64")
    func sources() throws {
        #expect(try source("2001:db8:1:2::1") == source("2001:db8:1:2:ffff:ffff:ffff:ffff"))
        #expect(try source("2001:db8:1:2::1") != source("2001:db8:1:3::1"))
        #expect(try source("192.0.2.1") != source("192.0.2.2"))
        #expect(try source("::ffff:192.0.2.1") == source("192.0.2.1"), "as a listener on [::] sees it")
        #expect(try source("::1") != source("0.0.0.1"))
    }

    @Test(
        "is written as the upstream is to read it",
        arguments: [
            ("192.0.2.1", "192.0.2.1", "for=192.0.2.1;proto=https"), ("::ffff:192.0.2.1", "192.0.2.1", "for=192.0.2.1;proto=https"),
            ("2001:db8::9", "2001:db8::9", "for=\"[2001:db8::9]\";proto=https"),
        ])
    func texts(address: String, text: String, forwarded: String) throws {
        let peer = Peer(try SocketAddress(ipAddress: address, port: 1), trusted: AddressSet(), isTLS: true)
        #expect(String(decoding: peer.text, as: UTF8.self) == text)
        #expect(String(decoding: peer.forwarded, as: UTF8.self) == forwarded)
    }

    @Test("that nobody knows is none that is trusted")
    func unknown() {
        var trusted = AddressSet()
        #expect(trusted.insert("10.0.0.0/8") && trusted.insert("fd00::/8"))
        let peer = Peer(nil, trusted: trusted, isTLS: false)
        #expect(!peer.isTrusted && String(decoding: peer.forwarded, as: UTF8.self) == "for=unknown;proto=http")
    }

    @Test("may have so many connections, and all together so many")
    func admission() throws {
        var limits = ConnectionLimits(
            headers: 1, connections: 4, connectionsPerSource: 2, handshake: 1, head: 1, keepAlive: 1, idle: 1)
        let admission = ConnectionAdmission(limits: limits)
        let (ann, ben) = (SourceAddress(try SocketAddress(ipAddress: "2001:db8::1", port: 1)), SourceAddress(high: 7, low: 7))
        let annToo = SourceAddress(try SocketAddress(ipAddress: "2001:db8::2", port: 1))
        func enter(_ source: SourceAddress) -> Bool { admission.reserve() && admission.settle(source) }
        #expect(enter(ann) && enter(annToo) && !enter(ann))
        #expect(enter(ben) && admission.reserve(), "one that is refused gives its place back")
        #expect(!admission.hasRoom && !enter(ben))
        admission.release()
        admission.leave(annToo)
        #expect(enter(ann))
        limits.connections = 10
        admission.take(limits)
        #expect(admission.hasRoom)
    }
}
