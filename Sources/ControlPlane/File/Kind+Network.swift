import Policy

// Addresses, servers, networks, hosts and methods.

extension Kind where Value == ListenAddress {
    /// `0.0.0.0:8443`, `[::]:8443`.
    static var listenAddress: Kind { listenAddress(orUnix: false) }

    /// The same, or `unix:PATH`.
    static var listenerAddress: Kind { listenAddress(orUnix: true) }

    private static func listenAddress(orUnix takesUnix: Bool) -> Kind {
        let network = "([0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}"
        let pattern = takesUnix ? "^(\(network)|unix:.+)$" : "^\(network)$"
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string(pattern))])
        return Kind(name: "address", schema: schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, _, let place) = node else { return reading.refuse(node, expected: "an address") }
            if takesUnix, let path = UnixPath.read(text, at: place, reading) {
                return path.map { ListenAddress(host: "", port: 0, isIPv6: false, path: $0) }
            }
            if let (host, port) = NumericAddress.endpoint(text) {
                return ListenAddress(host: host, port: port, isIPv6: host.utf8.contains(UInt8(ascii: ":")))
            }
            return reading.refuse(
                node, expected: "a numeric address and a port", fix: "for example `0.0.0.0:8443`, or `\"[::]:8443\"` for IPv6")
        }
    }
}

/// `unix:PATH`, on both sides.
enum UnixPath {
    /// Bytes that the system has room for (unix(7), `sun_path` with its zero).
    static let bound = 107

    /// The path as the process opens it; nil within for one that was reported, nil for what isn't meant as one.
    static func read(_ text: String, at place: Place, _ reading: Reading) -> String?? {
        guard text.hasPrefix("unix:") else { return nil }
        let path = reading.resolve(String(text.dropFirst("unix:".count)))
        guard text != "unix:", !path.utf8.contains(0), path.utf8.count <= bound else {
            reading.problems.error(
                place, "`\(text)` is no path of 1…\(bound) bytes, which is all that the system has room for",
                fix: "for example `unix:/run/tenantgate/gateway.sock`")
            return .some(nil)
        }
        return path
    }
}

/// A server as the file writes it, with the path that it puts before everything.
struct ServerURL: Sendable {
    let server: UpstreamServer
    let isSecure: Bool
    /// Canonical, no trailing slash, empty for none.
    let base: [UInt8]
}

extension Kind where Value == ServerURL {
    /// `http://host:port[/base]`, `https://host:port[/base]`, `unix:path`.
    static var serverURL: Kind {
        let schema: SchemaValue = .object([
            ("type", .string("string")), ("pattern", .string("^(https?://[^/?#@]+(/[^?#]*)?|unix:.+)$")),
        ])
        return Kind(name: "URL", schema: schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, _, let place) = node else { return reading.refuse(node, expected: "a server's URL") }
            if let path = UnixPath.read(text, at: place, reading) {
                return path.map { ServerURL(server: .unix(path: $0), isSecure: false, base: []) }
            }
            guard let (scheme, defaultPort) = [("http://", 80), ("https://", 443)].first(where: { text.hasPrefix($0.0) }) else {
                return reading.refuse(
                    node, expected: "a server's URL", fix: "write `http://HOST:PORT`, `https://HOST:PORT` or `unix:/PATH`")
            }
            let rest = text.dropFirst(scheme.count)
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            guard let server = server(String(rest[..<slash]), defaultPort) else {
                return reading.refuse(
                    node, expected: "\(scheme)HOST:PORT",
                    fix: "write a host name or an address (IPv6 in brackets) and a port of 1…65535")
            }
            guard let base = CanonicalPrefix.read(String(rest[slash...]), at: place, reading) else { return nil }
            return ServerURL(server: server, isSecure: defaultPort == 443, base: base)
        }
    }

    private static func server(_ authority: String, _ defaultPort: Int) -> UpstreamServer? {
        let bytes = Array(authority.utf8)
        guard let name = try? HostName(bytes.span) else { return nil }
        var host = String(decoding: bytes[name.host], as: UTF8.self)
        if host.hasPrefix("[") { host = String(host.dropFirst().dropLast()) }
        return UpstreamServer(host: host, port: name.port.map { Int($0) } ?? defaultPort)
    }
}

/// A path that is put before others or taken off them.
enum CanonicalPrefix {
    /// The prefix without its trailing slash, empty for `/` or nothing; nil after reporting one that isn't in normal form.
    static func read(_ text: String, at place: Place, _ reading: Reading) -> [UInt8]? {
        var bytes = Array(text.utf8)
        if bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        if bytes.isEmpty { return [] }
        switch try? RequestPath.canonical(bytes.span) {
        case .asReceived?: return bytes
        case .rewritten(let canonical)?:
            reading.problems.error(
                place, "the path `\(text)` is not in its normal form", fix: "write `\(String(decoding: canonical, as: UTF8.self))`")
        case nil:
            reading.problems.error(
                place, "the path `\(text)` can be read in more than one way",
                fix: "write a plain path: no `.`, `..`, `//`, `;`, query or escapes of them")
        }
        return nil
    }
}

extension Kind where Value == String {
    /// `10.0.0.0/8`, `fd00::/8`, or one address.
    static var network: Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$"))])
        return Kind(name: "CIDR network", schema: schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, _, let place) = node else { return reading.refuse(node, expected: "a network") }
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let address = NumericAddress(String(parts[0])) else {
                return reading.refuse(node, expected: "a network in CIDR notation", fix: "for example `10.0.0.0/8` or `fd00::/8`")
            }
            let all = address.bytes.count * 8
            guard let bits = parts.count == 1 ? all : NumericAddress.port(parts[1]), bits <= all else {
                return reading.refuse(node, expected: "a prefix length of 0…\(all)", fix: "for example `\(parts[0])/\(all)`")
            }
            guard address.isZero(after: bits) else {
                reading.problems.error(
                    place, "`\(text)` has bits set after its first \(bits)", fix: "write the network's first address, or a longer prefix")
                return nil
            }
            return text
        }
    }
}

extension Kind where Value == HostPattern {
    /// `api.example.com`, `*.example.com`, `*`.
    static var host: Kind {
        let schema: SchemaValue = .object([
            ("type", .string("string")), ("minLength", .integer(1)), ("maxLength", .integer(Limits.hostName)),
        ])
        return Kind(name: "host", schema: schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, _, _) = node else { return reading.refuse(node, expected: "a host") }
            guard let host = HostPattern(text) else {
                return reading.refuse(node, expected: "a host without a port", fix: "for example `api.example.com`, or `*.example.com`")
            }
            return host
        }
    }
}

extension Kind where Value == [UInt8] {
    /// An upper-case method; TRACE and CONNECT are never forwarded.
    static var method: Kind {
        let schema: SchemaValue = .object([("type", .string("string")), ("pattern", .string("^[A-Z0-9_-]{1,32}$"))])
        return Kind(name: "method", schema: schema, forms: [.scalar]) { node, reading in
            guard case .scalar(let text, _, let place) = node else { return reading.refuse(node, expected: "a method") }
            guard text != "TRACE", text != "CONNECT" else {
                reading.problems.error(place, "\(text) is never forwarded", fix: "remove it")
                return nil
            }
            let isToken =
                (1...32).contains(text.utf8.count)
                && text.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }
            guard isToken else {
                return reading.refuse(
                    node, expected: "a method in upper case", fix: "write `\(text.uppercased())`: methods are case-sensitive")
            }
            return Array(text.utf8)
        }
    }
}
