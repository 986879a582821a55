import Policy
import TLS

/// One loop's counters: fixed arrays that only this loop touches, so that counting takes no lock and no memory.
///
/// Rows belong to labels, not to places in a snapshot: a route that comes back after a change of the file goes on where it was, and what
/// one that is gone has counted stays (`Limits.goneMetricLabels` of them). Row 0 is for requests without a route.
final class LoopMetrics {
    /// Whose routes and upstreams the row tables below are for.
    private var snapshot: Snapshot
    private var rowOfRoute: [Int] = []
    private var routes = LabelledRows(width: RouteCells.count)
    private var odd: [OddEnding: Int] = [:]
    /// What routes that observe would have refused; `status` is what was answered.
    private var observed: [OddEnding: Int] = [:]

    private var rowOfUpstream: [Int] = []
    private var upstreams = LabelledRows(width: UpstreamCells.count)

    private var tenants: TenantCells?
    private var blockTimes = Array(repeating: 0, count: DurationBuckets.cells)
    /// By `HandshakeKind.cell`.
    private var handshakes = Array(repeating: 0, count: 4)
    /// By `HandshakeFailure`.
    private var handshakeFailures = Array(repeating: 0, count: HandshakeFailure.allCases.count)
    /// By `ProxyRefusal`.
    private var proxyRefusals = Array(repeating: 0, count: ProxyRefusal.allCases.count)
    private var protocols = (http1: 0, http2: 0, webSocket: 0)
    var connectionsAccepted = 0
    /// Closed at once, because their source had as many as it may.
    var connectionsRefused = 0

    /// The label of requests for which no route was found.
    static let noRoute = "-"

    init(snapshot: Snapshot, tenants: TenantNames?) {
        self.snapshot = snapshot
        self.tenants = tenants.map { TenantCells(names: $0) }
        adopt(snapshot)
    }

    /// From now on requests are mostly judged by `snapshot`. What was counted for what it names stays.
    func adopt(_ snapshot: Snapshot) {
        self.snapshot = snapshot
        _ = routes.row(of: Self.noRoute)
        if let moves = routes.adopt(CollectionOfOne(Self.noRoute) + snapshot.rules.map(\.metricsLabel)) {
            odd = OddEnding.moved(odd, moves)
            observed = OddEnding.moved(observed, moves)
        }
        _ = upstreams.adopt(snapshot.upstreams.map(\.name))
        rowOfRoute = snapshot.rules.map { routes.row(of: $0.metricsLabel) }
        rowOfUpstream = snapshot.upstreams.map { upstreams.row(of: $0.name) }
    }
}

// MARK: counting

extension LoopMetrics {
    /// Counts a request that has ended; `snapshot` is the one it was judged by. `now` is the loop's clock in nanoseconds.
    func count(_ record: borrowing AccessRecord, snapshot: Snapshot, now: Int64) {
        let isCurrent = snapshot === self.snapshot
        let row = record.route.map { isCurrent ? rowOfRoute[$0] : routes.row(of: snapshot.rules[$0].metricsLabel) } ?? 0
        if let cell = record.cell { routes.add(1, row, cell) } else { odd[record.oddEnding(row: row), default: 0] += 1 }
        if let denial = record.observed { observed[OddEnding(row: row, code: EndingCode(denial), status: record.status), default: 0] += 1 }
        routes.measure(now - record.started, row, RouteCells.histogram)
        // A WebSocket is one once its service has opened it.
        if record.isHTTP2 { protocols.http2 += 1 } else if record.status == 101 { protocols.webSocket += 1 } else { protocols.http1 += 1 }
        if tenants != nil, let tenant = record.tenant { tenants?.count(tenant, record.ending.metricsCode) }
        guard record.answered > 0, let upstream = record.upstream else { return }
        let upstreamRow = isCurrent ? rowOfUpstream[upstream] : upstreams.row(of: snapshot.upstreams[upstream].name)
        upstreams.measure(record.answered - record.forwarded, upstreamRow, UpstreamCells.histogram)
    }

    /// A connection to an upstream was asked for; whether it stands now.
    func connected(_ isConnected: Bool, upstream name: String) {
        upstreams.add(1, upstreams.row(of: name), isConnected ? UpstreamCells.connects : UpstreamCells.failures)
    }

    func shookHands(_ completed: TLSHandshakeCompleted) { handshakes[HandshakeKind(completed).cell] += 1 }

    func failedHandshake(_ failure: HandshakeFailure) { handshakeFailures[failure.rawValue] += 1 }

    func refusedProxy(_ refusal: ProxyRefusal) { proxyRefusals[refusal.rawValue] += 1 }

    /// From the upstream's confirmation of a suspension until every loop refuses the user.
    func blocked(after nanoseconds: Int64) {
        DurationBuckets.count(nanoseconds, in: &blockTimes)
    }
}

// MARK: telling

extension LoopMetrics {
    /// What has been counted, in memory of its own: sharing the arrays would make the next request copy them.
    var figures: LoopFigures {
        LoopFigures(
            routes: routes.figures, odd: odd, observed: observed, upstreams: upstreams.figures, tenants: tenants?.figures ?? [:],
            blockTimes: HistogramFigures(blockTimes[...]),
            handshakes: Dictionary(uniqueKeysWithValues: HandshakeKind.all.map { ($0, handshakes[$0.cell]) }),
            handshakeFailures: handshakeFailures.map { $0 }, connectionsAccepted: connectionsAccepted,
            connectionsRefused: connectionsRefused, proxyRefusals: proxyRefusals.map { $0 },
            protocols: [.http1: protocols.http1, .http2: protocols.http2, .webSocket: protocols.webSocket])
    }
}

/// What clients speak.
package enum RequestProtocol: CaseIterable, Sendable {
    case http1, http2, webSocket

    package var text: StaticString {
        switch self {
        case .http1: "http/1.1"
        case .http2: "h2"
        case .webSocket: "websocket"
        }
    }
}

/// The cells of one upstream.
enum UpstreamCells {
    static let histogram = 0
    static let connects = DurationBuckets.cells
    static let failures = connects + 1
    static let count = failures + 1
}

extension AccessRecord {
    /// Where it is counted among its route's cells; nil for what is rare.
    fileprivate var cell: Int? {
        switch ending {
        case .answered: RouteCells.answer(status)
        case .refused(let denial) where status == denial.status: Int(denial.rawValue)
        default: nil
        }
    }

    fileprivate func oddEnding(row: Int) -> OddEnding { OddEnding(row: row, code: ending.metricsCode, status: status) }
}

extension AccessRecord.Ending {
    var metricsCode: EndingCode {
        switch self {
        case .answered: .answered
        case .refused(let denial), .cut(let denial): EndingCode(denial)
        case .clientClosed: .clientClosed
        case .upstreamAborted: .upstreamAborted
        }
    }
}
