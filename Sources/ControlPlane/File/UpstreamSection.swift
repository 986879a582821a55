import Policy

/// One entry of `upstreams`.
enum UpstreamSection {
    static let servers = Key(
        "servers", .list(of: Kind.serverURL.located, 1...64), .required,
        "Its servers: `http://HOST:PORT[/BASE]`, `https://HOST:PORT[/BASE]` or `unix:PATH`; the base, and whether it is TLS, the same on all."
    )
    static let directory = Key(
        "directory", Kind.text("name of a directory", bytes: 64).located, .optional("only routes with `credential: none` may use it"),
        "Whose users it serves.")
    static let connectTimeout = Key("connect_timeout", .duration("10ms", "5m"), .byDefault("2s"), "Until a connection stands.")
    static let firstByteTimeout = Key(
        "first_byte_timeout", .duration("10ms", "1h"), .byDefault("30s"), "Until an answer begins; a route's `timeout` goes before.")
    static let idleTimeout = Key("idle_timeout", .duration("10ms", "24h"), .byDefault("60s"), "The longest silence within an answer.")
    static let keepalive = Key(
        "keepalive", .duration("100ms", "1h"), .byDefault("30s"), "How long an unused connection is kept for the next request.")
    static let connections = Key(
        "connections", .integer(1...65536), .byDefault("256"),
        "Connections to one server from one event loop; beyond, requests get `overloaded`.")
    static let waiting = Key(
        "waiting", .integer(0...65536), .byDefault("1024"),
        "Requests that wait for a connection on one event loop; beyond, they get `overloaded`.")
    static let callerShare = Key(
        "caller_share", .integer(1...100), .byDefault("\(Limits.callerShare)"),
        "Percent of these connections that one caller may have, less where several want as many; `100`: no bound.")
    static let tls = Key(
        "tls", .section(UpstreamTLSSection.shape), .byDefault("{}"), "How `https` servers are verified, and what they are shown.")
    static let ejection = Key(
        "ejection", Kind.section(EjectionSection.shape).or(.off), .byDefault("{}"),
        "When a server that fails requests is left out while others go on; `off`: never.")
    static let circuit = Key(
        "circuit_breaker", Kind.section(CircuitSection.shape).or(.off), .byDefault("{}"),
        "When requests are refused because others wait in vain; `off`: never.")
    static let health = Key(
        "health", .section(HealthSection.shape), .optional("servers are not checked"), "How servers are asked whether they are well.")
    static let shape = SectionShape(
        "upstream",
        [
            servers.declaration, directory.declaration, connectTimeout.declaration, firstByteTimeout.declaration, idleTimeout.declaration,
            keepalive.declaration, connections.declaration, waiting.declaration, callerShare.declaration, tls.declaration,
            ejection.declaration, circuit.declaration, health.declaration,
        ], later: ["http2", "proxy_protocol"])

    static func read(_ name: String, _ section: Section, directories: NameTable) -> UpstreamSettings? {
        let servers = section[servers]
        let directory = section[directory].flatMap { directories.resolve($0, "directory", section.reading.problems) }
        let times = (section[connectTimeout], section[firstByteTimeout], section[idleTimeout], section[keepalive])
        let (connections, waiting, callerShare) = (section[connections], section[waiting], section[callerShare])
        let (ejection, circuit, health) = (
            section[ejection].flatMap(EjectionSection.read), section[circuit].flatMap(CircuitSection.read),
            section[health].flatMap(HealthSection.read)
        )
        let tls = section[tls].flatMap(UpstreamTLSSection.read)
        guard let servers, let first = servers.first, case (let connect?, let firstByte?, let idle?, let keepalive?) = times,
            let connections, let waiting, let callerShare, let ejection, let circuit, let tls, health != nil || !section.has(Self.health)
        else { return nil }
        checkServers(servers, section)
        return UpstreamSettings(
            name: name, servers: servers.map(\.value.server), base: first.value.base, directory: directory,
            connectTimeoutMilliseconds: connect, firstByteTimeoutMilliseconds: firstByte, idleTimeoutMilliseconds: idle,
            keepAliveMilliseconds: keepalive, connections: connections, waiting: waiting, callerShare: callerShare,
            tls: first.value.isSecure ? tls : nil, ejection: ejection, circuit: circuit, health: health)
    }

    /// What the servers of one upstream must have in common.
    private static func checkServers(_ servers: [Located<ServerURL>], _ section: Section) {
        let first = servers[0]
        for other in servers.dropFirst() where other.value.base != first.value.base {
            section.reading.problems.error(
                other.place, "the servers of one upstream must have the same path", fix: "make them the same, or make two upstreams")
        }
        for (index, server) in servers.enumerated() where servers[..<index].contains(where: { $0.value.server == server.value.server }) {
            section.reading.problems.error(server.place, "this server is listed twice", fix: "remove one")
        }
        if let other = servers.first(where: { $0.value.isSecure != first.value.isSecure }) {
            section.reading.problems.error(
                other.place, "the servers of one upstream must all be `https`, or none",
                fix: "write the same scheme for all, or make two upstreams")
        } else if !first.value.isSecure, section.has(tls) {
            section.refuse(tls, "`tls` is for `https` servers", fix: "write `https://` for the servers, or remove it")
        }
    }
}
