import Policy

/// Which of an origin's failed fetches people are told of: the first, another where it fails in another way, and then one an hour for each
/// way while it lasts. However an issuer alternates, that is a handful of lines an hour.
struct FailureNews {
    /// When each way to fail was told last; milliseconds of a monotonic clock.
    private var told: [FetchFailure.Cause: Int64] = [:]
    /// A failure was told, and no good fetch since.
    private var isDown = false

    /// Whether this failure is to be told; it then has been.
    mutating func isNews(_ failure: FetchFailure, now: Int64) -> Bool {
        if let last = told[failure.cause.way], now - last < Limits.failureToldMilliseconds { return false }
        told[failure.cause.way] = now
        isDown = true
        return true
    }

    /// Whether a good fetch is to be told, because the failure before it was; it then has been.
    mutating func recovers() -> Bool {
        defer { isDown = false }
        return isDown
    }
}

extension FetchFailure.Cause {
    /// What stands for all causes of one trouble: an issuer that can't be reached shows by any of three, now this and now that.
    fileprivate var way: Self {
        switch self {
        case .dns, .connect, .timeout: .connect
        default: self
        }
    }
}
