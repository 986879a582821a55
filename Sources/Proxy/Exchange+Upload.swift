import HTTPWire
import Policy

// A body that is still on its way: what it may hold, and how slow it may be.
extension Exchange {
    /// Whether the request waits for its body before it asks for a connection: a small one of declared length. The service has nothing to do
    /// before it is whole, and a client that sends it slowly holds nothing of the service's.
    var gathersBody: Bool {
        guard !request.isComplete, !request.expectsContinue, case .length(let length) = request.framing else { return false }
        return length <= Limits.gatheredBody && !isBodyAtHand
    }

    /// Whether the body has come whole, though not all of it was taken.
    private var isBodyAtHand: Bool {
        switch client {
        case .connection(let connection):
            if case .length(let length) = request.framing { length <= request.bodyBytes + connection.input.readableBytes } else { false }
        case .stream(_, let stream): stream.isInputEnded
        case nil: false
        }
    }

    /// Bytes of it that have come and were not taken.
    var bodyAtHand: Int { client?.bodyAtHand ?? 0 }

    /// Whether a connection would have to wait for the client.
    var isUploading: Bool { !request.isComplete && !isBodyAtHand }

    /// More of the body is there, and nobody takes it yet.
    func bodyArrived() {
        guard !isEnded, !request.isComplete, upstream == nil, suspendCall == nil else { return }
        if request.isGathering { progressed = worker.clock.now }
        guard isBodyAtHand else { return }
        if request.isGathering {
            request.isGathering = false
            lease()
        } else if request.isLeasing {
            pool.bodyCame(exchange: self)
        }
    }

    /// The body is whole, or not wanted any more: another upload may have its place.
    func uploadEnded() {
        guard request.isCountedUpload else { return }
        request.isCountedUpload = false
        pool.uploadEnded(self)
    }

    /// Whether the gateway would take more of the body now: what is late is the client's doing. An open tunnel is no body; where an answer has
    /// begun, the service knows what it waits for; and whoever waits for `100 Continue` may.
    var owesBody: Bool {
        guard !isEnded, !request.isComplete, !answer.isBegun, let client else { return false }
        if request.expectsContinue, !request.isInvited, request.bodyBytes == 0 { return false }
        if let suspendCall { return suspendCall.isCollecting }
        if let upstream { return upstream.isWritable }
        return !isBodyAtHand && client.bodyAtHand < client.bodyRoom
    }

    /// Whether the client sends as fast as it must. Called by the loop's tick.
    func sendsInTime(now: Int64) -> Bool {
        guard !request.isComplete, let client, tunnel == nil else { return true }
        let moved =
            switch client {
            case .connection: request.bodyBytes + client.bodyAtHand
            case .stream(_, let stream): max(stream.receivedLength, stream.shareOfBodies)
            }
        return request.pace.isKept(moved: moved, owes: owesBody, pressure, now: now, snapshot.limits.pace)
    }

    /// Whether others wait for the connection that it has.
    private var pressure: BodyPace.Pressure {
        guard upstream != nil, pool.isShort else { return .none }
        return pool.isGreedy(caller) ? .greedy : .others
    }

    /// Whether the client takes the answer as fast as it must, where that is all that is waited for. Called by the loop's tick.
    func takesInTime(now: Int64) -> Bool {
        guard answer.isBegun, isHeldByClient, let client else {
            answer.pace = nil
            return true
        }
        let taken = client.takenBytes
        var pace = answer.pace ?? BodyPace(counted: taken)
        defer { answer.pace = pace }
        return pace.isKept(moved: taken, owes: true, pressure, now: now, snapshot.limits.pace.ofAnswers)
    }
}
