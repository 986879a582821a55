import Policy

// The maps within an entry of `upstreams`.

/// `tls:`
enum UpstreamTLSSection {
    static let authorities = Key(
        "ca", .file, .optional("those that the system trusts"),
        "A PEM file of the authorities that alone are trusted to know the servers.")
    static let name = Key(
        "name", .peerName, .optional("the host in each server's URL"),
        "The host name or address that the servers' certificates must be for; also sent as SNI.")
    static let certificate = Key(
        "certificate", .file, .optional("none is shown"),
        "PEM file of the certificate for servers that ask for one, then its intermediates.")
    static let key = Key("key", .secretFile, .optional("none is shown"), "PEM file with its private key.")
    static let shape = SectionShape(
        "upstream_tls", [authorities.declaration, name.declaration, certificate.declaration, key.declaration])

    static func read(_ section: Section) -> UpstreamTLSSettings? {
        let (authorities, name) = (section[authorities], section[name])
        let (certificate, key) = (section[certificate], section[key])
        if section.has(Self.certificate) != section.has(Self.key) {
            let (there, missing) =
                section.has(Self.certificate) ? (Self.certificate.name, Self.key.name) : (Self.key.name, Self.certificate.name)
            section.reading.problems.error(section.place(there), "`\(there)` without `\(missing)`", fix: "name both, or neither")
            return nil
        }
        guard authorities != nil || !section.has(Self.authorities), name != nil || !section.has(Self.name) else { return nil }
        guard section.has(Self.certificate) else {
            return UpstreamTLSSettings(
                authorities: authorities?.path, name: name, certificate: nil, place: authorities?.place ?? section.place)
        }
        guard let certificate, let key else { return nil }
        let files = CertificateFiles(chain: certificate.path, key: key.path, chainPlace: certificate.place, keyPlace: key.place)
        return UpstreamTLSSettings(
            authorities: authorities?.path, name: name, certificate: files, place: authorities?.place ?? section.place)
    }
}

/// `ejection:`
enum EjectionSection {
    static let failures = Key(
        "failures", .integer(1...1000), .byDefault("3"),
        "Failures in a row (no connection, no answer in time, no HTTP) after which a server is left out.")
    static let time = Key(
        "time", .duration("100ms", "1h"), .byDefault("10s"), "For how long; each time that no request succeeds in between, twice as long.")
    static let maximum = Key("maximum", .duration("100ms", "24h"), .byDefault("5m"), "The longest time.")
    static let shape = SectionShape("ejection", [failures.declaration, time.declaration, maximum.declaration])

    typealias Rules = (failures: Int, timeMilliseconds: Int64, maximumMilliseconds: Int64)

    static func read(_ value: Either<Section, Off>) -> Rules? {
        guard case .first(let section) = value else { return (0, 0, 0) }
        guard case (let failures?, let time?, let maximum?) = (section[failures], section[time], section[maximum]) else { return nil }
        guard time <= maximum else {
            section.refuse(
                section.has(Self.time) ? Self.time : Self.maximum, "`time` is longer than `maximum`", fix: "lower `time` or raise `maximum`"
            )
            return nil
        }
        return (failures, time, maximum)
    }
}

/// `circuit_breaker:`
enum CircuitSection {
    static let timeouts = Key(
        "timeouts", .integer(1...100_000), .byDefault("50"),
        "Requests in a row that waited in vain, for a connection or for an answer, after which others are refused at once.")
    static let open = Key(
        "open", .duration("100ms", "10m"), .byDefault("5s"), "How long until one request tries it again.")
    static let shape = SectionShape("circuit_breaker", [timeouts.declaration, open.declaration])

    typealias Rules = (timeouts: Int, openMilliseconds: Int64)

    static func read(_ value: Either<Section, Off>) -> Rules? {
        guard case .first(let section) = value else { return (0, 0) }
        guard case (let timeouts?, let open?) = (section[timeouts], section[open]) else { return nil }
        return (timeouts, open)
    }
}

/// `health:`
enum HealthSection {
    static let path = Key("path", .requestTarget, .required, "What is asked for by GET, behind the servers' base: a 2xx is good.")
    static let interval = Key("interval", .duration("100ms", "1h"), .byDefault("5s"), "Between two checks of a server.")
    static let timeout = Key("timeout", .duration("10ms", "5m"), .byDefault("2s"), "How long one may take.")
    static let healthy = Key("healthy", .integer(1...100), .byDefault("2"), "Good checks in a row that bring a server back.")
    static let unhealthy = Key("unhealthy", .integer(1...100), .byDefault("3"), "Bad checks in a row that take a server out.")
    static let shape = SectionShape(
        "health", [path.declaration, interval.declaration, timeout.declaration, healthy.declaration, unhealthy.declaration])

    static func read(_ section: Section) -> HealthSettings? {
        let (path, interval, timeout) = (section[path], section[interval], section[timeout])
        guard let path, let interval, let timeout, case (let healthy?, let unhealthy?) = (section[healthy], section[unhealthy]) else {
            return nil
        }
        return HealthSettings(
            path: path, intervalMilliseconds: interval, timeoutMilliseconds: timeout, healthy: healthy, unhealthy: unhealthy)
    }
}

extension Kind where Value == String {
    /// A host name or an address without brackets.
    fileprivate static var peerName: Kind {
        let schema: SchemaValue = .object([
            ("type", .string("string")), ("minLength", .integer(1)), ("maxLength", .integer(Limits.hostName)),
        ])
        return .scalar("host", schema: schema, example: "users.example.com") { text in
            if NumericAddress(text) != nil { return text }
            let bytes = Array(text.utf8)
            guard let name = try? HostName(bytes.span), name.port == nil, !text.hasPrefix("[") else { return nil }
            return text
        }
    }

    /// A path with or without a query, as it is sent.
    fileprivate static var requestTarget: Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^/[!\"$-~]*$"))])
        return .scalar("path", schema: schema, example: "/healthz") { text in
            guard text.hasPrefix("/"), text.utf8.count <= 1024, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x23 }) else {
                return nil
            }
            return text
        }
    }
}
