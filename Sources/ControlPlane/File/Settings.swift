import Policy

/// Bounds that the file may set; defaults and reasons in `Limits`.
package struct LimitSettings: Sendable {
    /// Bytes of a compact JWS.
    package var token = Limits.token
    /// Bytes of a message's head.
    package var headers = Limits.headers
    /// Bytes of a request's body where the route says nothing else.
    package var body = Limits.body
    /// Bytes a second that a client who owes a body must send on average; 0: no bound.
    package var bodyRate = Limits.bodyRate
    /// Client connections of all listeners.
    package var connections = 20_000
    /// Client connections from one source address (IPv6: /64).
    package var connectionsPerSource = 1_000
    /// Suspend calls that one caller may have open.
    package var openSuspendCalls = Limits.openIntents
    /// Suspend calls that one caller may make in a minute.
    package var suspendCallsPerMinute = Limits.intentsPerMinute
}

/// Times on the client's side, in milliseconds.
package struct TimeoutSettings: Sendable {
    /// From accept to the end of the TLS handshake.
    package var handshakeMilliseconds: Int64 = 10_000
    /// From a request's first byte to the end of its head.
    package var headerMilliseconds: Int64 = 10_000
    /// The longest silence of a client that owes body bytes or doesn't take an answer's.
    package var bodyMilliseconds: Int64 = 30_000
    /// What a client may be behind `body_rate` at the beginning.
    package var bodyGraceMilliseconds = Limits.bodyGraceMilliseconds
    /// Between two requests of a connection.
    package var idleMilliseconds: Int64 = 75_000
    /// The longest silence of an open WebSocket, in both directions.
    package var webSocketMilliseconds: Int64 = 600_000
    /// After SIGTERM, while `/readyz` says no already and everything is served as before.
    package var drainDelayMilliseconds: Int64 = 0
    /// After that, until what is left is cut.
    package var drainMilliseconds: Int64 = 30_000
}

/// What is told at `/metrics`.
package struct MetricsSettings: Equatable, Sendable {
    /// Tenants that have a label of their own.
    package var tenants = 0
}

/// The access log.
package struct LogSettings: Equatable, Sendable {
    /// Where its lines go.
    package enum Destination: Equatable, Sendable {
        case standardOutput
        case file(String)
        case off
    }

    package var destination: Destination = .standardOutput
    /// `users: plain`: user ids as they are; else as a keyed hash.
    package var plainUsers = false
}
