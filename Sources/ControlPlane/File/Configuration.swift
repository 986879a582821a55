package import Policy

/// The file, read and checked: plain values with every default filled in and every reference resolved (SPEC §6).
///
/// Made by `ConfigurationReader` alone; whoever holds one needs to check nothing again. Paths are resolved against the file's folder.
/// Certificates and private keys of listeners are named, not loaded; the keys of credentials are loaded and checked.
package struct Configuration: Sendable {
    /// The file's path as it was given: what problems and the log call it.
    package var path: String
    package var listeners: [Listener]
    /// Where `/healthz` is served in plain HTTP; nil where the file has no `probes`.
    package var probes: ListenAddress?
    /// Path of the SQLite database that keeps suspensions.
    package var ledger: String
    /// Event loops; nil means one per core.
    package var threads: Int?
    /// `DirectoryIndex` is the place in this list: the directories in the file's order.
    package var directories: [DirectorySettings]
    package var credentials: [CredentialSettings]
    package var upstreams: [UpstreamSettings]
    /// In the file's order: `routes[n].index == n`.
    package var routes: [Route]
    /// The envelope of refusals before a route is known.
    package var errors: Envelope
    /// Networks in CIDR notation, host bits zero, whose `X-Forwarded-*`, `Forwarded` and `X-Request-ID` are believed.
    package var trustedProxies: [String]
    package var limits: LimitSettings
    package var timeouts: TimeoutSettings
    package var log: LogSettings
}

/// One user namespace of the file with the dialect that its user service speaks.
package struct DirectorySettings: Sendable {
    package var name: String
    /// The dialect file's; for a directory without one: `required`, `flat`, its formats and nothing to learn.
    package var dialect: Dialect
    /// The dialect file's path; nil where there is none.
    package var dialectPath: String?
}

/// One group of servers that hold the same service.
package struct UpstreamSettings: Sendable {
    package var name: String
    package var servers: [UpstreamServer]
    /// The path that every server puts before what is forwarded: canonical, no trailing slash, empty for none. The same on all servers.
    package var base: [UInt8]
    /// The users whose service it is; nil where it has none.
    package var directory: DirectoryIndex?
    /// Milliseconds until a connection stands.
    package var connectTimeoutMilliseconds: Int64
    /// Milliseconds until the first byte of an answer; what a route's `timeout` overrides (already resolved in `Route`).
    package var firstByteTimeoutMilliseconds: Int64
    /// Milliseconds without a byte within an answer.
    package var idleTimeoutMilliseconds: Int64
    /// Milliseconds that an unused connection is kept.
    package var keepAliveMilliseconds: Int64
    /// Connections to one server that an event loop may have open.
    package var connections: Int
}

/// One server of an upstream: a name or an address, and a port.
package struct UpstreamServer: Hashable, Sendable {
    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    package var host: String
    package var port: Int
}

/// Bounds that the file may set; defaults and reasons in `Limits`.
package struct LimitSettings: Sendable {
    /// Bytes of a compact JWS.
    package var token = Limits.token
    /// Bytes of a message's head.
    package var headers = Limits.headers
    /// Bytes of a request's body where the route says nothing else.
    package var body = Limits.body
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
    /// Between two requests of a connection.
    package var idleMilliseconds: Int64 = 75_000
    /// After SIGTERM, until what is left is cut.
    package var drainMilliseconds: Int64 = 30_000
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
