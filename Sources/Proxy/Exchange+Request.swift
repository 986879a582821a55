import HTTPWire
import NIOCore
import Policy

// The request's way upstream.
extension Exchange {
    /// Asks the upstream's pool for a connection.
    func lease() {
        request.isLeasing = true
        pool.lease(for: self)
    }

    /// Whether it must not meet a stale connection: it can't be sent a second time.
    var needsFreshConnection: Bool { suspendCall != nil || request.isRetried }

    /// A bit for the server that has failed it already.
    var serversToAvoid: UInt64 { request.isRetried ? 1 << UInt64(request.server) : 0 }

    /// Whether a connection that becomes free is still wanted.
    var wantsConnection: Bool { request.isLeasing && !isEnded }

    /// The pool's answer: a connection. Whoever had to wait is asked about again before the first byte goes out.
    func leased(_ connection: UpstreamConnection) {
        request.isLeasing = false
        if let denial = snapshot.objection(to: admission) {
            pool.release(connection)
            let staleFor = denial == .tokenExpired ? admission.credential?.block : nil
            if let suspendCall { return suspendCall.withdrawn(denial, staleFor: staleFor) }
            return refuse(denial, staleFor: staleFor)
        }
        upstream = connection
        request.server = connection.server
        progressed = worker.clock.now
        record.forwarded = worker.clock.now
        connection.begin(self, method: request.method, upgrades: tunnel != nil)
        connection.write(head)
        if request.isComplete { connection.requestEnded() }
        suspendCall?.sendBody(to: connection)
        if !request.isComplete { client?.pumpBody() }
        connection.flushRequest()
    }

    /// The pool's answer: none to be had.
    func leaseFailed(_ denial: Denial, retryAfter: Int? = nil) {
        request.isLeasing = false
        if let suspendCall { return suspendCall.notSent(denial) }
        refuse(denial, retryAfter: retryAfter)
    }

    /// What the client is to do: go on sending the body, wait, or send what it likes (a further request, which is bounded elsewhere).
    enum BodyDemand { case more, wait, indifferent }

    var bodyDemand: BodyDemand {
        if request.isComplete { return .indifferent }
        if let suspendCall { return suspendCall.isCollecting ? .more : .indifferent }
        guard let upstream else { return request.isGathering ? .more : .indifferent }
        return upstream.isWritable ? .more : .wait
    }

    /// Whether body bytes that have arrived can be taken now: what the upstream's connection has no room for waits where it is.
    var takesBody: Bool {
        guard !isEnded, !request.isComplete else { return false }
        return suspendCall?.isCollecting ?? upstream?.isWritable ?? false
    }

    /// The next piece of the body that can be taken out of `input`; nil when there is none for now.
    ///
    /// Calls nobody back: whoever owns `input` may change it only when this has returned.
    func nextPiece(_ input: inout ByteBuffer) throws(WireError) -> BodyPiece? {
        guard takesBody else { return nil }
        let piece = try body.next(&input)
        if case .needMore = piece { return nil }
        return piece
    }

    /// Sends a piece of the body on, or collects it.
    func take(_ piece: BodyPiece) {
        progressed = worker.clock.now
        switch piece {
        case .needMore: break
        case .data(let bytes): takeBody(bytes)
        case .end(let trailers): endBody(trailers: trailers)
        }
    }

    private func takeBody(_ piece: ByteBuffer) {
        request.bodyBytes += piece.readableBytes
        record.bytesIn += piece.readableBytes
        if let suspendCall { return suspendCall.collect(piece) }
        if let tunnel {
            tunnel.followClient(piece)
        } else if request.bodyBytes > route.bodyLimit {
            return bodyFailed(.bodyTooLarge)
        }
        guard request.framing == .chunked else {
            upstream?.write(piece)
            return
        }
        if request.pending.readableBytes + piece.readableBytes > Self.joinBound { sendPending() }
        guard request.pending.readableBytes > 0 else {
            request.pending = piece
            return
        }
        var pending = ByteBuffer()
        swap(&pending, &request.pending)
        pending.writeImmutableBuffer(piece)
        request.pending = pending
    }

    /// Sends on what small chunks have brought, as one: a client that sends a byte in each must not cost the loop three writes for it.
    func sendPending() {
        guard request.pending.readableBytes > 0 else { return }
        var size = ByteBuffer()
        ChunkEncoder.writeSize(request.pending.readableBytes, into: &size)
        upstream?.write(size)
        upstream?.write(request.pending)
        upstream?.write(Self.chunkEnd)
        request.pending = ByteBuffer()
    }

    private func endBody(trailers: MessageHead?) {
        if let trailers {
            do throws(Denial) { try rules.check(trailers: trailers) } catch { return bodyFailed(error) }
        }
        request.isComplete = true
        uploadEnded()
        if let suspendCall { return suspendCall.collected() }
        if request.framing == .chunked {
            sendPending()
            var last = ByteBuffer()
            writeLast(trailers, into: &last)
            upstream?.write(last)
        }
        upstream?.requestEnded()
    }

    private static let chunkEnd = ByteBuffer(staticString: "\r\n")

    /// The end of a chunked body, with the trailer fields that came (those that must not were refused).
    func writeLast(_ trailers: MessageHead?, into buffer: inout ByteBuffer) {
        if let trailers {
            ChunkEncoder.writeLast(trailers: trailers, keeping: { !$0.isHopByHop }, into: &buffer)
        } else {
            ChunkEncoder.writeLast(into: &buffer)
        }
    }

    /// A body that breaks a rule: the request is cut off upstream and refused, or broken off where an answer has begun.
    func bodyFailed(_ denial: Denial) {
        abandonUpstream()
        if answer.isBegun {
            record.ending = .cut(denial)
            client?.abort(.withdrawn)
            finish()
        } else {
            refuse(denial, closing: true)
        }
    }

    /// The upstream's connection takes more, or no more for now.
    func upstreamWritabilityChanged(_ writable: Bool) {
        guard !isEnded, !request.isComplete else { return }
        worker.clock.read()
        if writable { client?.pumpBody() } else { client?.regulate() }
    }
}
