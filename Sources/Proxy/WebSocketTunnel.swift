import HTTPWire
import NIOCore
import Policy
import Tokens

/// A WebSocket through the gateway: what its opening must be answered with, and then where the frames of both directions stand.
///
/// Belongs to one exchange. The bytes take the way of a request's and an answer's body, with their back-pressure.
final class WebSocketTunnel {
    /// The only value of `Sec-WebSocket-Accept` that opens it.
    let accept: [UInt8]
    private(set) var isOpen = false
    private var fromClient = WebSocketFollower()
    private var fromServer = WebSocketFollower()

    /// Nil for a request that is no opening of one. Throws where it is a malformed one.
    init?(_ head: borrowing RequestHead) throws(Denial) {
        guard head.asksForWebSocket else { return nil }
        guard let key = head.webSocketKey, let accept = WebSocketAccept.value(for: head.withBytes(key) { Array($0) }) else {
            throw .badRequest
        }
        self.accept = accept
    }

    /// Whether `head` opens it; from then on frames are followed.
    func opens(_ head: borrowing ResponseHead) -> Bool {
        isOpen = head.opensWebSocket(accept: accept)
        return isOpen
    }

    func followClient(_ piece: ByteBuffer) { fromClient.follow(piece.readableBytesUInt8Span) }

    func followServer(_ piece: ByteBuffer) { fromServer.follow(piece.readableBytesUInt8Span) }

    /// Somebody has said Close: an end of the connection is the end that was meant.
    var isClosing: Bool { fromClient.hasClosed || fromServer.hasClosed }

    /// The client's side stands where a Close of the gateway's can be put in.
    var takesCloseToClient: Bool { fromServer.isBetweenFrames && !fromServer.hasClosed }

    /// The same of the server's side.
    var takesCloseToServer: Bool { fromClient.isBetweenFrames && !fromClient.hasClosed }
}
