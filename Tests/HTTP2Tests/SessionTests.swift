import HTTPWire
import NIOCore
import TestSupport
import Testing

@testable import HTTP2

/// The session without a socket: frames in, events and frames out.
@Suite("HTTP/2 session")
struct SessionTests {
    private let scratch = HTTP2Scratch()
    private let session: HTTP2Session

    init() throws {
        session = try #require(HTTP2Session(headLimit: 32 * 1024, scratch: scratch))
        #expect(receive(bytes: HTTP2Frame.preface + HTTP2Frame.settings().bytes))
        _ = sent()
        #expect(receive(bytes: HTTP2Frame(.settings, flags: HTTP2Frame.ack).bytes))
    }

    private func receive(_ frames: HTTP2Frame...) -> Bool { receive(bytes: frames.flatMap(\.bytes)) }

    private func receive(bytes: [UInt8]) -> Bool { session.receive(ByteBuffer(bytes: bytes), now: 0) }

    /// The frames that the session sends now.
    private func sent() -> [HTTP2Frame] {
        var bytes: [UInt8] = []
        while session.send(now: 0), scratch.output.readableBytes > 0 { bytes += Array(scratch.output.readableBytesView) }
        var frames: [HTTP2Frame] = []
        while bytes.count >= 9 {
            let length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
            var frame = HTTP2Frame(.data, flags: bytes[4], stream: UInt32(bytes[8]) | UInt32(bytes[7]) << 8, Array(bytes[9..<(9 + length)]))
            frame.kind = bytes[3]
            frames.append(frame)
            bytes.removeFirst(9 + length)
        }
        return frames
    }

    private static let post = [
        HTTP2Field(":method", "POST"), HTTP2Field(":scheme", "https"), HTTP2Field(":authority", "a.test"), HTTP2Field(":path", "/x"),
    ]

    private func open(_ id: UInt32 = 1) throws -> HTTP2Stream {
        #expect(receive(.headers(id, Self.post, end: false)))
        return try #require(session.streams[Int32(id)])
    }

    private func windowUpdates(_ frames: [HTTP2Frame]) -> [UInt32: Int] {
        frames.filter { $0.kind == 8 }.reduce(into: [:]) { $0[$1.stream, default: 0] += $1.payload.reduce(0) { $0 << 8 | Int($1) } }
    }

