import TestSupport
import Testing

/// What a client sends on an open WebSocket, by the section of RFC 6455 that has a word on it.
struct WebSocketCase: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// The close code that the RFC names; nil where it leaves the answer to the server.
    let closes: UInt16?

    init(_ name: String, _ frames: [WebSocketFrame], closes: UInt16?) {
        self.init(name, bytes: frames.flatMap(\.bytes), closes: closes)
    }

    init(_ name: String, bytes: [UInt8], closes: UInt16?) {
        self.name = name
        self.bytes = bytes
        self.closes = closes
    }

    /// Frames that are in order, and a Close behind them.
    static func good(_ name: String, _ frames: WebSocketFrame...) -> Self { Self(name, frames + [.close()], closes: 1000) }

    /// Frames of which one is not: the server fails the connection.
    static func bad(_ name: String, _ code: UInt16 = 1002, _ frames: WebSocketFrame...) -> Self { Self(name, frames, closes: code) }

    var testDescription: String { name }

    static let all = masking + lengths + opcodes + fragments + control + closes + texts

    private static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0) } }
    private static func binary(_ payload: [UInt8], final: Bool = true) -> WebSocketFrame { WebSocketFrame(2, payload, final: final) }
    private static func raw(_ text: [UInt8]) -> WebSocketFrame { WebSocketFrame(1, text) }

    private static func masked(_ mask: [UInt8]) -> WebSocketFrame {
        var frame = WebSocketFrame.text("masked")
        frame.mask = mask
        return frame
    }

    private static let masking: [Self] = [
        good("§5.3 a mask", .text("hello")),
        good("§5.3 a mask of zeros", masked([0, 0, 0, 0])),
        good("§5.3 a mask of ones", masked([255, 255, 255, 255])),
        bad("§5.1 text without a mask", 1002, .text("hello").unmasked()),
        bad("§5.1 ping without a mask", 1002, .ping("x").unmasked()),
        bad("§5.1 close without a mask", 1002, .close().unmasked()),
        bad("§5.1 the second frame without a mask", 1002, .text("a"), .text("b").unmasked()),
    ]

    private static let lengths: [Self] =
        [0, 1, 124, 125, 126, 127, 128, 65_535, 65_536, 65_537, 1_000_000].map { good("§5.2 \($0) bytes", binary(bytes($0))) } + [
            Self("§5.2 five bytes in the form for 65,535", [.text("short").length(.two), .close()], closes: nil),
            Self("§5.2 five bytes in the form for more", [.text("short").length(.eight), .close()], closes: nil),
            Self("§5.2 300 bytes in the form for more", [binary(bytes(300)).length(.eight), .close()], closes: nil),
            Self("§5.2 the highest bit of the length", bytes: [0x82, 0xFF, 0x80] + Array(repeating: 0, count: 11), closes: nil),
            Self("§5.2 a length of 2⁶³ − 1", bytes: [0x82, 0xFF, 0x7F] + Array(repeating: 0xFF, count: 7) + [1, 2, 3, 4], closes: 1009),
            bad("§10.4 a message above the server's bound", 1009, binary(bytes(1_048_577))),
        ]

    private static let opcodes: [Self] =
        ([3, 4, 5, 6, 7, 11, 12, 13, 14, 15] as [UInt8]).map { bad("§5.2 opcode \($0)", 1002, WebSocketFrame($0, [1])) }
        + ([0x40, 0x20, 0x10, 0x70] as [UInt8]).map { bad("§5.2 reserved bits \($0)", 1002, WebSocketFrame(1, [97], reserved: $0)) } + [
            bad("§5.2 a reserved bit on a ping", 1002, WebSocketFrame(9, [], reserved: 0x40)),
            bad("§5.2 a reserved bit behind good frames", 1002, .text("a"), .ping("b"), WebSocketFrame(1, [97], reserved: 0x20)),
        ]

    private static let fragments: [Self] = [
        good("§5.4 two fragments", .text("a", final: false), .more("b")),
        good("§5.4 many fragments", .text("", final: false), .more("a", final: false), .more("", final: false), .more("b")),
        good("§5.4 all fragments empty", .text("", final: false), .more("", final: false), .more("")),
        good("§5.4 a ping between fragments", .text("a", final: false), .ping("p"), .more("b")),
        good("§5.4 a pong between fragments", .text("a", final: false), .pong("p"), .more("b")),
        good("§5.4 two messages in fragments", .text("a", final: false), .more("b"), .text("c", final: false), .more("d")),
        Self("§5.4 a close between fragments", [.text("a", final: false), .close()], closes: nil),
        bad("§5.4 a continuation of nothing", 1002, .more("a")),
        bad("§5.4 a continuation of nothing that goes on", 1002, .more("a", final: false)),
        bad("§5.4 a continuation of a message that has ended", 1002, .text("a"), .more("b")),
        bad("§5.4 a message within a message", 1002, .text("a", final: false), .text("b")),
        bad("§5.4 binary within text", 1002, .text("a", final: false), binary([1])),
    ]

    private static let control: [Self] = [
        good("§5.5.2 a ping", .ping()),
        good("§5.5.2 a ping with data", .ping("data")),
        good("§5.5.2 a ping of 125 bytes", WebSocketFrame(9, bytes(125))),
        good("§5.5.2 three pings", .ping("1"), .ping("2"), .ping("3")),
        good("§5.5.3 a pong that nobody asked for", .pong("x"), .text("after")),
        bad("§5.5 a ping of 126 bytes", 1002, WebSocketFrame(9, bytes(126))),
        bad("§5.5 a pong of 126 bytes", 1002, WebSocketFrame(10, bytes(126))),
        bad("§5.5 a close of 126 bytes", 1002, WebSocketFrame(8, [3, 232] + Array(repeating: 97, count: 124))),
        bad("§5.5 a ping in fragments", 1002, WebSocketFrame(9, [1], final: false), WebSocketFrame(0, [2])),
        bad("§5.5 a close in fragments", 1002, WebSocketFrame(8, [3, 232], final: false)),
        bad("§5.5 a ping with a long form of its length", 1002, WebSocketFrame(9, bytes(200)).length(.two)),
    ]

    private static let closes: [Self] =
        [
            Self("§5.5.1 a close without a code", [WebSocketFrame(8)], closes: nil),
            Self("§5.5.1 data behind a close", [.close(), .text("late")], closes: 1000),
            Self("§5.5.1 a second close", [.close(), .close(1001)], closes: 1000),
            bad("§5.5.1 a close with half a code", 1002, WebSocketFrame(8, [3])),
            bad("§5.5.1 a reason that is no UTF-8", 1007, WebSocketFrame(8, [3, 232, 0xFF])),
        ]
        + ([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] as [UInt16]).map {
            Self("§7.4 code \($0)", [.close($0, "why")], closes: $0)
        } + ([0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535] as [UInt16]).map { bad("§7.4 code \($0)", 1002, .close($0)) }

    private static let texts: [Self] = [
        good("§5.6 text in several scripts", .text("κόσμε – 世界 – 🌍")),
        good("§5.6 a character cut by fragments", WebSocketFrame(1, [0xE4, 0xB8], final: false), WebSocketFrame(0, [0x96])),
        good("§5.6 binary that is no UTF-8", binary([0xFF, 0xFE, 0x00])),
        good("§5.6 an empty text", .text("")),
        bad("§8.1 a lonely byte", 1007, raw([0xFF])),
        bad("§8.1 an overlong form", 1007, raw([0xC0, 0xAF])),
        bad("§8.1 a surrogate", 1007, raw([0xED, 0xA0, 0x80])),
        bad("§8.1 beyond U+10FFFF", 1007, raw([0xF4, 0x90, 0x80, 0x80])),
        bad("§8.1 a character without its end", 1007, raw([0xE4, 0xB8])),
        bad("§8.1 bad bytes in a later fragment", 1007, .text("a", final: false), WebSocketFrame(0, [0xC3, 0x28])),
    ]
}
