package import Policy

/// One suspend or reactivate call that a caller wants made, its body already judged (SPEC §4 step 1).
package struct IntentCall: Sendable, Equatable {
    /// Whom.
    package let subject: Subject
    /// What.
    package let wanted: UserState
    /// Who.
    package let caller: Caller
    /// The request's id, for the ledger.
    package let requestID: [UInt8]
    /// `on_unknown: suspend`: an unconfirmed suspension blocks.
    package let suspendsOnUnknown: Bool

    package init(subject: Subject, wanted: UserState, caller: Caller, requestID: [UInt8], suspendsOnUnknown: Bool = false) {
        self.subject = subject
        self.wanted = wanted
        self.caller = caller
        self.requestID = requestID
        self.suspendsOnUnknown = suspendsOnUnknown
    }
}

/// Who makes suspend calls: the unit of the limits and the name in the log.
///
/// The text is chosen by the maker, so that no two callers share one: `jitsudo:0190…` for a user, `192.0.2.7` for an address.
package struct Caller: Hashable, Sendable {
    package let name: [UInt8]
    package init(_ name: [UInt8]) { self.name = name }
    package init(_ name: String) { self.init(Array(name.utf8)) }
}

/// Leave to forward one suspend or reactivate call. Every ticket must come back to `finish` exactly once.
package struct Ticket: Hashable, Sendable {
    let number: Int64
}

/// What became of asking for leave.
package enum Beginning: Sendable, Equatable {
    /// Forward the call now. The intent is durable; where the ledger can't be written, a suspension goes on all the same.
    case proceed(Ticket)
    /// 503 `suspension_busy`: other calls for this user took too long, or the caller already has one waiting.
    case busy
    /// 429 `rate_limited` with `Retry-After` in seconds.
    case tooMany(retryAfter: Int, CallLimit)
    /// 503 `suspension_not_durable`: a reactivation whose intent can't be written is not forwarded.
    case notDurable
    /// The gateway is going down: nothing is forwarded any more.
    case draining
}

/// What the forwarded call came to (SPEC §4 steps 5 and 6).
package enum UpstreamOutcome: Sendable, Equatable {
    /// A 2xx that taught the intended state.
    case confirmed
    /// A 4xx other than 408 and 409: nothing changed.
    case refused(status: UInt16)
    /// No byte reached the upstream.
    case notSent
    /// Anything else: the state at the upstream is unknown. The cause is a short word for the log: `timeout`, `status 500`.
    case unconfirmed(cause: String)
}

/// What the client may be told.
package enum Conclusion: Sendable, Equatable {
    /// Confirmed, in force here and durable: pass the answer on.
    case settled
    /// Refused or not sent: nothing changed.
    case unchanged
    /// The last confirmed state stays in force, unless `blocked` says that `on_unknown: suspend` has blocked the user.
    case unconfirmed(blocked: Bool)
    /// 503 `suspension_not_durable`. A suspension is in force in memory; a reactivation has not lifted the block.
    case notDurable
}

/// Which bound of a caller's suspend calls a call is over.
package enum CallLimit: Sendable, Equatable {
    case open, perMinute

    /// The key of the file.
    package var key: String {
        switch self {
        case .open: "limits.open_suspend_calls"
        case .perMinute: "limits.suspend_calls_per_minute"
        }
    }
}
