import HTTP2
import HTTPWire
import NIOCore

/// Whom an exchange answers, in terms of the message: how it is written is each kind's own business.
///
/// An enum and no class with subclasses: a connection is a socket already and can't have a second base, and a switch costs a request
/// nothing.
enum ExchangeClient {
    /// An HTTP/1.1 connection, which the exchange has to itself until it ends.
    case connection(ClientConnection)
    /// A stream of an HTTP/2 connection.
    case stream(HTTP2Connection, HTTP2Stream)

    var peer: Peer {
        switch self {
        case .connection(let connection): connection.peer
        case .stream(let connection, _): connection.connection.peer
        }
    }

    /// Whether it takes more of the answer now.
    var isWritable: Bool {
        switch self {
        case .connection(let connection): connection.isWritable
        case .stream(let connection, let stream): connection.session.hasRoom(stream)
        }
    }

    /// Whether it has taken bytes since this was last asked: how a slow reader is told from one that has stopped.
    func hasTakenBytes() -> Bool {
        switch self {
        case .connection(let connection): connection.hasTakenBytes()
        case .stream(let connection, let stream): connection.hasTakenBytes(stream)
        }
    }

    /// Bytes that it has taken so far: what the kernel still holds for it is not.
    var takenBytes: Int {
        switch self {
        case .connection(let connection): connection.takenBytes
        case .stream(_, let stream): max(stream.sentBytes, stream.shareOfAnswers)
        }
    }

    /// Lets the exchange take what has arrived of its request's body.
    func pumpBody() {
        switch self {
        case .connection(let connection): connection.pumpBody()
        case .stream(let connection, let stream): connection.pumpBody(of: stream)
        }
    }

    /// Bytes of its exchange's body that have arrived and were not taken, framing and all.
    var bodyAtHand: Int {
        switch self {
        case .connection(let connection): connection.input.readableBytes
        case .stream(_, let stream): stream.bodyAtHand
        }
    }

    /// Bytes of a body that wait for somebody to take them at most: then the client is held up, and not slow.
    var bodyRoom: Int {
        switch self {
        case .connection: ClientConnection.pipelineBound
        case .stream: HTTP2Limits.streamWindow
        }
    }

    /// The exchange takes no more of its request's body for now.
    func regulate() {
        switch self {
        case .connection(let connection): connection.regulate()
        case .stream: break  // its window is not given back
        }
    }

    /// An interim answer.
    func interim(_ head: borrowing ResponseHead) {
        switch self {
        case .connection(let connection):
            connection.write(ResponseRewriter.interim(head))
            connection.flushAnswer()
        case .stream(let connection, let stream): connection.interim(stream, head)
        }
    }

    /// Asks for the request's body.
    func invite() { answer(whole: ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")) }

    /// A whole answer as HTTP/1.1 has it, made here.
    func answer(whole bytes: ByteBuffer) {
        switch self {
        case .connection(let connection):
            connection.write(bytes)
            connection.flushAnswer()
        case .stream(let connection, let stream): connection.answer(stream, whole: bytes)
        }
    }

    /// Why an answer can't be finished.
    enum Cause {
        /// It is not to be given any more.
        case withdrawn
        /// The upstream has broken it off.
        case broken
    }

    /// The answer can't be finished: the client must not take what it has for whole.
    func abort(_ cause: Cause) {
        switch self {
        case .connection(let connection): connection.abort()
        case .stream(let connection, let stream): connection.abort(stream, cause)
        }
    }

    /// The exchange has answered whole.
    func exchangeEnded(keepAlive: Bool) {
        switch self {
        case .connection(let connection): connection.exchangeEnded(keepAlive: keepAlive)
        case .stream(let connection, let stream): connection.exchangeEnded(stream)
        }
    }
}
