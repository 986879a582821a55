import HTTPWire
import NIOCore
import Policy

// A request that becomes a WebSocket: its two directions are the bodies of a request and an answer that know no length.
extension Exchange {
    /// The server's 101: the tunnel is open, or the answer is not one to this request.
    func tunnelAnswered(_ head: borrowing ResponseHead, _ tunnel: WebSocketTunnel) {
        guard tunnel.opens(head) else {
            abandonUpstream()
            return refuse(.upstreamProtocolError)
        }
        if worker.isDraining {
            abandonUpstream()
            return refuse(.overloaded, closing: true)
        }
        answer.isBegun = true
        message.isLast = true
        message.pending = ResponseRewriter.upgraded(head, id: record.id)
        self.head = ByteBuffer()
        body = BodyDecoder(.untilClose, limits: WireLimits())
        request.isComplete = false
        client?.pumpBody()
    }

    /// Ends an open tunnel from here: both sides are told where a frame can be put in, and nothing more of either passes.
    ///
    /// A client that has not yet taken what was sent gets no more of it: the connection is cut.
    func closeTunnel(_ tunnel: WebSocketTunnel, _ code: WebSocketCloseCode, reason: String = "", ending: AccessRecord.Ending) {
        guard !isEnded else { return }
        record.ending = ending
        if tunnel.takesCloseToServer, let upstream {
            var bytes = ByteBuffer()
            bytes.writeWebSocketClose(code, reason: reason, mask: UInt32.random(in: .min ... .max))
            upstream.write(bytes)
            upstream.flushRequest()
        }
        abandonUpstream()
        guard tunnel.takesCloseToClient, case .connection(let connection) = client, connection.unsentBytes == 0 else {
            client?.abort(.withdrawn)
            return finish()
        }
        var pending = message.pending
        pending.writeWebSocketClose(code, reason: reason)
        message.pending = pending
        flushMessage(connection)
        complete(keepAlive: false)
    }
}
