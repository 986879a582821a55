import Policy

/// One entry of `upstreams`.
enum UpstreamSection {
    static let servers = Key(
        "servers", .list(of: Kind.serverURL.located, 1...64), .required,
        "Its servers: `http://HOST:PORT[/BASE]`, the base being the same on all.")
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
    static let shape = SectionShape(
        "upstream",
        [
            servers.declaration, directory.declaration, connectTimeout.declaration, firstByteTimeout.declaration, idleTimeout.declaration,
            keepalive.declaration, connections.declaration,
        ], later: ["health", "ejection", "circuit_breaker", "tls", "ca", "client_certificate", "sni"])

    static func read(_ name: String, _ section: Section, directories: NameTable) -> UpstreamSettings? {
        let servers = section[servers]
        let directory = section[directory].flatMap { directories.resolve($0, "directory", section.reading.problems) }
        let times = (section[connectTimeout], section[firstByteTimeout], section[idleTimeout], section[keepalive])
        let connections = section[connections]
        guard let servers, let first = servers.first, case (let connect?, let firstByte?, let idle?, let keepalive?) = times,
            let connections
        else { return nil }
        for other in servers.dropFirst() where other.value.base != first.value.base {
            section.reading.problems.error(
                other.place, "the servers of one upstream must have the same path", fix: "make them the same, or make two upstreams")
        }
        for (index, server) in servers.enumerated() where servers[..<index].contains(where: { $0.value.server == server.value.server }) {
            section.reading.problems.error(server.place, "this server is listed twice", fix: "remove one")
        }
        return UpstreamSettings(
            name: name, servers: servers.map(\.value.server), base: first.value.base, directory: directory,
            connectTimeoutMilliseconds: connect, firstByteTimeoutMilliseconds: firstByte, idleTimeoutMilliseconds: idle,
            keepAliveMilliseconds: keepalive, connections: connections)
    }
}
