package import NIOCore

/// The head of an answer: received bytes, field table, and what they mean for whoever forwards it (RFC 9112 §4).
///
/// Made to be reused, and never copied, like `RequestHead`. All ranges count from the first byte of `bytes`.
package struct ResponseHead: ~Copyable, Sendable {
    /// Bytes and fields.
    package internal(set) var message = MessageHead()
    /// 100…599.
    package internal(set) var status: UInt16 = 0
    /// The reason phrase as received; may be empty.
    package internal(set) var reasonRange = 0..<0
    /// How the body is delimited, the request's method and the status considered.
    package internal(set) var framing = BodyFraming.none
    /// Whether the connection can carry another request after this answer.
    package internal(set) var keepAlive = false
    /// The fields speak of a body that doesn't follow, since the answer is to HEAD or a 304 (RFC 9110 §9.3.2, §15.4.5). Some services send
    /// it all the same.
    package internal(set) var withholdsBody = false

    package init() {}

    /// Forgets everything but its tables' memory, and lets go of the received buffer.
    package mutating func clear() {
        message.clear()
        status = 0
        framing = .none
        keepAlive = false
        withholdsBody = false
    }

    /// An answer (1xx but 101) that another one follows.
    package var isInterim: Bool { status < 200 && status != 101 }

    /// The head as received, from the status line to the empty line.
    package var bytes: ByteBuffer { message.bytes }

    /// Every field line in order.
    package var fields: [Field] { message.fields }

    /// The known fields that are there, in any spelling.
    package var present: FieldSet { message.present }

    /// Gives the bytes of a range of the head to `body`, in place.
    package func withBytes<Result, Failure: Error>(
        _ range: Range<Int>, _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try message.withBytes(range, body)
    }

    /// Gives the value of the first field with this id to `body`, in place; nil if there is none.
    package func withValue<Result, Failure: Error>(
        _ id: FieldID, _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        try message.withValue(id, body)
    }
}
