import HTTPWire
import NIOCore
import Policy

// The request's way upstream.
extension Exchange {
    /// Asks the upstream's pool for a connection.
    func lease(fresh: Bool) {
        request.isLeasing = true
        worker.pools[route.upstream].lease(for: self, fresh: fresh)
    }

    /// Whether a connection that becomes free is still wanted.
    var wantsConnection: Bool { request.isLeasing && !isEnded }

    /// The pool's answer: a connection. Whoever had to wait is asked about again before the first byte goes out.
    func leased(_ connection: UpstreamConnection) {
        request.isLeasing = false
        if !worker.stillAdmits(admission) {
            worker.pools[route.upstream].release(connection)
            if let suspendCall { return suspendCall.withdrawn() }
            return refuse(.userSuspended)
        }
        upstream = connection
        progressed = worker.clock.now
        record.forwarded = worker.clock.now
        connection.begin(self, method: request.method)
        connection.write(head)
        if request.isComplete { connection.requestEnded() }
        suspendCall?.sendBody(to: connection)
        if !request.isComplete { client?.pumpBody() }
        connection.flush()
    }

    /// The pool's answer: none to be had.
    func leaseFailed(_ denial: Denial) {
        request.isLeasing = false
        if let suspendCall { return suspendCall.notSent(denial) }
        refuse(denial)
    }

    /// What the client is to do: go on sending the body, wait, or send what it likes (a further request, which is bounded elsewhere).
    enum BodyDemand { case more, wait, indifferent }

    var bodyDemand: BodyDemand {
        if request.isComplete { return .indifferent }
        if let suspendCall { return suspendCall.isCollecting ? .more : .indifferent }
        guard let upstream else { return .indifferent }
        return upstream.isWritable ? .more : .wait
    }

    /// Takes what has arrived of the request's body.
    func take(_ input: inout ByteBuffer) {
        guard !isEnded, !request.isComplete, suspendCall?.isCollecting ?? (upstream != nil) else { return }
        do {
            var moved = false
            reading: while !isEnded {
                switch try body.next(&input) {
                case .needMore: break reading
                case .data(let piece):
                    moved = true
                    guard takeBody(piece) else { return }
                case .end(let trailers):
                    moved = true
                    endBody(trailers: trailers)
                    break reading
                }
            }
            if moved {
                progressed = worker.clock.now
                upstream?.flush()
            }
        } catch {
            bodyFailed(Denial(error))
        }
    }

    /// False when the body is too large.
    private func takeBody(_ piece: ByteBuffer) -> Bool {
        request.bodyBytes += piece.readableBytes
        record.bytesIn += piece.readableBytes
        if let suspendCall {
            guard suspendCall.collect(piece) else { return false }
            return true
        }
        guard request.bodyBytes <= route.bodyLimit else {
            bodyFailed(.bodyTooLarge)
            return false
        }
        guard request.framing == .chunked else {
            upstream?.write(piece)
            return true
        }
        var size = ByteBuffer()
        ChunkEncoder.writeSize(piece.readableBytes, into: &size)
        upstream?.write(size)
        upstream?.write(piece)
        upstream?.write(Self.chunkEnd)
        return true
    }

    private func endBody(trailers: MessageHead?) {
        request.isComplete = true
        if let suspendCall { return suspendCall.collected() }
        if request.framing == .chunked {
            var last = ByteBuffer()
            writeLast(trailers, into: &last)
            upstream?.write(last)
        }
        upstream?.requestEnded()
    }

    private static let chunkEnd = ByteBuffer(staticString: "\r\n")

    /// The end of a chunked body, with the trailer fields that came (the decoder has refused those that must not).
    func writeLast(_ trailers: MessageHead?, into buffer: inout ByteBuffer) {
        if let trailers {
            ChunkEncoder.writeLast(trailers: trailers, keeping: { !$0.isHopByHop }, into: &buffer)
        } else {
            ChunkEncoder.writeLast(into: &buffer)
        }
    }

    /// A body that breaks a rule: the request is cut off upstream and refused, or broken off where an answer has begun.
    private func bodyFailed(_ denial: Denial) {
        abandonUpstream()
        if answer.isBegun {
            record.ending = .cut(denial)
            client?.abort()
            finish()
        } else {
            refuse(denial, closing: true)
        }
    }

    /// The upstream's connection takes more, or no more for now.
    func upstreamWritabilityChanged(_ writable: Bool) {
        guard !isEnded, !request.isComplete else { return }
        worker.clock.read()
        if writable { client?.pumpBody() } else { client?.setReading(false) }
    }
}
