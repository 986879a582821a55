package import Policy
package import Suspensions
package import Tokens

/// The file, read and checked: plain values with every default filled in and every reference resolved (SPEC §6).
///
/// Made by `Configuration.read(path:)` alone; whoever holds one needs to check nothing again. Paths are resolved against the file's folder.
/// Certificates and private keys of listeners are named, not loaded; the keys of credentials are loaded
/// and checked where the file has them.
package struct Configuration: Sendable {
    /// The file's path as it was given: what problems and the log call it.
    package var path: String
    package var listeners: [Listener]
    /// Where the probes are served in plain HTTP; nil where the file has no `probes`.
    package var probes: ListenAddress?
    /// The API and the dashboard; nil where the file has no `admin`.
    package var admin: AdminSettings?
    /// Path of the SQLite database that keeps suspensions.
    package var ledger: String
    /// Event loops; nil means one per core.
    package var threads: Int?
    /// `DirectoryIndex` is the place in this list: the directories in the file's order.
    package var directories: [DirectorySettings]
    /// In the file's order; keys loaded, but for those that are fetched.
    package var credentials: [CredentialBlock]
    /// Keys that are fetched, each origin once.
    package var fetchedKeys: [FetchedKeys]
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
    package var metrics: MetricsSettings
    /// Nil for a gateway by itself.
    package var fleet: FleetSettings?
    /// What each key at the top says, and where.
    package var traces: [String: SectionTrace]
}

/// One user namespace of the file with the dialect that its user service speaks.
package struct DirectorySettings: Sendable {
    package var name: String
    /// The dialect file's; for a directory without one: `required`, `flat`, its formats and nothing to learn.
    package var dialect: Dialect
    /// The dialect file's path; nil where there is none.
    package var dialectPath: String?
    /// Nil where the gateway reads no users by itself.
    package var service: ServiceSettings?
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
    /// Requests that may wait for a connection, on one event loop.
    package var waiting: Int
    /// Percent of its connections that one caller may have.
    package var callerShare: Int
    /// Nil where its servers are spoken to in plain HTTP.
    package var tls: UpstreamTLSSettings?
    /// Milliseconds; 0 failures mean that no server is ever left out.
    package var ejection: (failures: Int, timeMilliseconds: Int64, maximumMilliseconds: Int64)
    /// 0 timeouts mean that it never opens.
    package var circuit: (timeouts: Int, openMilliseconds: Int64)
    /// Nil where servers are not checked.
    package var health: HealthSettings?
}

/// One server of an upstream.
package enum UpstreamServer: Hashable, Sendable {
    /// A host name, an IPv4 address, or an IPv6 address without brackets; and a port.
    case network(host: String, port: Int)
    /// A Unix socket.
    case unix(path: String)

    package init(host: String, port: Int) { self = .network(host: host, port: port) }
}

/// How an upstream's servers are spoken to in TLS.
package struct UpstreamTLSSettings: Hashable, Sendable {
    /// A PEM file of the authorities that alone are trusted; nil means those that the system trusts.
    package var authorities: String?
    /// The host name or address that the certificates must be for; nil means that in each server's URL.
    package var name: String?
    /// What is shown to servers that ask for a certificate.
    package var certificate: CertificateFiles?
    /// Where the file says so.
    package var place: Place
}

/// How servers are asked whether they are well.
package struct HealthSettings: Hashable, Sendable {
    /// Path and query.
    package var path: String
    package var intervalMilliseconds: Int64
    package var timeoutMilliseconds: Int64
    /// Checks in a row.
    package var healthy: Int
    package var unhealthy: Int
}
