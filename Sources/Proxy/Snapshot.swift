package import Policy
package import Suspensions
package import Tokens

/// Everything that requests are judged and forwarded by: read from the file, checked whole, never changed afterwards.
///
/// Loops hold a reference each; a change of the file makes a new snapshot. Shared between loops, so it is `Sendable` and immutable.
package final class Snapshot: Sendable {
    /// In the file's order.
    package let rules: [RouteRules]
    package let table: RouteTable
    package let directories: [Directory]
    package let upstreams: [Upstream]
    package let authority: TokenAuthority
    package let suspensions: SuspensionAuthority
    package let trustedProxies: AddressSet
    /// The envelope of refusals before a route is known.
    package let errors: Envelope
    package let limits: ConnectionLimits
    /// Whether the access log shows user ids as they are; otherwise as a keyed hash.
    package let logsPlainUsers: Bool
    /// The buckets of rate limits; nil without any.
    package let rates: RateTable?
    /// Answers, on any thread and after a second at the latest, whether a suspension that was confirmed before is in force at every gateway
    /// of the fleet; nil where nobody has to wait for that.
    package let fleetConfirmation: FleetConfirmation?

    package init(
        routes: [Route], table: RouteTable, directories: [Directory], upstreams: [Upstream], authority: TokenAuthority,
        suspensions: SuspensionAuthority, trustedProxies: AddressSet, errors: Envelope, limits: ConnectionLimits, logsPlainUsers: Bool,
        rates: RateTable? = nil, fleetConfirmation: FleetConfirmation? = nil
    ) {
        rules = routes.map { route in
            RouteRules(route, upstream: upstreams[route.upstream], directory: route.directory.map { directories[$0] }, rates: rates)
        }
        self.table = table
        self.directories = directories
        self.upstreams = upstreams
        self.authority = authority
        self.suspensions = suspensions
        self.trustedProxies = trustedProxies
        self.errors = errors
        self.limits = limits
        self.logsPlainUsers = logsPlainUsers
        self.rates = rates
        self.fleetConfirmation = fleetConfirmation
    }
}

/// Asks whether what was said so far is in force everywhere.
package typealias FleetConfirmation = @Sendable (@escaping @Sendable (Bool) -> Void) -> Void

/// One user namespace with its dialect, ready for use.
package struct Directory: Sendable {
    package let name: String
    package let dialect: Dialect
    /// The dialect's calls, matched on the path that goes upstream.
    package let calls: CallTable
    /// What reads the answers to each of the dialect's calls.
    package let readers: [AnswerReader]
    /// What reads the requests of those calls that suspend or reactivate; nil for the others.
    package let intents: [IntentReading?]
    /// What reads users' aliases in them; nil where there are none to be read.
    let aliasReaders: [AliasReader?]

    /// `aliases`: the dialect's rules that a credential block goes by; no others are read.
    package init(name: String, dialect: Dialect, aliases: [AliasRule] = []) {
        aliasReaders = dialect.calls.map { AliasReader($0, of: dialect, rules: aliases) }
        self.name = name
        self.dialect = dialect
        calls = CallTable(dialect.calls)
        readers = dialect.calls.map { AnswerReader($0, of: dialect) }
        intents = dialect.calls.map { IntentReading($0, of: dialect) }
    }
}

/// What one client connection may use. Milliseconds and bytes; set by the file's `limits` and `timeouts`.
package struct ConnectionLimits: Sendable {
    /// Bytes of a request's head: 431 beyond.
    package var headers: Int
    /// Client connections in all: beyond, accepting pauses.
    package var connections: Int
    /// Client connections from one IPv4 address or IPv6 /64: beyond, they are closed at once.
    package var connectionsPerSource: Int
    /// Milliseconds for a TLS handshake.
    package var handshake: Int64
    /// Milliseconds from a request's first byte to the end of its head: 408 beyond.
    package var head: Int64
    /// Milliseconds between two requests on a connection.
    package var keepAlive: Int64
    /// Milliseconds between two bytes of a request's body, or of an answer that the client reads.
    package var idle: Int64
    /// How fast a client must send a request's body.
    package var pace: BodyPace.Rule
    /// Milliseconds for which an open WebSocket may be silent in both directions.
    package var tunnel: Int64

    package init(
        headers: Int, connections: Int, connectionsPerSource: Int, handshake: Int64, head: Int64, keepAlive: Int64, idle: Int64,
        tunnel: Int64 = 600_000, bodyRate: Int64 = Limits.bodyRate, bodyGrace: Int64 = Limits.bodyGraceMilliseconds
    ) {
        self.headers = headers
        self.connections = connections
        self.connectionsPerSource = connectionsPerSource
        self.handshake = handshake
        self.head = head
        self.keepAlive = keepAlive
        self.idle = idle
        pace = BodyPace.Rule(rate: bodyRate, grace: bodyGrace, most: idle)
        self.tunnel = tunnel
    }
}
