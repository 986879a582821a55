import NIOCore
import Policy

/// The header of the PROXY protocol, version 2: whom a proxy forwards a connection for (HAProxy's `proxy-protocol.txt` §2.2).
///
/// 12 bytes of signature, one of version and command, one of family and transport, two of length, then addresses and TLVs. The text form
/// of version 1 is not taken, and TLVs are passed over.
enum ProxyHeader {
    /// Bytes up to and with the length.
    static let fixed = 16

    /// Whom the connection is for.
    enum Client: Equatable {
        /// The proxy's own: a health check. The addresses of the TCP connection hold.
        case proxy
        case address(SocketAddress)
        /// The proxy doesn't know, or its client isn't on IP (a Unix socket).
        case unknown
    }

    /// What is no such header, or one that no proxy here should send.
    struct Malformed: Error {}

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    /// Bytes that follow the first 16, which these are.
    static func rest(_ bytes: some RandomAccessCollection<UInt8>) throws(Malformed) -> Int {
        guard bytes.count == fixed, bytes.starts(with: signature) else { throw Malformed() }
        let tail = Array(bytes.suffix(4))
        guard tail[0] == 0x20 || tail[0] == 0x21 else { throw Malformed() }
        let length = Int(tail[2]) << 8 | Int(tail[3])
        guard fixed + length <= Limits.proxyHeader else { throw Malformed() }
        return length
    }

    /// Reads a whole header.
    static func client(_ bytes: [UInt8]) throws(Malformed) -> Client {
        guard bytes.count >= fixed, bytes.count == fixed + (try rest(bytes[..<fixed])) else { throw Malformed() }
        // The command LOCAL: whatever else it says is to be passed over.
        if bytes[12] == 0x20 { return .proxy }
        let addresses = bytes[fixed...]
        switch bytes[13] {
        case 0x00: return .unknown
        case 0x11: return try client(addresses, size: 4)
        case 0x21: return try client(addresses, size: 16)
        case 0x31:
            // Two paths of 108 bytes.
            guard addresses.count >= 216 else { throw Malformed() }
            return .unknown
        default: throw Malformed()
        }
    }

    /// Source and destination, then their ports.
    private static func client(_ bytes: ArraySlice<UInt8>, size: Int) throws(Malformed) -> Client {
        guard bytes.count >= 2 * size + 4 else { throw Malformed() }
        let port = bytes.dropFirst(2 * size).prefix(2).reduce(0) { $0 << 8 | Int($1) }
        guard let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes.prefix(size)), port: port) else {
            throw Malformed()
        }
        return .address(address)
    }
}

/// Why a connection to a listener with `proxy_protocol: required` was closed: the label of its counter.
package enum ProxyRefusal: Int, Sendable, CaseIterable {
    /// Its peer is none of `trusted_proxies`.
    case untrusted
    case malformed
    /// The header took longer than a handshake may.
    case timeout
    /// It ended within the header.
    case interrupted

    package var text: StaticString {
        switch self {
        case .untrusted: "untrusted"
        case .malformed: "malformed"
        case .timeout: "timeout"
        case .interrupted: "interrupted"
        }
    }
}
