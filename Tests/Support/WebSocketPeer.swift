/// A frame as it stands on the wire (RFC 6455 §5.2), also such as must not be.
package struct WebSocketFrame: Sendable {
    package enum LengthForm: Sendable { case shortest, two, eight }

    package var opcode: UInt8
    package var payload: [UInt8]
    package var isFinal = true
    /// RSV1–3 in their places.
    package var reserved: UInt8 = 0
    package var mask: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]
    package var lengthForm = LengthForm.shortest

    package init(_ opcode: UInt8, _ payload: [UInt8] = [], final isFinal: Bool = true, reserved: UInt8 = 0) {
        self.opcode = opcode
        self.payload = payload
        self.isFinal = isFinal
        self.reserved = reserved
    }

    package static func text(_ text: String, final isFinal: Bool = true) -> Self { Self(1, Array(text.utf8), final: isFinal) }
    package static func more(_ text: String, final isFinal: Bool = true) -> Self { Self(0, Array(text.utf8), final: isFinal) }
    package static func ping(_ text: String = "") -> Self { Self(9, Array(text.utf8)) }
    package static func pong(_ text: String = "") -> Self { Self(10, Array(text.utf8)) }
    package static func close(_ code: UInt16 = 1000, _ reason: String = "") -> Self {
        Self(8, [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8))
    }

    package func unmasked() -> Self {
        var frame = self
        frame.mask = nil
        return frame
    }

    package func length(_ form: LengthForm) -> Self {
        var frame = self
        frame.lengthForm = form
        return frame
    }

    package var bytes: [UInt8] {
        var bytes = [(isFinal ? 0x80 : 0) | reserved | opcode]
        let bit: UInt8 = mask == nil ? 0 : 0x80
        let count = payload.count
        if lengthForm == .eight || (lengthForm == .shortest && count > 0xFFFF) {
            bytes += [bit | 127] + (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }
        } else if lengthForm == .two || count > 125 {
            bytes += [bit | 126, UInt8(count >> 8), UInt8(count & 0xFF)]
        } else {
            bytes.append(bit | UInt8(count))
        }
        guard let mask else { return bytes + payload }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }
}

/// A WebSocket client of the tests' own: sends exactly the bytes that it is given, and reads the server's frames.
package final class WebSocketPeer {
    package let stream: any ByteStream
    /// The answer to the opening.
    package let answer: WireAnswer
    private let client: WireClient
    private var buffer: [UInt8] = []
    private var hasEnded = false

    /// What was read: a frame, or the end of the connection.
    package enum Event: Equatable, Sendable {
        case frame(opcode: UInt8, isFinal: Bool, payload: [UInt8])
        case close(UInt16?)
        case end(clean: Bool)
    }

    /// Sends the opening and reads the answer to it.
    package init(_ client: WireClient, opening: String, _ early: [UInt8] = []) throws {
        self.client = client
        stream = client.stream
        try client.stream.send(Array(opening.utf8) + early)
        answer = try client.answer(to: "GET")
        buffer = client.takeBuffered()
    }

    package var isOpen: Bool { answer.status == 101 }

    package func send(_ frames: WebSocketFrame...) throws { try stream.send(frames.flatMap(\.bytes)) }

    /// The next frame of the server's.
    package func next(within seconds: Double = 20) throws -> Event {
        while true {
            if let event = takeFrame() { return event }
            guard !hasEnded else { return .end(clean: true) }
            switch try stream.receive(seconds: seconds) {
            case .bytes(let bytes): buffer += bytes
            case .end(let clean):
                hasEnded = true
                if buffer.isEmpty || !clean { return .end(clean: clean && buffer.isEmpty) }
            case .nothingYet: throw StreamError.timedOut
            }
        }
    }

    /// Everything up to the server's Close or the end.
    package func untilClosed() throws -> [Event] {
        var events: [Event] = []
        while true {
            events.append(try next())
            switch events.last {
            case .close?, .end?: return events
            default: continue
            }
        }
    }

    /// Bytes read that are no whole frame yet.
    package var pending: Int { buffer.count }

    private func takeFrame() -> Event? {
        guard buffer.count >= 2 else { return nil }
        var at = 2
        var length = Int(buffer[1] & 0x7F)
        if length >= 126 {
            let count = length == 126 ? 2 : 8
            guard buffer.count >= 2 + count else { return nil }
            length = buffer[2..<2 + count].reduce(0) { $0 << 8 | Int($1) }
            at += count
        }
        guard buffer.count >= at + length else { return nil }
        let payload = Array(buffer[at..<at + length])
        let (opcode, isFinal) = (buffer[0] & 0x0F, buffer[0] & 0x80 != 0)
        buffer.removeFirst(at + length)
        guard opcode == 8 else { return .frame(opcode: opcode, isFinal: isFinal, payload: payload) }
        return .close(payload.count < 2 ? nil : UInt16(payload[0]) << 8 | UInt16(payload[1]))
    }
}
