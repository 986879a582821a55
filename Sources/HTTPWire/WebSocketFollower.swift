/// Follows the frames of one direction of a WebSocket (RFC 6455 §5.2) without keeping, changing or judging a byte of them.
///
/// A proxy must know where frames end, since only there can it say Close itself. Whether a frame keeps the protocol's rules is for the two
/// ends to say: they get exactly what was sent. A value for one direction of one connection; bytes may be cut anywhere.
package struct WebSocketFollower: Sendable {
    /// The frame's header so far: at most 2 bytes, 8 of length and 4 of mask.
    private var header = InlineArray<14, UInt8>(repeating: 0)
    private var headerCount = 0
    /// Payload bytes still to come.
    private var remaining: UInt64 = 0
    private var isClosing = false
    /// A length that no frame can have: where the next one begins is not known any more.
    private var isLost = false

    /// A Close frame has passed whole: nothing follows it (§5.5.1).
    package private(set) var hasClosed = false

    package init() {}

    /// Whether a control frame of somebody else's can stand here.
    package var isBetweenFrames: Bool { headerCount == 0 && remaining == 0 && !isLost }

    /// Takes the next bytes.
    package mutating func follow(_ bytes: Span<UInt8>) {
        var index = 0
        while index < bytes.count, !isLost {
            if remaining > 0 {
                let count = min(remaining, UInt64(bytes.count - index))
                remaining -= count
                index += Int(count)
                endPayload()
            } else {
                header[headerCount] = bytes[index]
                headerCount += 1
                index += 1
                if headerCount >= 2, headerCount == headerLength { beginPayload() }
            }
        }
    }

    private var lengthBytes: Int {
        switch header[1] & 0x7F {
        case 126: 2
        case 127: 8
        default: 0
        }
    }

    private var headerLength: Int { 2 + lengthBytes + (header[1] & 0x80 != 0 ? 4 : 0) }

    private mutating func beginPayload() {
        var length: UInt64 = lengthBytes == 0 ? UInt64(header[1] & 0x7F) : 0
        for index in 2..<2 + lengthBytes { length = length << 8 | UInt64(header[index]) }
        // §5.2: the highest bit must be 0.
        isLost = length >> 63 != 0
        isClosing = header[0] & 0x0F == 0x8
        remaining = length
        headerCount = 0
        endPayload()
    }

    private mutating func endPayload() {
        if remaining == 0 && isClosing { hasClosed = true }
    }
}
