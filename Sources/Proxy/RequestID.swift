import NIOCore

/// Makes request ids: 128 bits as 32 hex digits, unique per process and unguessable from one another only by chance.
///
/// Loop-bound; no allocation but the 32 bytes.
struct RequestIDSource {
    private var state: UInt64
    private let prefix: UInt64

    init() {
        var random = SystemRandomNumberGenerator()
        prefix = random.next()
        state = random.next()
    }

    /// The next id. SplitMix64 is a bijection of the counter, so ids of one source never repeat.
    mutating func next() -> RequestID {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return RequestID(high: prefix, low: z ^ (z >> 31))
    }
}

/// A request's id: made here, or what a trusted proxy sent.
struct RequestID: Sendable {
    let high: UInt64
    let low: UInt64
    /// A trusted proxy's own id, used instead.
    var given: [UInt8]?

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// At most 128 bytes of letters, digits and `-_.:+/=`: anything else is replaced by an id of our own.
    static func isAcceptable(_ bytes: Span<UInt8>) -> Bool {
        guard (1...128).contains(bytes.count) else { return false }
        for index in bytes.indices {
            switch bytes[index] {
            case 48...58, 65...90, 97...122, 0x2B, 0x2D, 0x2E, 0x2F, 0x3D, 0x5F: continue
            default: return false
            }
        }
        return true
    }

    /// The id as it is written.
    var bytes: [UInt8] {
        var buffer = ByteBuffer()
        buffer.compose(atMost: count) { $0.put(self) }
        return Array(buffer.readableBytesView)
    }
}

extension RequestID {
    /// Bytes that it takes when written.
    var count: Int { given?.count ?? 32 }
}
