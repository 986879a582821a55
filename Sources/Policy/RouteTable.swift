/// All routes, ready to be asked: host first, then the most specific pattern, then the method, without falling through (SPEC §5).
///
/// Immutable, made when the file is loaded; a match allocates nothing.
package struct RouteTable: Sendable {
    private let hosts: HostTable
    private let groups: [Group]

    package enum Match: Equatable, Sendable {
        /// The route's place in the list that the table was made of.
        case route(Int)
        case notFound
        /// `allow` is the value of the `Allow` header; empty where no route serves the path (TRACE and CONNECT only).
        case methodNotAllowed(allow: String)
        case ambiguousPath
    }

    /// Throws the first of `conflicts(in: routes)`.
    package init(_ routes: [Route]) throws(RouteConflict) {
        if let conflict = Self.conflicts(in: routes).first { throw conflict }
        let hosts = Self.distinct(routes.map(\.host))
        self.hosts = HostTable(hosts)
        self.groups = hosts.map { host in Group(routes, of: host) }
    }

    /// The route of a request. `host` is the authority's host as `HostName` found it, `path` canonical and without its query;
    /// a trailing slash makes no difference.
    package func match(host: Span<UInt8>, path: Span<UInt8>, method: Span<UInt8>) -> Match {
        let isForbidden = MethodRule.isForbidden(method)
        guard let group = hosts.group(of: host) else { return isForbidden ? .methodNotAllowed(allow: "") : .notFound }
        let groups = groups.span
        switch groups[group].trie.match(path) {
        case .pattern(let resource): return groups[group].resources.span[resource].match(method, isForbidden)
        case .none, .misspelled: return isForbidden ? .methodNotAllowed(allow: "") : .notFound
        case .ambiguous: return isForbidden ? .methodNotAllowed(allow: "") : .ambiguousPath
        }
    }

    private static func distinct<Value: Hashable>(_ values: [Value]) -> [Value] {
        var seen: Set<Value> = []
        return values.filter { seen.insert($0).inserted }
    }

    /// The routes of one host.
    private struct Group: Sendable {
        let trie: PathTrie
        /// By pattern, as the trie counts them.
        let resources: [Methods]

        init(_ routes: [Route], of host: HostPattern) {
            let own = routes.indices.filter { routes[$0].host == host }
            let shapes = distinct(own.map { routes[$0].pattern.shape })
            trie = PathTrie(shapes.map { PathPattern(segments: $0) })
            resources = shapes.map { shape in Methods(routes, own.filter { routes[$0].pattern.shape == shape }) }
        }
    }

    /// The routes of one host and pattern, by method.
    private struct Methods: Sendable {
        private let methods: [(name: [UInt8], route: Int)]
        /// The route that takes every method.
        private let anyMethod: Int?
        private let allow: String

        init(_ routes: [Route], _ own: [Int]) {
            methods = own.flatMap { route in routes[route].methods.map { ($0, route) } }
            anyMethod = own.first { routes[$0].methods.isEmpty }
            let names = methods.map { String(decoding: $0.name, as: UTF8.self) }
            allow = anyMethod == nil ? RouteTable.distinct(names).sorted().joined(separator: ", ") : MethodRule.common
        }

        func match(_ method: Span<UInt8>, _ isForbidden: Bool) -> Match {
            if isForbidden { return .methodNotAllowed(allow: allow) }
            let methods = methods.span
            for index in methods.indices where MethodRule.equals(methods[index].name, method) { return .route(methods[index].route) }
            if let anyMethod, MethodRule.isUpperCase(method) { return .route(anyMethod) }
            return .methodNotAllowed(allow: allow)
        }
    }
}
