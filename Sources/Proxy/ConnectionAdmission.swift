import Synchronization

/// Who may connect: a bound for all connections and one for each source address (IPv6 by /64), shared by all loops.
///
/// Asked once per connection, never per request, so a lock is cheap enough.
final class ConnectionAdmission: Sendable {
    private let state: Mutex<State>

    private struct State {
        var limits: ConnectionLimits
        var total = 0
        var bySource: [SourceAddress: Int] = [:]
    }

    init(limits: ConnectionLimits) {
        state = Mutex(State(limits: limits))
    }

    /// Counts by other limits from now on. Connections that stand beyond them stay.
    func take(_ limits: ConnectionLimits) { state.withLock { $0.limits = limits } }

    /// Counts a connection in as soon as it is accepted; false where there are as many as may be.
    func reserve() -> Bool {
        state.withLock { state in
            guard state.total < state.limits.connections else { return false }
            state.total += 1
            return true
        }
    }

    /// Counts a reserved connection out that came to nothing.
    func release() { state.withLock { $0.total -= 1 } }

    /// Counts a reserved connection to its source; false, and it is counted out, where that has as many as it may.
    ///
    /// Nil stands for a Unix socket, whose clients can't be told apart: only the bound for all connections holds for them.
    func settle(_ address: SourceAddress?) -> Bool {
        guard let source = address?.source else { return true }
        return state.withLock { state in
            guard state.bySource[source, default: 0] < state.limits.connectionsPerSource else {
                state.total -= 1
                return false
            }
            state.bySource[source, default: 0] += 1
            return true
        }
    }

    /// Counts a connection out that was let in.
    func leave(_ address: SourceAddress?) {
        let source = address?.source
        state.withLock { state in
            state.total -= 1
            guard let source, let count = state.bySource[source] else { return }
            state.bySource[source] = count == 1 ? nil : count - 1
        }
    }

    /// Whether another connection may be accepted at all.
    var hasRoom: Bool { state.withLock { $0.total < $0.limits.connections } }
}
