/// Two routes that no request could be told apart by, or a route that could never be taken.
package enum RouteConflict: Error, Equatable, Sendable {
    /// Same host, same pattern, same method: places in the list of routes, and a method that both take (`*` where both take every one).
    case overlap(first: Int, second: Int, method: String)
    /// TRACE, CONNECT, or not in upper case (methods are case-sensitive: `post` is another method than `POST`).
    case method(route: Int, name: String)
}

extension RouteTable {
    /// All conflicts, for a report that names every problem at once.
    package static func conflicts(in routes: [Route]) -> [RouteConflict] {
        var conflicts: [RouteConflict] = []
        var resources: [Resource: [Int]] = [:]
        for (index, route) in routes.enumerated() {
            for method in route.methods where MethodRule.isForbidden(method.span) || !MethodRule.isUpperCase(method.span) {
                conflicts.append(.method(route: index, name: String(decoding: method, as: UTF8.self)))
            }
            let resource = Resource(host: route.host, shape: route.pattern.shape)
            for earlier in resources[resource, default: []] {
                guard let shared = sharedMethod(routes[earlier].methods, route.methods) else { continue }
                conflicts.append(.overlap(first: earlier, second: index, method: shared))
            }
            resources[resource, default: []].append(index)
        }
        return conflicts
    }

    private static func sharedMethod(_ left: [[UInt8]], _ right: [[UInt8]]) -> String? {
        if left.isEmpty, right.isEmpty { return "*" }
        let shared = left.isEmpty ? right.first : right.isEmpty ? left.first : left.first { right.contains($0) }
        return shared.map { String(decoding: $0, as: UTF8.self) }
    }

    /// What routes merge by.
    private struct Resource: Hashable {
        let host: HostPattern
        let shape: [PathPattern.Segment]
    }
}
