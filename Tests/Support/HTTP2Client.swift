import CNGHTTP2

/// An HTTP/2 client of the tests' own: sends the frames it is given and notes what comes.
///
/// Answers' header blocks are decoded by libnghttp2; everything else is read by hand.
package final class HTTP2Client {
    package let stream: TLSStream
    /// Seconds until a missing answer is an error.
    package var patience: Double = 20
    /// What has come of each stream.
    package private(set) var answers: [UInt32: HTTP2Answer] = [:]
    /// The code of the GOAWAY that ended the connection.
    package private(set) var goaway: UInt32?
    /// The connection has ended.
    package private(set) var isEnded = false
    /// The server's SETTINGS.
    package private(set) var settings: [UInt16: UInt32] = [:]
    /// What may still be sent, by the server's WINDOW_UPDATEs: 0 is the connection.
    package private(set) var windowUpdates: [UInt32: Int] = [:]
    package private(set) var frames = 0
    /// Payloads of PINGs that were acknowledged.
    package private(set) var pings: [[UInt8]] = []
    /// Gives the windows back what comes.
    package var updatesWindows = true
    package var owner: AnyObject?
    private var buffer: [UInt8] = []
    private let inflater = Inflater()
    private var nextStream: UInt32 = 1
    private var pingCount = 0
    /// Bytes that the last `upload` has sent, and those of the ones before.
    package private(set) var uploaded = 0
    private var sentBefore = 0

    /// Connects. `greets`: preface and SETTINGS are sent.
    package init(port: Int, greets: Bool = true, settings: [(id: UInt16, value: UInt32)] = []) throws {
        stream = try TLSStream(port: port, alpn: "h2")
        guard stream.chosenProtocol == "h2" else { throw StreamError.handshake("no h2 but \(stream.chosenProtocol ?? "nothing")") }
        if greets { try stream.send(HTTP2Frame.preface + HTTP2Frame.settings(settings).bytes) }
    }

    package func send(_ frames: HTTP2Frame...) throws { try stream.send(frames.flatMap(\.bytes)) }

    /// Begins a request on the next stream.
    @discardableResult
    package func begin(_ fields: [HTTP2Field], body: [UInt8]? = nil) throws -> UInt32 {
        let id = nextStream
        nextStream += 2
        try stream.send(HTTP2Frame.headers(id, fields, end: body == nil).bytes + (body.map { HTTP2Frame.data(id, $0).bytes } ?? []))
        return id
    }

    /// Begins a request whose body, if `end` is false, follows.
    package func begin(_ fields: [HTTP2Field], end: Bool) throws -> UInt32 {
        let id = nextStream
        nextStream += 2
        try send(.headers(id, fields, end: end))
        return id
    }

    /// Sends a body as the server's windows let it.
    package func upload(_ body: [UInt8], on id: UInt32, end: Bool = true) throws {
        try wait { !$0.settings.isEmpty }
        let initial = Int(settings[4] ?? 65_535)
        uploaded = 0
        while uploaded < body.count {
            let start = uploaded
            func room(_ client: HTTP2Client) -> Int {
                min(
                    initial + client.windowUpdates[id, default: 0] - start,
                    65_535 + client.windowUpdates[0, default: 0] - sentBefore - start)
            }
            try wait { room($0) > 0 || $0.answers[id]?.isEnded == true }
            guard answers[id]?.isEnded != true else { return }
            let count = min(room(self), 16_384, body.count - start)
            try send(.data(id, Array(body[start..<(start + count)]), end: end && start + count == body.count))
            uploaded += count
        }
        sentBefore += uploaded
    }

    /// One request and its whole answer.
    package func exchange(_ fields: [HTTP2Field], body: [UInt8]? = nil) throws -> HTTP2Answer {
        try answer(on: try begin(fields, body: body))
    }

    /// The same on a stream of one's choice.
    package func exchange(on id: UInt32, _ fields: [HTTP2Field]) throws -> HTTP2Answer {
        try send(.headers(id, fields))
        return try answer(on: id)
    }

    /// Lets go of what has come of these streams.
    package func forget(_ streams: [UInt32]) { for id in streams { answers[id] = nil } }

    /// Waits for the end of a stream's answer.
    package func answer(on id: UInt32) throws -> HTTP2Answer {
        try wait { $0.answers[id]?.isEnded == true }
        return answers[id] ?? HTTP2Answer()
    }

    /// Reads until `condition` holds; throws `closed` where the connection ends before and `timedOut` where nothing comes.
    package func wait(until condition: (HTTP2Client) -> Bool) throws {
        while !condition(self) {
            guard !isEnded else { throw StreamError.closed }
            guard try read(seconds: patience) else { throw StreamError.timedOut }
        }
    }

    /// Waits until all that was sent has been dealt with: twice, since an acknowledgement goes before answers. False where the
    /// connection has ended.
    package func settle() -> Bool {
        for _ in 0..<2 {
            pingCount += 1
            let payload = Array("settle\(pingCount % 10)\(pingCount / 10 % 10)".utf8)
            guard (try? stream.send(HTTP2Frame(.ping, payload).bytes)) != nil else { break }
            guard (try? wait { $0.pings.contains(payload) || $0.goaway != nil && $0.isEnded }) != nil else { break }
            pings.removeAll { $0 == payload }
        }
        while goaway != nil, !isEnded { guard (try? read(seconds: 5)) == true else { break } }
        return !isEnded && goaway == nil
    }

    /// Reads what comes next; false where nothing comes in time.
    package func read(seconds: Double) throws -> Bool {
        switch try stream.receive(seconds: seconds) {
        case .bytes(let bytes): buffer += bytes
        case .end: isEnded = true
        case .nothingYet: return false
        }
        while let frame = takeFrame() { try take(frame) }
        return true
    }

    private func takeFrame() -> HTTP2Frame? {
        guard buffer.count >= 9 else { return nil }
        let length = Int(buffer[0]) << 16 | Int(buffer[1]) << 8 | Int(buffer[2])
        guard buffer.count >= 9 + length else { return nil }
        defer { buffer.removeFirst(9 + length) }
        return HTTP2Frame(kind: buffer[3], flags: buffer[4], stream: word(Array(buffer[5..<9])), payload: Array(buffer[9..<(9 + length)]))
    }

    private func word(_ bytes: [UInt8]) -> UInt32 { bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } }

    private func take(_ frame: HTTP2Frame) throws {
        frames += 1
        let isLast = frame.flags & HTTP2Frame.endStream != 0
        switch HTTP2Frame.Kind(rawValue: frame.kind) {
        case .headers:
            guard frame.flags & HTTP2Frame.endHeaders != 0 else { throw StreamError.malformed("a header block in two frames") }
            answers[frame.stream, default: HTTP2Answer()].add(inflater.fields(of: frame.payload), isLast: isLast)
        case .data:
            answers[frame.stream, default: HTTP2Answer()].body += frame.payload
            answers[frame.stream]?.isWhole = isLast
            if updatesWindows, !frame.payload.isEmpty {
                let count = UInt32(frame.payload.count)
                let frames = [HTTP2Frame.window(0, count)] + (isLast ? [] : [HTTP2Frame.window(frame.stream, count)])
                try? stream.send(frames.flatMap(\.bytes))
            }
        case .rstStream:
            answers[frame.stream, default: HTTP2Answer()].reset = word(frame.payload)
        case .settings:
            guard frame.flags & HTTP2Frame.ack == 0 else { return }
            for index in stride(from: 0, to: frame.payload.count, by: 6) {
                let id = UInt16(frame.payload[index]) << 8 | UInt16(frame.payload[index + 1])
                settings[id] = word(Array(frame.payload[(index + 2)...]))
            }
            try? stream.send(HTTP2Frame(.settings, flags: HTTP2Frame.ack).bytes)
        case .ping: if frame.flags & HTTP2Frame.ack != 0 { pings.append(frame.payload) }
        case .goaway:
            goaway = word(Array(frame.payload[4...]))
            lastStream = word(frame.payload)
        case .windowUpdate: windowUpdates[frame.stream, default: 0] += Int(word(frame.payload))
        default: break
        }
    }

    /// The last stream that the GOAWAY says was dealt with.
    package private(set) var lastStream: UInt32?
}

