/// The address of a document that the gateway itself fetches: a key set, an issuer's metadata (SPEC §2).
///
/// `https`, or `http` to this machine's loopback alone: what comes by it decides who is believed.
package struct FetchURL: Hashable, Sendable {
    package let isSecure: Bool
    /// In lower case; an IPv6 address without its brackets.
    package let host: String
    package let port: UInt16
    /// Path and query as they are asked for; begins with `/`.
    package let target: String
    /// `host[:port]` as it stands in `Host`: the port where it isn't the scheme's.
    package let authority: String
    /// Whether `host` is an IP address rather than a name.
    package let isAddress: Bool

    /// Reads an absolute URL (RFC 3986 §4.3) without userinfo and fragment, in visible ASCII, at most `Limits.fetchURL` bytes.
    package init(_ text: String) throws(FetchURLError) {
        guard text.utf8.count <= Limits.fetchURL, text.utf8.allSatisfy(Self.isAllowed) else { throw .malformed }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard text.dropFirst(scheme.utf8.count).hasPrefix("://") else { throw .malformed }
        let rest = text.dropFirst(scheme.utf8.count + 3)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let written = Array(rest[..<end].lowercased().utf8)
        guard !text.contains("#"), let name = try? HostName(written.span) else { throw .malformed }
        isSecure = scheme == "https"
        guard isSecure || scheme == "http" else { throw .insecure }
        let text = String(decoding: written[name.host], as: UTF8.self)
        let standard: UInt16 = isSecure ? 443 : 80
        port = name.port ?? standard
        host = text.hasPrefix("[") ? String(text.dropFirst().dropLast()) : text
        isAddress = HostName.isAddress(written.span.extracting(name.host))
        authority = port == standard ? text : "\(text):\(port)"
        target = rest[end...].hasPrefix("/") ? String(rest[end...]) : "/\(rest[end...])"
        guard isSecure || Self.isLoopback(host) else { throw .insecure }
    }

    /// The URL without its query, which may hold what is nobody's business: for the log.
    package var shown: String {
        "\(isSecure ? "https" : "http")://\(authority)\(target.prefix { $0 != "?" })"
    }

    /// What RFC 3986 lets stand in a URL, `#` apart (and `[` and `]`, which `HostName` looks at).
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"), UInt8(ascii: "^"), UInt8(ascii: "`"),
            UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
            false
        default: 0x21...0x7E ~= byte
        }
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.utf8.allSatisfy { $0 < UInt8(ascii: ":") })
    }
}

/// Why a URL is not fetched.
package enum FetchURLError: Error, Equatable, Sendable, CustomStringConvertible {
    case malformed
    /// Neither https nor http to the loopback.
    case insecure

    package var description: String {
        switch self {
        case .malformed: "it is no absolute URL without user and fragment"
        case .insecure: "only https is fetched, and http from this machine's loopback"
        }
    }
}
