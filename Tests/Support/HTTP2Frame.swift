/// One HTTP/2 frame (RFC 9113 §4.1), written and read by hand, so that a test can break every rule.
package struct HTTP2Frame: Sendable, Equatable {
    package enum Kind: UInt8, Sendable {
        case data, headers, priority, rstStream, settings, pushPromise, ping, goaway, windowUpdate, continuation
        case unknown = 0xEE
    }

    package var kind: UInt8
    package var flags: UInt8
    package var stream: UInt32
    package var payload: [UInt8]

    package static let endStream: UInt8 = 1
    package static let ack: UInt8 = 1
    package static let endHeaders: UInt8 = 4
    package static let padded: UInt8 = 8
    package static let priority: UInt8 = 0x20

    package init(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) {
        self.kind = kind.rawValue
        self.flags = flags
        self.stream = stream
        self.payload = payload
    }

    init(kind: UInt8, flags: UInt8, stream: UInt32, payload: [UInt8]) {
        (self.kind, self.flags, self.stream, self.payload) = (kind, flags, stream, payload)
    }

    package var bytes: [UInt8] { bytes(length: payload.count) }

    /// With a length that need not be true.
    package func bytes(length: Int) -> [UInt8] {
        [UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255), kind, flags] + bigEndian(stream) + payload
    }

    package static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// A whole header block in one frame.
    package static func headers(_ stream: UInt32, _ fields: [HTTP2Field], end: Bool = true) -> HTTP2Frame {
        HTTP2Frame(.headers, flags: endHeaders | (end ? endStream : 0), stream: stream, HPACK.block(fields))
    }

    package static func data(_ stream: UInt32, _ bytes: [UInt8], end: Bool = true) -> HTTP2Frame {
        HTTP2Frame(.data, flags: end ? endStream : 0, stream: stream, bytes)
    }

    package static func reset(_ stream: UInt32, code: UInt32 = 8) -> HTTP2Frame {
        HTTP2Frame(.rstStream, stream: stream, bigEndian(code))
    }

    package static func window(_ stream: UInt32, _ increment: UInt32) -> HTTP2Frame {
        HTTP2Frame(.windowUpdate, stream: stream, bigEndian(increment))
    }

    package static func settings(_ values: [(id: UInt16, value: UInt32)] = []) -> HTTP2Frame {
        HTTP2Frame(.settings, values.flatMap { [UInt8($0.id >> 8), UInt8($0.id & 255)] + bigEndian($0.value) })
    }

    package static func ping(_ text: String = "12345678") -> HTTP2Frame { HTTP2Frame(.ping, Array(text.utf8)) }
}

package struct HTTP2Field: Sendable, Equatable {
    package var name: [UInt8]
    package var value: [UInt8]

    package init(_ name: String, _ value: String) { (self.name, self.value) = (Array(name.utf8), Array(value.utf8)) }
    package init(_ name: [UInt8], _ value: [UInt8]) { (self.name, self.value) = (name, value) }
}

/// HPACK as far as a test writes it: literals that are not indexed (RFC 7541 §6.2.2).
package enum HPACK {
    package static func block(_ fields: [HTTP2Field]) -> [UInt8] { fields.flatMap { literal($0) } }

    package static func literal(_ field: HTTP2Field) -> [UInt8] { [0] + string(field.name) + string(field.value) }

    package static func string(_ bytes: [UInt8]) -> [UInt8] { integer(bytes.count, prefix: 7) + bytes }

    package static func integer(_ value: Int, prefix: Int, first: UInt8 = 0) -> [UInt8] {
        let most = (1 << prefix) - 1
        if value < most { return [first | UInt8(value)] }
        var out = [first | UInt8(most)]
        var rest = value - most
        while rest >= 128 {
            out.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return out + [UInt8(rest)]
    }
}

package func bigEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
