package import NIOCore

/// The head of a request: received bytes, field table, and what they mean for whoever forwards it (RFC 9112 §3).
///
/// Made to be reused: `clear()` keeps the table's memory, so that parsing allocates nothing. Never copied: that would cost a request
/// more than its parsing. All ranges count from the first byte of
/// `bytes`.
package struct RequestHead: ~Copyable, Sendable {
    /// How the target is written (RFC 9112 §3.2).
    package enum TargetForm: Sendable { case origin, absolute, authority, asterisk }

    /// Bytes and fields.
    package internal(set) var message = MessageHead()
    package internal(set) var method = RequestMethod.other
    package internal(set) var methodRange = 0..<0
    package internal(set) var targetForm = TargetForm.origin
    package internal(set) var targetRange = 0..<0
    /// The target's path, as received. Empty for the authority form and for an absolute form without a path, which means `/`.
    package internal(set) var pathRange = 0..<0
    /// What follows the first `?`, as received; nil without one.
    package internal(set) var queryRange: Range<Int>?
    /// The one authority that `Host` and an absolute target agree on.
    package internal(set) var authority = Authority(host: 0..<0, port: nil, range: 0..<0)
    /// How the body is delimited: `.none`, `.length` or `.chunked`. `.length(0)` is a `Content-Length: 0` that was sent.
    package internal(set) var framing = BodyFraming.none
    /// Whether the client means to send another request on this connection.
    package internal(set) var keepAlive = false
    /// `Expect: 100-continue` on a request that has a body.
    package internal(set) var expectsContinue = false
    /// `Upgrade` is there and named by `Connection`.
    package internal(set) var requestsUpgrade = false

    package init() {}

    /// Forgets everything but its tables' memory, and lets go of the received buffer.
    package mutating func clear() {
        message.clear()
        queryRange = nil
        framing = .none
        keepAlive = false
        expectsContinue = false
        requestsUpgrade = false
    }

    /// The head as received, from the start line to the empty line.
    package var bytes: ByteBuffer { message.bytes }

    /// Every field line in order.
    package var fields: [Field] { message.fields }

    /// The known fields that are there, in any spelling.
    package var present: FieldSet { message.present }

    /// The known fields that are there in a variant spelling.
    package var variants: FieldSet { message.variants }

    /// The known fields that `Connection` names, in any spelling.
    package func connectionNames(_ id: FieldID) -> Bool { message.connection.named.contains(id) }

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
