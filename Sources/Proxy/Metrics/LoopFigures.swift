package import Tokens

/// What one loop has counted, copied out of it.
package struct LoopFigures: Sendable {
    let routes: RowFigures
    let odd: [OddEnding: Int]
    let observed: [OddEnding: Int]
    let upstreams: RowFigures
    let tenants: [String: [EndingCode: Int]]
    let blockTimes: HistogramFigures
    let handshakes: [HandshakeKind: Int]
    let handshakeFailures: [Int]
    let connectionsAccepted: Int
    let connectionsRefused: Int
    let proxyRefusals: [Int]
    let protocols: [RequestProtocol: Int]
    /// Set by the worker, which knows these.
    var connectionsOpen = 0
    var tokens = TokenFigures()
    var pools: [PoolFigures] = []
}

/// How one loop's pool stands.
package struct PoolFigures: Sendable {
    package let upstream: String
    package var idle = 0
    /// Carrying a request.
    package var busy = 0
    /// Being made.
    package var connecting = 0
    /// Requests that wait for a connection.
    package var waiting = 0
}

/// Everything that all loops have counted, by label.
package struct GatewayFigures: Sendable {
    /// What requests are told apart by.
    package struct RequestLabels: Hashable, Sendable {
        package let route: String
        package let code: EndingCode
        package let status: UInt16
    }

    package struct UpstreamFigures: Sendable {
        package var durations = HistogramFigures()
        package var connects = 0
        package var connectFailures = 0
        package var pool: PoolFigures
    }

    package private(set) var requests: [RequestLabels: Int] = [:]
    /// Requests that were forwarded although the route would have refused them, were it not observing.
    package private(set) var observed: [RequestLabels: Int] = [:]
    package private(set) var durations: [String: HistogramFigures] = [:]
    package private(set) var upstreams: [String: UpstreamFigures] = [:]
    package private(set) var tenants: [String: [EndingCode: Int]] = [:]
    package private(set) var blockTimes = HistogramFigures()
    package private(set) var handshakes: [HandshakeKind: Int] = [:]
    package private(set) var handshakeFailures: [HandshakeFailure: Int] = [:]
    package private(set) var connectionsAccepted = 0
    package private(set) var connectionsRefused = 0
    package private(set) var proxyRefusals: [ProxyRefusal: Int] = [:]
    package private(set) var protocols: [RequestProtocol: Int] = [:]
    package private(set) var connectionsOpen = 0
    package private(set) var tokens = TokenFigures()

    package init() {}

    /// Adds what one loop has counted.
    mutating func add(_ loop: LoopFigures) {
        addRequests(of: loop)
        addUpstreams(of: loop)
        for (tenant, counts) in loop.tenants { tenants[tenant, default: [:]].merge(counts, uniquingKeysWith: +) }
        blockTimes.add(loop.blockTimes)
        handshakes.merge(loop.handshakes, uniquingKeysWith: +)
        for failure in HandshakeFailure.allCases { handshakeFailures[failure, default: 0] += loop.handshakeFailures[failure.rawValue] }
        connectionsAccepted += loop.connectionsAccepted
        connectionsRefused += loop.connectionsRefused
        for refusal in ProxyRefusal.allCases { proxyRefusals[refusal, default: 0] += loop.proxyRefusals[refusal.rawValue] }
        protocols.merge(loop.protocols, uniquingKeysWith: +)
        connectionsOpen += loop.connectionsOpen
        tokens.add(loop.tokens)
    }

    private mutating func addRequests(of loop: LoopFigures) {
        for (index, label) in loop.routes.labels.enumerated() {
            let row = loop.routes.row(index)
            for (offset, meaning) in RouteCells.meanings.enumerated() {
                let count = row[row.startIndex + offset]
                guard count > 0 else { continue }
                requests[RequestLabels(route: label, code: meaning.code, status: meaning.status), default: 0] += count
            }
            durations[label, default: HistogramFigures()].add(HistogramFigures(row[(row.startIndex + RouteCells.histogram)...]))
        }
        for (ending, count) in loop.odd { requests[RequestLabels(ending, in: loop.routes), default: 0] += count }
        for (ending, count) in loop.observed { observed[RequestLabels(ending, in: loop.routes), default: 0] += count }
    }

    private mutating func addUpstreams(of loop: LoopFigures) {
        for (index, label) in loop.upstreams.labels.enumerated() {
            let row = loop.upstreams.row(index)
            let histogram = row.startIndex + UpstreamCells.histogram
            var sum = upstreams[label] ?? UpstreamFigures(pool: PoolFigures(upstream: label))
            sum.durations.add(HistogramFigures(row[histogram..<histogram + DurationBuckets.cells]))
            sum.connects += row[row.startIndex + UpstreamCells.connects]
            sum.connectFailures += row[row.startIndex + UpstreamCells.failures]
            upstreams[label] = sum
        }
        for pool in loop.pools {
            upstreams[pool.upstream]?.pool.idle += pool.idle
            upstreams[pool.upstream]?.pool.busy += pool.busy
            upstreams[pool.upstream]?.pool.connecting += pool.connecting
            upstreams[pool.upstream]?.pool.waiting += pool.waiting
        }
    }
}

extension GatewayFigures.RequestLabels {
    fileprivate init(_ ending: OddEnding, in rows: RowFigures) {
        self.init(route: rows.labels[ending.row], code: ending.code, status: ending.status)
    }
}
