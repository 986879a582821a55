import NIOCore
import Policy
package import TLS

/// A service to forward to: its servers and the bounds of talking to them.
package struct Upstream: Sendable, Equatable {
    package let name: String
    /// The name as a JSON string, for the log.
    let label: [UInt8]
    package let servers: [Server]
    /// Path prefix put before the forwarded path, canonical, no trailing slash; empty for none.
    package let base: [UInt8]
    /// Nil for plain HTTP.
    package let tls: UpstreamTLS?
    package let times: Times
    package let bounds: Bounds
    package let ejection: EjectionRules
    package let circuit: CircuitRules
    /// Nil where servers are not checked.
    package let health: HealthRules?

    /// Where a server is reached.
    package enum Server: Sendable, Hashable {
        /// A name or an IP literal (IPv6 without brackets). Names are resolved off the loop.
        case network(host: String, port: Int)
        case unix(path: String)
    }

    /// Milliseconds.
    package struct Times: Sendable, Equatable {
        /// Until a connection must stand, its TLS handshake done.
        package let connect: Int64
        /// Between two bytes of a body or an answer.
        package let idle: Int64
        /// For which an unused connection is kept.
        package let keepAlive: Int64

        package init(connect: Int64, idle: Int64, keepAlive: Int64) {
            self.connect = connect
            self.idle = idle
            self.keepAlive = keepAlive
        }
    }

    /// What one event loop may have of it.
    package struct Bounds: Sendable, Equatable {
        /// Connections to one server, which are as many requests.
        package let connections: Int
        /// Requests that wait for a connection: beyond, 503 `overloaded`.
        package let waiting: Int
        /// Percent of the connections that one caller may have while nobody else has many.
        package let callerShare: Int

        package init(connections: Int, waiting: Int, callerShare: Int = Limits.callerShare) {
            self.connections = connections
            self.waiting = waiting
            self.callerShare = callerShare
        }
    }

    package init(
        name: String, servers: [Server], base: [UInt8], tls: UpstreamTLS?, times: Times, bounds: Bounds, ejection: EjectionRules,
        circuit: CircuitRules, health: HealthRules?
    ) {
        self.name = name
        label = JSONText.quoted(name)
        self.servers = servers
        self.base = base
        self.tls = tls
        self.times = times
        self.bounds = bounds
        self.ejection = ejection
        self.circuit = circuit
        self.health = health
    }
}

/// How an upstream is spoken to in TLS.
package struct UpstreamTLS: Sendable, Equatable {
    /// Whom the gateway believes, and what it shows.
    let context: TLSClientContext
    /// The name that the servers' certificates must be for, and SNI; nil: the name or address in each server's URL.
    let name: String?

    package init(context: TLSClientContext, name: String?) {
        self.context = context
        self.name = name
    }

    /// By what the files hold: a reload that changes nothing in them keeps connections and sessions.
    package static func == (one: Self, other: Self) -> Bool { one.name == other.name && one.context.identity == other.context.identity }

    /// Whose certificate `server` must show.
    func identity(of server: Upstream.Server) -> TLSServerIdentity {
        let name = name ?? server.host
        return server.isAddress(name) ? .address(name) : .name(name)
    }
}

/// When a server that fails is left out, and for how long. Milliseconds.
package struct EjectionRules: Sendable, Equatable {
    /// Failures in a row; 0: never.
    package let failures: Int
    /// The first time; each further one in a row takes twice as long.
    package let time: Int64
    package let maximum: Int64

    package init(failures: Int, time: Int64, maximum: Int64) {
        self.failures = failures
        self.time = time
        self.maximum = maximum
    }

    /// No server is ever left out.
    package static let off = EjectionRules(failures: 0, time: 0, maximum: 0)
}

/// When an upstream that doesn't answer is spared requests, and for how long.
package struct CircuitRules: Sendable, Equatable {
    /// Requests in a row that waited in vain; 0: never.
    package let timeouts: Int
    /// Milliseconds until one request tries it again.
    package let open: Int64

    package init(timeouts: Int, open: Int64) {
        self.timeouts = timeouts
        self.open = open
    }

    package static let off = CircuitRules(timeouts: 0, open: 0)
}

/// How servers are asked whether they are well.
package struct HealthRules: Sendable, Equatable {
    /// Path and query, as they are sent.
    package let path: String
    /// Milliseconds between two checks, and for one of them.
    package let interval: Int64
    package let timeout: Int64
    /// Checks in a row that bring a server back, and that take it out.
    package let healthy: Int
    package let unhealthy: Int

    package init(path: String, interval: Int64, timeout: Int64, healthy: Int, unhealthy: Int) {
        self.path = path
        self.interval = interval
        self.timeout = timeout
        self.healthy = healthy
        self.unhealthy = unhealthy
    }
}

extension Upstream.Server: CustomStringConvertible {
    /// As people and metrics call it: `users.internal:8443`, `[::1]:80`, `unix:/run/app.sock`.
    package var description: String {
        switch self {
        case .network(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// The `Host` of requests that are the gateway's own.
    var authority: String {
        if case .unix = self { "localhost" } else { description }
    }

    fileprivate var host: String {
        if case .network(let host, _) = self { host } else { "localhost" }
    }

    fileprivate func isAddress(_ name: String) -> Bool { (try? SocketAddress(ipAddress: name, port: 0)) != nil }

    /// Its socket's address; nil for a name.
    var address: SocketAddress? {
        switch self {
        case .network(let host, let port): try? SocketAddress(ipAddress: host, port: port)
        case .unix(let path): try? SocketAddress(unixDomainSocketPath: path)
        }
    }
}
