// The one retry (SPEC §5).
extension Exchange {
    /// Whether the request is sent again although it has been sent: it does no harm twice, its body was not consumed, no answer has begun,
    /// and there is reason to hope: a kept connection had just grown too old, or another server is there. What has taken its whole time
    /// already is not repeated. (A request of which nothing was sent is the pool's: it tries every server. Suspend calls never come here.)
    func mayRepeat(after failure: UpstreamFailure, wasReused: Bool) -> Bool {
        guard request.isRepeatable, suspendCall == nil, !answer.isBegun else { return false }
        return switch failure {
        case .closed: wasReused || pool.hasOther(than: request.server)
        case .malformed: pool.hasOther(than: request.server)
        case .timedOut: false
        }
    }

    /// Sends it again, on a new connection, to another server where there is one.
    func repeatOnce() {
        request.isRetried = true
        pool.board.retried()
        lease()
    }
}
