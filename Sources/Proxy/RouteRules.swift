import HTTPWire
package import Policy

/// A route with what is worked out from it once, when the file is loaded.
package final class RouteRules: Sendable {
    package let route: Route
    /// The pattern as a JSON string, for the log.
    let label: [UInt8]
    /// Host, where the route names one, and pattern: what its counters are called.
    let metricsLabel: String
    /// How its paths are called upstream.
    let upstreamPath: UpstreamPath
    let secondCredential: SecondCredential
    /// The directory's; `string` without one.
    let tenantFormat: IDFormat
    let userFormat: IDFormat
    let calls: CallTable?
    /// Nil on a route without CORS.
    let cors: CORSAnswers?
    /// Nil on a route without rate limits.
    let rates: RateRules?
    /// For each of the dialect's calls, whether it suspends or reactivates.
    private let suspends: [Bool]
    /// The dialect names further credentials, so that every field must be looked at.
    private let looksAtEveryField: Bool

    init(_ route: Route, upstream: Upstream, directory: Directory?, rates table: RateTable?) {
        self.route = route
        label = JSONText.quoted(route.pattern.text)
        metricsLabel = route.host.text + route.pattern.text
        upstreamPath = UpstreamPath(stripPrefix: route.stripPrefix, base: upstream.base)
        let others = directory?.dialect.otherCredentials ?? []
        secondCredential = SecondCredential(others: others, allowed: route.allowedCredentials)
        tenantFormat = directory?.dialect.tenantFormat ?? .string
        userFormat = directory?.dialect.idFormat ?? .string
        calls = directory.map(\.calls)
        cors = route.cors.map { CORSAnswers($0) }
        rates = RateRules(route, directory: directory?.name, table: table)
        suspends = directory?.dialect.calls.map { $0.intent != nil } ?? []
        looksAtEveryField = !others.isEmpty
    }

    /// Whether stages 3 to 6 only note what they would refuse this request with. Calls that suspend or reactivate are always judged.
    func observes(_ target: Target, at now: Int64) -> Bool {
        guard route.observes(at: now) else { return false }
        return target.call.map { !suspends[$0.index] } ?? true
    }

    /// Throws `.ambiguousCredential` for a second credential in the head (SPEC §2).
    func refuseSecondCredential(_ head: borrowing RequestHead) throws(Denial) {
        let bytes = head.bytes.readableBytesUInt8Span
        for field in head.fields where looksAtEveryField || field.id == .other || Self.credentials.contains(field.id) {
            if secondCredential.isHeader(bytes.extracting(field.name)) { throw .ambiguousCredential }
        }
        if head.present.contains(.secWebSocketProtocol), secondCredential.countsSubprotocols, route.tokenSource != .subprotocol,
            SubprotocolToken.isAny(in: head)
        {
            throw .ambiguousCredential
        }
        guard let query = head.queryRange, !query.isEmpty else { return }
        try secondCredential.check(query: bytes.extracting(query))
    }

    /// Throws for trailer fields that would be a credential in the head: some servers merge the two. Those with a known name, an
    /// identity's among them, were refused while they were read.
    func check(trailers: MessageHead) throws(Denial) {
        let bytes = trailers.bytes.readableBytesUInt8Span
        for field in trailers.fields where route.credential == .jwt {
            if secondCredential.isHeader(bytes.extracting(field.name)) { throw .ambiguousCredential }
        }
    }

    private static let credentials = FieldSet([.cookie, .proxyAuthorization, .xAPIKey])
}

/// Where a request goes: its path at the upstream, and the dialect's call that it is.
struct Target {
    /// The path at the upstream; nil where it is the received one.
    let path: [UInt8]?
    let call: Call?

    struct Call {
        /// Index into the dialect's calls.
        let index: Int
        let user: UserID?
    }

    init(_ canonical: [UInt8]?, head: borrowing RequestHead, rules: RouteRules) throws(Denial) {
        let bytes = head.bytes.readableBytesUInt8Span
        if rules.upstreamPath.isIdentity {
            path = canonical
        } else {
            var mapped: [UInt8] = []
            if let canonical {
                rules.upstreamPath.append(canonical.span, to: &mapped)
            } else {
                rules.upstreamPath.append(bytes.extracting(head.pathRange), to: &mapped)
            }
            path = mapped
        }
        guard let calls = rules.calls else {
            call = nil
            return
        }
        let method = bytes.extracting(head.methodRange)
        if let path {
            call = try Self.call(path.span, method, calls, rules.userFormat)
        } else {
            call = try Self.call(bytes.extracting(head.pathRange), method, calls, rules.userFormat)
        }
    }

    /// An id that doesn't fit the directory's format is no user's; the call is refused, since a lax server might find one all the same.
    private static func call(
        _ path: Span<UInt8>, _ method: Span<UInt8>, _ calls: CallTable, _ format: IDFormat
    ) throws(Denial) -> Call? {
        switch calls.match(path: path, method: method) {
        case .none: return nil
        case .ambiguousPath: throw .ambiguousPath
        case .call(let index, let segment):
            guard let segment else { return Call(index: index, user: nil) }
            guard let id = percentDecodedSegment(path.extracting(segment)), let user = UserID(id.span, format: format) else {
                throw .badRequest
            }
            return Call(index: index, user: user)
        }
    }
}
