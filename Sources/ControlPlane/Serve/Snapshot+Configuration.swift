import Policy
package import Proxy
package import Suspensions
package import Tokens

extension Snapshot {
    /// What requests are judged by, out of a checked file. Throws only what the check would have found.
    ///
    /// `authority` is one that judges tokens as the file says; nil makes one that comes after no other. `rates` holds the buckets of rate
    /// limits that go on; nil makes new ones where there are limits.
    package convenience init(
        _ configuration: Configuration, suspensions: SuspensionAuthority, authority: TokenAuthority? = nil, rates: RateTable? = nil,
        fleet: FleetMember? = nil
    ) throws {
        let isLimited = configuration.routes.contains { !$0.rates.isEmpty }
        var trusted = AddressSet()
        for network in configuration.trustedProxies { _ = trusted.insert(network) }
        var maker = UpstreamMaker()
        var confirmation: FleetConfirmation?
        if let fleet, fleet.acknowledgesAll { confirmation = { fleet.confirm($0) } }
        self.init(
            routes: configuration.routes,
            table: try RouteTable(configuration.routes),
            directories: configuration.directories.indices.map { index in
                Directory(
                    name: configuration.directories[index].name, dialect: configuration.directories[index].dialect,
                    aliases: configuration.aliases(of: index).map(\.rule))
            },
            upstreams: try configuration.upstreams.map { try maker.make($0) },
            authority: try authority ?? TokenAuthority(blocks: configuration.credentials, tokenLimit: configuration.limits.token),
            suspensions: suspensions,
            trustedProxies: trusted,
            errors: configuration.errors,
            limits: ConnectionLimits(configuration),
            logsPlainUsers: configuration.log.plainUsers,
            rates: rates ?? (isLimited ? RateTable() : nil),
            fleetConfirmation: confirmation)
    }
}

extension ConnectionLimits {
    fileprivate init(_ configuration: Configuration) {
        let (limits, timeouts) = (configuration.limits, configuration.timeouts)
        self.init(
            headers: limits.headers, connections: limits.connections, connectionsPerSource: limits.connectionsPerSource,
            handshake: timeouts.handshakeMilliseconds, head: timeouts.headerMilliseconds, keepAlive: timeouts.idleMilliseconds,
            idle: timeouts.bodyMilliseconds, tunnel: timeouts.webSocketMilliseconds, bodyRate: limits.bodyRate,
            bodyGrace: timeouts.bodyGraceMilliseconds)
    }
}
