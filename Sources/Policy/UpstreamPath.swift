/// How a route's paths are called at its upstream: `strip_prefix` is taken off, the upstream's `base` is put before (SPEC §5).
///
/// Dialect calls and what they require are matched on the result, and the result is what is sent.
package struct UpstreamPath: Hashable, Sendable {
    /// Canonical, with a leading and without a trailing slash; empty for none.
    package let stripPrefix: [UInt8]
    package let base: [UInt8]

    package init(stripPrefix: [UInt8] = [], base: [UInt8] = []) {
        self.stripPrefix = stripPrefix
        self.base = base
    }

    /// Whether every path is called the same at the upstream, so that nothing need be written.
    package var isIdentity: Bool { stripPrefix.isEmpty && base.isEmpty }

    /// Writes the path to send for a canonical `path` of the route, without its query. Of nothing remaining there is at least `/`.
    package func append(_ path: Span<UInt8>, to out: inout [UInt8]) {
        let start = out.count
        out += base
        for index in remainder(of: path)..<path.count { out.append(path[index]) }
        if out.count == start { out.append(UInt8(ascii: "/")) }
    }

    /// Where the path goes on after `stripPrefix`: at a slash or at its end. A path that doesn't have the prefix keeps everything;
    /// `RouteAudit` refuses routes that could be given one.
    private func remainder(of path: Span<UInt8>) -> Int {
        guard path.count >= stripPrefix.count else { return 0 }
        for index in stripPrefix.indices where path[index] != stripPrefix[index] { return 0 }
        let isWhole = path.count == stripPrefix.count || path[stripPrefix.count] == UInt8(ascii: "/")
        return isWhole ? stripPrefix.count : 0
    }
}
