import HTTPWire
import Policy

/// The trace that a request belongs to (W3C Trace Context, level 1): the client's where it sent a valid `traceparent`, else one made here.
///
/// A valid field goes on as it came. One that is made says "not sampled": the gateway records no span, and whether to record is the
/// services' decision.
struct TraceContext {
    /// The 16 bytes of the trace's id.
    let high: UInt64
    let low: UInt64
    /// The parent's id in the field that is made here; 0 where the client's own goes on.
    let parent: UInt64

    var isMade: Bool { parent != 0 }

    init(high: UInt64, low: UInt64, parent: UInt64) {
        self.high = high
        self.low = low
        self.parent = parent
    }

    /// `traceparent: 00-<trace>-<parent>-00` and CRLF.
    static let fieldSize = 70

    /// Reads a field's value. Nil for anything but `version-trace-parent-flags` in lower-case hex, with neither id all zero; of a later
    /// version more may follow (§3.2.4).
    init?(_ value: Span<UInt8>) {
        guard value.count >= 55, value[2] == Self.dash, value[35] == Self.dash, value[52] == Self.dash,
            let version = Self.hex(value, 0..<2), version != 0xFF, Self.hex(value, 53..<55) != nil,
            let high = Self.hex(value, 3..<19), let low = Self.hex(value, 19..<35), let parent = Self.hex(value, 36..<52)
        else { return nil }
        guard value.count == 55 || (version > 0 && value[55] == Self.dash), high | low != 0, parent != 0 else { return nil }
        self.init(high: high, low: low, parent: 0)
    }

    private static let dash = UInt8(ascii: "-")

    private static func hex(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        var word: UInt64 = 0
        for index in range {
            switch bytes[index] {
            case let digit where (0x30...0x39).contains(digit): word = word << 4 | UInt64(digit - 0x30)
            case let letter where (0x61...0x66).contains(letter): word = word << 4 | UInt64(letter - 0x57)
            default: return nil
            }
        }
        return word
    }
}

/// Makes traces' ids at random. Loop-bound.
struct TraceSource {
    private var state: UInt64

    init() {
        var random = SystemRandomNumberGenerator()
        state = random.next()
    }

    /// A new trace with a parent of ours.
    mutating func next() -> TraceContext { TraceContext(high: word(), low: word(), parent: word()) }

    /// The trace of a request: the client's where it sent exactly one valid field, meant for more than the next hop.
    mutating func trace(of head: borrowing RequestHead) -> TraceContext {
        guard head.present.contains(.traceparent), !head.message.connection.named.contains(.traceparent) else { return next() }
        return Self.received(head) ?? next()
    }

    private static func received(_ head: borrowing RequestHead) -> TraceContext? {
        var found: TraceContext?
        for field in head.fields where field.id == .traceparent {
            guard found == nil, let trace = head.withBytes(field.value, { TraceContext($0) }) else { return nil }
            found = trace
        }
        return found
    }

    /// SplitMix64; never 0.
    private mutating func word() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return max(1, z ^ (z >> 31))
    }
}

extension Composer {
    /// The field of a trace that was made here.
    mutating func put(_ trace: TraceContext) {
        put("traceparent: 00-")
        put(hex: trace.high)
        put(hex: trace.low)
        put(byte: UInt8(ascii: "-"))
        put(hex: trace.parent)
        put("-00\r\n")
    }
}
