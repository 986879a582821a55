/// Which pages of other origins may use a route from a browser, and how (Fetch §3.2, "CORS protocol").
///
/// It protects nothing by itself: a program that is no browser isn't held to it. It lets a browser show a page what it asked for.
package struct CORSRule: Sendable, Hashable {
    package enum Origins: Sendable, Hashable {
        /// `"*"`: every page; never with credentials.
        case any
        /// Serialised origins, compared by their exact bytes, as browsers send them.
        case listed([[UInt8]])
    }

    package var origins: Origins
    /// What `Access-Control-Allow-Methods` says.
    package var methods: [[UInt8]]
    /// What `Access-Control-Allow-Headers` says.
    package var headers: [String]
    /// What `Access-Control-Expose-Headers` says: answers' fields that a page may read.
    package var exposed: [String]
    /// Whether a page may have the browser send cookies and client certificates. A token that the page adds itself needs none of this.
    package var allowsCredentials: Bool
    /// For how long a browser may remember a preflight's answer.
    package var maxAgeSeconds: Int64

    package init(
        origins: Origins, methods: [[UInt8]], headers: [String], exposed: [String], allowsCredentials: Bool, maxAgeSeconds: Int64
    ) {
        self.origins = origins
        self.methods = methods
        self.headers = headers
        self.exposed = exposed
        self.allowsCredentials = allowsCredentials
        self.maxAgeSeconds = maxAgeSeconds
    }

    /// Methods of a route that takes every one.
    package static let commonMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].map { Array($0.utf8) }
}

/// An origin as browsers write it: scheme, host and port in normal form (RFC 6454 §6.2, HTML "serialization of an origin").
package enum WebOrigin {
    /// Why `text` is not one that a browser would send, with what to write instead; nil where it is.
    package static func problem(_ text: String) -> (what: String, fix: String)? {
        if text == "null" {
            return ("`null` is the origin of every sandboxed page, whoever wrote it", "give the page an origin of its own")
        }
        let example = "for example `https://app.example`, without a path or slash at the end"
        let bytes = Array(text.utf8)
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return ("`\(text)` is no origin", example) }
        let scheme = text[..<colon]
        let authority = Array(text[colon...].dropFirst(3).utf8)
        guard isScheme(scheme), !bytes.contains(where: { $0 <= 0x20 || $0 >= 0x7F }), let name = try? HostName(authority.span) else {
            return ("`\(text)` is no origin", text.contains("*") ? "write out each origin: patterns are not taken" : example)
        }
        var normal = "\(scheme.lowercased())://\(String(decoding: authority[name.host], as: UTF8.self).lowercased())"
        if let port = name.port, port != defaultPort(scheme.lowercased()) { normal += ":\(port)" }
        guard normal == text else { return ("browsers don't write the origin `\(text)` so, and would never match it", "write `\(normal)`") }
        return nil
    }

    private static func isScheme(_ scheme: Substring) -> Bool {
        guard let first = scheme.utf8.first, lowercased(first) >= 97, lowercased(first) <= 122 else { return false }
        return scheme.utf8.allSatisfy { byte in
            (97...122).contains(lowercased(byte)) || (48...57).contains(byte) || [43, 45, 46].contains(byte)
        }
    }

    private static func defaultPort(_ scheme: String) -> UInt16? {
        switch scheme {
        case "https", "wss": 443
        case "http", "ws": 80
        default: nil
        }
    }
}
