package import Policy

/// What has become of suspend and reactivate calls since the start, counted for the metrics.
package struct CallTally: Sendable, Equatable {
    /// How a call ended: at the upstream, or before it was sent.
    package enum Ending: String, Sendable, CaseIterable {
        case confirmed, refused, unconfirmed
        case notSent = "not_sent"
        /// Turned away before: 503 `suspension_busy`, 429 `rate_limited`, 503 `suspension_not_durable`, 503 while draining.
        case busy, draining
        case rateLimited = "rate_limited"
        case notDurable = "not_durable"
    }

    /// How a read of a user ended.
    package enum ReadEnding: String, Sendable, CaseIterable {
        case suspended, active, absent, useless, sick
        /// Something happened to the user meanwhile, so that the answer may be older than it.
        case overtaken
    }

    private var suspensions = Array(repeating: 0, count: Ending.allCases.count)
    private var reactivations = Array(repeating: 0, count: Ending.allCases.count)
    /// Users who were blocked because an answer to another call showed them as suspended.
    package internal(set) var seenSuspended = 0
    /// Reads of users by how they ended.
    package internal(set) var reads: [ReadEnding: Int] = [:]
    /// Users whose unconfirmed call was settled by a read, by what it showed.
    package internal(set) var settled: [UserState: Int] = [:]
    /// Transactions that the ledger could not write, and all that it was given.
    package internal(set) var ledgerErrors = 0
    package internal(set) var ledgerWrites = 0

    package init() {}

    /// Calls that wanted this state and ended so.
    package func count(_ wanted: UserState, _ ending: Ending) -> Int {
        (wanted == .suspended ? suspensions : reactivations)[ending.place]
    }

    mutating func note(_ wanted: UserState, _ ending: Ending) {
        if wanted == .suspended { suspensions[ending.place] += 1 } else { reactivations[ending.place] += 1 }
    }
}

extension CallTally.Ending {
    fileprivate var place: Int { Self.allCases.firstIndex(of: self)! }

    init(_ outcome: UpstreamOutcome) {
        self =
            switch outcome {
            case .confirmed: .confirmed
            case .refused: .refused
            case .notSent: .notSent
            case .unconfirmed: .unconfirmed
            }
    }

    /// Nil where the call goes on.
    init?(_ beginning: Beginning) {
        switch beginning {
        case .proceed: return nil
        case .busy: self = .busy
        case .tooMany: self = .rateLimited
        case .notDurable: self = .notDurable
        case .draining: self = .draining
        }
    }
}