    @Test("a window is given back when the body is taken, and not before")
    func windows() throws {
        let stream = try open()
        for _ in 0..<4 { #expect(receive(.data(1, Array(repeating: 65, count: 16_000), end: false))) }
        #expect(windowUpdates(sent()) == [:])
        #expect(session.take(stream)?.readableBytes == 64_000)
        #expect(session.take(stream) == nil)
        let wider = HTTP2Limits.wideWindow - HTTP2Limits.streamWindow
        #expect(windowUpdates(sent())[1] == 64_000 + wider, "somebody reads it: more may be under way")
        for _ in 0..<17 { #expect(receive(.data(1, Array(repeating: 65, count: 16_000), end: false))) }
        #expect(sent().contains { $0.kind == 3 && $0.payload == bigEndian(3) }, "more than the window is a flow-control error")
    }

    @Test("what nobody took of a stream that is gone goes back to the connection's window")
    func abandoned() throws {
        for id in [1, 3, 5] as [UInt32] {
            _ = try open(id)
            for _ in 0..<4 { #expect(receive(.data(id, Array(repeating: 65, count: 16_000), end: false))) }
            #expect(receive(.reset(id)))
        }
        // The connection's window is given back when half of it is used up.
        #expect(windowUpdates(sent())[0] == nil)
        let rounds = HTTP2Limits.connectionWindow / 2 / 64_000
        for id in stride(from: 7, to: UInt32(7 + 2 * rounds), by: 2) {
            _ = try open(id)
            for _ in 0..<4 { #expect(receive(.data(id, Array(repeating: 65, count: 16_000), end: false))) }
            #expect(receive(.reset(id)))
        }
        #expect(windowUpdates(sent())[0] ?? 0 > HTTP2Limits.connectionWindow / 2)
        #expect(session.streams.isEmpty)
    }

    @Test("bodies that nobody reads hold up no other one: the connection's window is wider than those of all streams")
    func sumOfWindows() throws {
        var room = HTTP2Limits.connectionWindow
        /// False where a client that counts would have to wait.
        func send(_ id: UInt32) -> Bool {
            room -= 16_000
            return room >= 0 && receive(.data(id, Array(repeating: 65, count: 16_000), end: false))
        }
        // As many as may be wide are read from, and then no more; all others but the last were never read from.
        let last = UInt32(2 * HTTP2Limits.streams - 1)
        for id in stride(from: 1, to: last, by: 2) {
            let stream = try open(id)
            for _ in 0..<4 { #expect(send(id)) }
            if id < 40 { #expect(session.take(stream)?.readableBytes == 64_000) }
        }
        let updates = windowUpdates(sent())
        let wide = updates.filter { $0.key > 0 && $0.value > 64_000 }
        #expect(wide.count == HTTP2Limits.wideStreams)
        for id in wide.keys {
            for _ in 0..<16 { #expect(send(id)) }
        }
        let other = try open(last)
        for _ in 0..<4000 {
            guard send(last) else {
                Issue.record("held up")
                break
            }
            #expect(session.take(other)?.readableBytes == 16_000)
            room += windowUpdates(sent())[0] ?? 0
        }
        #expect(!sent().contains { $0.kind == 7 }, "no flow-control error")
    }

    @Test("a body that nobody wants is dropped, and its window goes back at once")
    func dropped() throws {
        let stream = try open()
        session.dropInput(of: stream)
        var given = 0
        for _ in 0..<40 {
            #expect(receive(.data(1, Array(repeating: 65, count: 16_000), end: false)))
            given += windowUpdates(sent())[1] ?? 0
        }
        #expect(given > 300_000)
        #expect(session.take(stream) == nil)
    }

    @Test("padding counts for windows and for nothing else")
    func padding() throws {
        let stream = try open()
        #expect(receive(HTTP2Frame(.data, flags: 9, stream: 1, [3, 65, 66, 0, 0, 0])))
        #expect(session.take(stream).map { Array($0.readableBytesView) } == [65, 66])
        #expect(stream.isBodyWhole)
    }

    @Test("a stream whose answer is not taken has no room, until most of it has gone")
    func room() throws {
        let stream = try open()
        var bytes = ByteBuffer(string: "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n")
        var head = ResponseHead()
        var parser = ResponseParser(limits: WireLimits())
        guard case .complete = parser.parse(&bytes, into: &head, answering: .get) else {
            Issue.record("no head")
            return
        }
        session.answer(stream, head, adding: nil, hasBody: true, keeping: { _ in true })
        #expect(session.hasRoom(stream))
        session.add(ByteBuffer(repeating: 65, count: 65_535), to: stream)
        session.add(ByteBuffer(repeating: 65, count: 70_000), to: stream)
        #expect(!session.hasRoom(stream))
        _ = sent()
        #expect(stream.waiting == 70_000)
        #expect(!session.hasRoom(stream))
        scratch.events = []
        #expect(receive(.window(0, 60_000), .window(1, 60_000)))
        _ = sent()
        #expect(stream.waiting == 10_000)
        #expect(scratch.events.contains { if case .room(let other) = $0 { other === stream } else { false } })
        #expect(session.hasRoom(stream))
    }

    @Test("a request that is reset in the same read is gone before anybody judges it")
    func goneAtOnce() throws {
        #expect(receive(.headers(1, Self.post), .reset(1)))
        guard case .request(let stream)? = scratch.events.first else {
            Issue.record("no request")
            return
        }
        #expect(stream.isClosed)
    }
}
