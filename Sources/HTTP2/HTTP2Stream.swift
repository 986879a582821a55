import HTTPWire
package import NIOCore

/// One request and its answer on a client's connection. Loop-bound, like its session.
package final class HTTP2Stream {
    package let id: Int32
    /// Loop clock at its first byte.
    package internal(set) var began: Int64 = 0

    // MARK: the request

    /// The request's head as HTTP/1.1 has it, for the one parser.
    package var head = ByteBuffer()
    /// Why the request is refused, where its head or body breaks a rule of HTTP/2.
    package internal(set) var fault: HTTP2Fault?
    /// What has come of the body and was not taken.
    var incoming = ByteBuffer()
    /// The client has sent everything.
    package internal(set) var isInputEnded = false
    /// Trailer fields as the end of a chunked body has them, for the one decoder of those.
    package internal(set) var trailers: ByteBuffer?
    /// What `content-length` says; −1 where there is none.
    var declaredLength = -1
    package internal(set) var receivedLength = 0
    /// Its share of what has come of all bodies of the connection: how a client that is slow is told from one that sends others first.
    package var shareOfBodies = 0
    /// Its window is `HTTP2Limits.wideWindow`.
    var isWide = false
    /// Bytes of the body that the client's window has not got back.
    var unconsumed = 0
    /// Nobody wants the body any more.
    var isInputDropped = false
    /// Its news are in the list of events.
    var isNoted = false

    // MARK: the answer

    /// What waits to be sent of the answer's body.
    var outgoing = ByteBuffer()
    /// The answer's head has been handed over.
    package internal(set) var isAnswered = false
    /// The answer is a service's: it pays for a reset. A refusal costs the client nothing.
    package var isServiced = false
    /// Nothing is added to the answer any more.
    var isOutputEnded = false
    var outgoingTrailers: MessageHead?
    /// Its last byte has been handed over.
    package internal(set) var isSent = false
    /// It is not to get more before `.room`.
    var isHeld = false
    /// Bytes of the body that were sent: how a slow reader is told from one that has stopped.
    package internal(set) var sentBytes = 0
    /// What the stream is reset with when the answer is sent; nil where that is only told to a client that goes on sending.
    package var code: HTTP2Code?

    /// The stream is gone.
    package internal(set) var isClosed = false
    /// Who deals with the request.
    package var owner: AnyObject?
    /// The request can't be judged yet: its head is kept, and its body waits.
    package var isWaiting = false
    /// Loop clock at which the answer last moved.
    package var progressed: Int64 = 0
    package var sentBefore = 0
    /// Its share of what was sent of all answers of the connection.
    package var shareOfAnswers = 0

    init(id: Int32) { self.id = id }

    /// Lets go of the memory that what waits of the answer came in: a piece of a read keeps all of it.
    package func compact() {
        guard outgoing.storageCapacity > 2 * outgoing.readableBytes + 1024 else { return }
        outgoing = outgoing.readableBytes == 0 ? ByteBuffer() : ByteBuffer(outgoing.readableBytesView)
    }

    /// Bytes of the answer that wait.
    package var waiting: Int { outgoing.readableBytes }

    /// Bytes of the body that have come and were not taken.
    package var bodyAtHand: Int { incoming.readableBytes }

    /// Everything has been taken, and the client has ended it.
    package var isBodyWhole: Bool { isInputEnded && incoming.readableBytes == 0 }
}

/// Why a request is refused before anybody judges it.
package enum HTTP2Fault: Sendable, Equatable {
    /// RFC 9113 §8.1.1: a stream error PROTOCOL_ERROR, after the answer that §8.1.1 allows.
    case malformed
    /// Well-formed, but for another scheme than this listener's.
    case wrongScheme
    case headersTooLarge
    case uriTooLong
}

/// The error codes of RFC 9113 §7 that are used here.
package enum HTTP2Code: UInt32, Sendable {
    case noError = 0
    case protocolError = 1
    case internalError = 2
    case streamClosed = 5
    case refusedStream = 7
    case cancel = 8
    case enhanceYourCalm = 11
}
