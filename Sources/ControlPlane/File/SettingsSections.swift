import Policy

/// `limits:`
enum LimitsSection {
    static let token = Key("token", .size("512", "64KiB"), .byDefault("8KiB"), "Bytes of a token.")
    static let headers = Key("headers", .size("1KiB", "256KiB"), .byDefault("32KiB"), "Bytes of a request's or answer's head.")
    static let body = Key(
        "body", .size("0", "1024GiB"), .byDefault("10MiB"), "Bytes of a request's body; a route's `body_limit` goes before.")
    static let bodyRate = Key(
        "body_rate", .size("0", "1MiB"), .byDefault("\(Limits.bodyRate)"),
        "Bytes a second that a client must send of a body, or take of an answer, on average; `0`: no bound.")
    static let connections = Key(
        "connections", .integer(1...1_000_000), .byDefault("20000"), "Client connections of all listeners together.")
    static let perSource = Key(
        "connections_per_source", .integer(1...1_000_000), .byDefault("1000"), "Client connections from one IPv4 address or IPv6 /64.")
    static let openSuspendCalls = Key(
        "open_suspend_calls", .integer(1...64), .byDefault("\(Limits.openIntents)"), "Suspend calls that one caller may have open.")
    static let suspendCallsPerMinute = Key(
        "suspend_calls_per_minute", .integer(1...100_000), .byDefault("\(Limits.intentsPerMinute)"),
        "Suspend calls that one caller may make in a minute.")
    static let shape = SectionShape(
        "limits",
        [
            token.declaration, headers.declaration, body.declaration, bodyRate.declaration, connections.declaration, perSource.declaration,
            openSuspendCalls.declaration, suspendCallsPerMinute.declaration,
        ], later: ["requests_per_second", "rate", "tenants"])

    static func read(_ section: Section) -> LimitSettings {
        var settings = LimitSettings()
        section[token].map { settings.token = Int($0) }
        section[headers].map { settings.headers = Int($0) }
        section[body].map { settings.body = Int($0) }
        section[bodyRate].map { settings.bodyRate = $0 }
        section[connections].map { settings.connections = $0 }
        section[perSource].map { settings.connectionsPerSource = $0 }
        section[openSuspendCalls].map { settings.openSuspendCalls = $0 }
        section[suspendCallsPerMinute].map { settings.suspendCallsPerMinute = $0 }
        if settings.token >= settings.headers {
            section.refuse(
                section.has(token) ? token : headers, "a token of `token` bytes doesn't fit in a head of `headers` bytes",
                fix: "raise `headers` or lower `token`")
        }
        if settings.connectionsPerSource > settings.connections {
            if section.has(perSource) {
                section.refuse(perSource, "one source may have more connections than all together", fix: "lower it, or raise `connections`")
            }
            settings.connectionsPerSource = settings.connections
        }
        return settings
    }
}

/// `timeouts:`
enum TimeoutsSection {
    static let handshake = Key("handshake", .duration("100ms", "5m"), .byDefault("10s"), "From accept to the end of the TLS handshake.")
    static let header = Key("header", .duration("100ms", "5m"), .byDefault("10s"), "From a request's first byte to the end of its head.")
    static let body = Key(
        "body", .duration("100ms", "1h"), .byDefault("30s"),
        "The longest silence of a client that owes body bytes or doesn't take an answer's.")
    static let bodyGrace = Key(
        "body_grace", .duration("100ms", "5m"), .byDefault("5s"),
        "How far behind `limits.body_rate` a request's body may begin, and any body fall while others wait for a connection to its service."
    )
    static let idle = Key("idle", .duration("100ms", "1h"), .byDefault("75s"), "Between two requests of a connection.")
    static let webSocket = Key(
        "websocket", .duration("1s", "24h"), .byDefault("10m"), "The longest silence of an open WebSocket, in both directions.")
    static let drainDelay = Key(
        "drain_delay", .duration("0s", "10m"), .byDefault("0s"),
        "After SIGTERM: how long `/readyz` says no while everything is served as before, so that balancers notice.")
    static let drain = Key("drain", .duration("0s", "1h"), .byDefault("30s"), "After that, until what is left is cut.")
    static let shape = SectionShape(
        "timeouts",
        [
            handshake.declaration, header.declaration, body.declaration, bodyGrace.declaration, idle.declaration, webSocket.declaration,
            drainDelay.declaration, drain.declaration,
        ])

    static func read(_ section: Section) -> TimeoutSettings {
        var settings = TimeoutSettings()
        section[handshake].map { settings.handshakeMilliseconds = $0 }
        section[header].map { settings.headerMilliseconds = $0 }
        section[body].map { settings.bodyMilliseconds = $0 }
        section[bodyGrace].map { settings.bodyGraceMilliseconds = $0 }
        section[idle].map { settings.idleMilliseconds = $0 }
        section[webSocket].map { settings.webSocketMilliseconds = $0 }
        section[drainDelay].map { settings.drainDelayMilliseconds = $0 }
        section[drain].map { settings.drainMilliseconds = $0 }
        return settings
    }
}

/// `metrics:`
enum MetricsSection {
    static let tenants = Key(
        "tenants", .integer(0...1000), .byDefault("0"),
        "Tenants that requests are counted by: the first so many that are seen; all others count as `other`.")
    static let shape = SectionShape("metrics", [tenants.declaration])

    static func read(_ section: Section) -> MetricsSettings {
        var settings = MetricsSettings()
        section[tenants].map { settings.tenants = $0 }
        return settings
    }
}

/// `log:`
enum LogSection {
    static let to = Key("to", .logDestination, .byDefault("stdout"), "`stdout`, `off`, or the path of a file that lines are appended to.")
    static let users = Key<UserWord>("users", .choice, .byDefault("hashed"), "User ids as a keyed hash, or as they are.")
    static let shape = SectionShape("log", [to.declaration, users.declaration])

    enum UserWord: String, CaseIterable { case hashed, plain }

    static func read(_ value: Either<LogSettings.Destination, Section>) -> LogSettings {
        switch value {
        case .first(let destination): return LogSettings(destination: destination)
        case .second(let section):
            let (destination, users) = (section[to], section[users])
            return LogSettings(destination: destination ?? .standardOutput, plainUsers: users == .plain)
        }
    }
}

extension Kind where Value == LogSettings.Destination {
    static var logDestination: Kind {
        var kind: Kind = outputPath.convert { path, node, reading in
            switch node {
            case .scalar("stdout", _, _): .standardOutput
            case .scalar("off", _, _): .off
            default: .file(path)
            }
        }
        kind.schema = .object([("anyOf", .array([kind.schema, .object([("const", .boolean(false))])]))])
        return kind
    }

    /// `stdout` and `off` are no paths: they are passed over.
    private static var outputPath: Kind<String> {
        let text = Kind<String>.text("path", bytes: 4096)
        return text.convert { written, node, reading in
            if written == "stdout" || written == "off" { return written }
            return reading.output(written, at: node.place)
        }
    }
}

extension Kind where Value == String {
    /// `sqlite:PATH` of a database that exists or can be made.
    static var ledger: Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^sqlite:.+"))])
        return Kind(name: "`sqlite:PATH`", schema: schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, _, let place) = node, text.hasPrefix("sqlite:"), text != "sqlite:" else {
                return reading.refuse(node, expected: "sqlite:PATH", fix: "for example `sqlite:var/tenantgate.db`")
            }
            return reading.output(String(text.dropFirst("sqlite:".count)), at: place)
        }
    }
}
