import NIOCore
import TestSupport
import Testing

@testable import HTTPWire

@Suite("following a WebSocket's frames")
struct WebSocketFollowerTests {
    private static let frames: [WebSocketFrame] = [
        .text("a"), .text("", final: false), .more("b", final: false), .ping("between"), .more("c"), WebSocketFrame(2, zeros(125)),
        WebSocketFrame(2, zeros(126)), WebSocketFrame(2, zeros(300)).length(.eight), .text("d").unmasked(), .pong(),
        .text("e").length(.two),
        WebSocketFrame(2, zeros(70_000)),
    ]

    private static func zeros(_ count: Int) -> [UInt8] { Array(repeating: 0x88, count: count) }

    @Test("it stands between frames exactly where one has ended, however the bytes were cut", arguments: [1, 2, 3, 7, 1000, 1_000_000])
    func boundaries(cut: Int) {
        var ends: Set<Int> = [0]
        var bytes: [UInt8] = []
        for frame in Self.frames {
            bytes += frame.bytes
            ends.insert(bytes.count)
        }
        var follower = WebSocketFollower()
        for start in stride(from: 0, to: bytes.count, by: cut) {
            let end = min(start + cut, bytes.count)
            follower.follow(bytes.span.extracting(start..<end))
            #expect(follower.isBetweenFrames == ends.contains(end), "after \(end) bytes")
        }
        #expect(follower.isBetweenFrames && !follower.hasClosed)
    }

    @Test("a Close is noticed when it has passed whole", arguments: [WebSocketFrame.close(), .close().unmasked(), WebSocketFrame(8)])
    func close(frame: WebSocketFrame) {
        var follower = WebSocketFollower()
        let bytes = frame.bytes
        for index in bytes.indices.dropLast() { follower.follow(bytes.span.extracting(index...index)) }
        #expect(!follower.hasClosed)
        follower.follow(bytes.span.extracting(bytes.count - 1..<bytes.count))
        #expect(follower.hasClosed && follower.isBetweenFrames)
    }

    @Test("after a length with the highest bit set nothing is taken for the end of a frame")
    func lost() {
        var follower = WebSocketFollower()
        let start: [UInt8] = [0x82, 127, 0x80] + Array(repeating: 0, count: 7)
        follower.follow(start.span)
        #expect(!follower.isBetweenFrames)
        let close = WebSocketFrame.close().bytes
        follower.follow(close.span)
        #expect(!follower.isBetweenFrames && !follower.hasClosed)
    }

    @Test("the gateway's own Close reads as one, masked or not", arguments: [nil, 0x1234_5678] as [UInt32?])
    func ownClose(mask: UInt32?) {
        var buffer = ByteBuffer()
        buffer.writeWebSocketClose(.policyViolation, reason: "user_suspended", mask: mask)
        var expected = WebSocketFrame.close(1008, "user_suspended")
        expected.mask = mask.map { mask in (0..<4).map { UInt8(truncatingIfNeeded: mask >> (24 - 8 * UInt32($0))) } }
        #expect(Array(buffer.readableBytesView) == expected.bytes)
    }
}
