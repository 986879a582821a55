package import NIOCore

/// Why a WebSocket is closed (RFC 6455 §7.4.1), as far as a proxy closes one.
package enum WebSocketCloseCode: UInt16, Sendable {
    /// The gateway ends, or nobody said anything for too long.
    case goingAway = 1001
    /// The caller may not go on: suspended, or the token has expired.
    case policyViolation = 1008
}

extension ByteBuffer {
    /// Appends a Close frame (RFC 6455 §5.5.1). `reason` is cut after 123 bytes of ASCII. With a `mask`, as a client's must be (§5.3).
    package mutating func writeWebSocketClose(_ code: WebSocketCloseCode, reason: String = "", mask: UInt32? = nil) {
        let payload = [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)] + Array(reason.utf8.prefix(123))
        writeInteger(UInt8(0x88))
        writeInteger(UInt8(payload.count) | (mask == nil ? 0 : 0x80))
        guard let mask else {
            writeBytes(payload)
            return
        }
        writeInteger(mask)
        for (index, byte) in payload.enumerated() {
            writeInteger(byte ^ UInt8(truncatingIfNeeded: mask >> UInt32(24 - 8 * (index & 3))))
        }
    }
}
