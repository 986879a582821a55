import HTTPWire
import NIOCore

/// Whom an exchange answers, in terms of the message: how it is written is each kind's own business.
///
/// An enum and no class with subclasses: a connection is a socket already and can't have a second base, and a switch costs a request
/// nothing.
enum ExchangeClient {
    /// An HTTP/1.1 connection, which the exchange has to itself until it ends.
    case connection(ClientConnection)

    var peer: Peer {
        switch self {
        case .connection(let connection): connection.peer
        }
    }

    /// Whether it takes more of the answer now.
    var isWritable: Bool {
        switch self {
        case .connection(let connection): connection.isWritable
        }
    }

    /// Whether it has taken bytes since this was last asked: how a slow reader is told from one that has stopped.
    func hasTakenBytes() -> Bool {
        switch self {
        case .connection(let connection): connection.hasTakenBytes()
        }
    }

    /// Lets the exchange take what has arrived of its request's body.
    func pumpBody() {
        switch self {
        case .connection(let connection): connection.pumpBody()
        }
    }

    /// The exchange takes no more of its request's body for now.
    func regulate() {
        switch self {
        case .connection(let connection): connection.regulate()
        }
    }

    /// An interim answer.
    func interim(_ head: borrowing ResponseHead) {
        switch self {
        case .connection(let connection):
            connection.write(ResponseRewriter.interim(head))
            connection.flushAnswer()
        }
    }

    /// Asks for the request's body.
    func invite() {
        switch self {
        case .connection(let connection):
            connection.write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
            connection.flushAnswer()
        }
    }

    /// A whole answer as HTTP/1.1 has it, made here.
    func answer(whole bytes: ByteBuffer) {
        switch self {
        case .connection(let connection):
            connection.write(bytes)
            connection.flushAnswer()
        }
    }

    /// The answer can't be finished: the client must not take what it has for whole.
    func abort() {
        switch self {
        case .connection(let connection): connection.abort()
        }
    }

    /// The exchange has answered whole.
    func exchangeEnded(keepAlive: Bool) {
        switch self {
        case .connection(let connection): connection.exchangeEnded(keepAlive: keepAlive)
        }
    }
}