/// What has come on one stream.
package struct HTTP2Answer: Sendable {
    package var fields: [(name: String, value: String)] = []
    package var trailers: [(name: String, value: String)] = []
    package var interim: [Int] = []
    package var body: [UInt8] = []
    /// It ended by END_STREAM.
    package var isWhole = false
    /// The code of its RST_STREAM.
    package var reset: UInt32?

    package init() {}

    package var isEnded: Bool { isWhole || reset != nil }
    package var status: Int { field(":status").flatMap { Int($0) } ?? 0 }
    package func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
    /// The same as an HTTP/1.1 answer, for what is asked of both.
    package var wire: WireAnswer { WireAnswer(status: status, fields: fields, body: body) }
    package var gatewayCode: String? { wire.gatewayCode }

    fileprivate mutating func add(_ fields: [(name: String, value: String)], isLast: Bool) {
        isWhole = isLast
        if let status = fields.first(where: { $0.name == ":status" })?.value, status.hasPrefix("1") {
            interim.append(Int(status) ?? 0)
        } else if self.fields.isEmpty {
            self.fields = fields
        } else {
            trailers = fields
        }
    }
}

/// Safe: owns its inflater and is used by one thread.
@safe
private final class Inflater {
    private var inflater: OpaquePointer?

    init() { unsafe nghttp2_hd_inflate_new(&inflater) }

    deinit { unsafe nghttp2_hd_inflate_del(inflater) }

    func fields(of block: [UInt8]) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        unsafe block.withUnsafeBufferPointer { bytes in
            var offset = 0
            while true {
                var field = unsafe nghttp2_nv()
                var flags: Int32 = 0
                let count = unsafe nghttp2_hd_inflate_hd2(
                    inflater, &field, &flags, bytes.baseAddress.map { unsafe $0 + offset }, bytes.count - offset, 1)
                guard count >= 0 else { return }
                offset += count
                if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
                    let name = unsafe UnsafeBufferPointer(start: field.name, count: field.namelen)
                    let value = unsafe UnsafeBufferPointer(start: field.value, count: field.valuelen)
                    unsafe fields.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
                }
                if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 { break }
                if count == 0, offset >= bytes.count { break }
            }
            unsafe nghttp2_hd_inflate_end_headers(inflater)
        }
        return fields
    }
}
