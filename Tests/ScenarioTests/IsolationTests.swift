import Foundation
import Synchronization
import TestSupport
import Testing

/// No request whose header and credential differ reaches an upstream, and none without `require` passes a route that has it (invariant 1).
@Suite("isolation", .serialized, .timed)
struct IsolationTests {
    /// `TENANTGATE_ISOLATION_REQUESTS` makes it longer, `TENANTGATE_SEED` repeats a run.
    private static let requests = environmentNumber("TENANTGATE_ISOLATION_REQUESTS", default: 20_000)
    private static let seed = environmentNumber("TENANTGATE_SEED", default: Int(Date().timeIntervalSince1970))
    private static let connections = 4

    /// What is spoken at the same time. An opening needs a connection of its own, so there are fewer of them.
    struct Mix: Sendable, CustomTestStringConvertible {
        let kinds: [IsolationRun.Kind]
        var testDescription: String { kinds.map(\.rawValue).joined(separator: " and ") }

        /// Requests of one kind at least.
        func requests(of kind: IsolationRun.Kind) -> Int {
            kind == .openings ? IsolationTests.requests / 4 : IsolationTests.requests / min(2, kinds.count)
        }
    }

    static let mixes = [
        Mix(kinds: [.messages]), Mix(kinds: [.streams]), Mix(kinds: [.openings]), Mix(kinds: [.messages, .streams, .openings]),
    ]

    @Test(
        "no random request reaches an upstream with another tenant, without its requirement or with a second credential",
        arguments: mixes)
    func isolation(over mix: Mix) throws {
        print("isolation: \(mix.testDescription), seed \(Self.seed)")
        let upstream = try RecordingUpstream { request in
            let isOpened = request.field("upgrade") != nil && request.field("x-case").flatMap { Int($0) }.map { $0 % 2 == 0 } == true
            return isOpened ? [.text(WebSocketOpening.switching), .close] : [.json("{}")]
        }
        let folder = try TemporaryFolder()
        var file = GatewayFile(jitsudo: upstream.port, rinne: upstream.port)
        file.routes = [
            "- {path: /v1/admin/**, upstream: jitsudo, require: {roles: [admin]}}",
            "- {path: /v1/export, upstream: jitsudo, require: {scopes: [export]}}",
            "- {path: /v1/anon/**, upstream: jitsudo, tenant: none}",
            "- {path: /v1/socket/**, upstream: jitsudo, token_from: subprotocol, cors: {origins: [\"\(IsolationCases.origin)\"]}}",
            "- {path: /edge/core/v1/orders/**, upstream: rinne, strip_prefix: /edge, require: {scopes: [edge]}}",
        ]
        let gateway = try Gateway(file: file.write(to: folder), in: folder)
        let tokens = Self.tokens()
        let runs = (0..<Self.connections * mix.kinds.count).map { number in
            let kind = mix.kinds[number % mix.kinds.count]
            var cases = IsolationCases(seed: UInt64(Self.seed + number), firstNumber: number * 10_000_000, tokens: tokens)
            cases.opensWebSockets = kind == .openings
            return IsolationRun(gateway, cases, count: mix.requests(of: kind) / Self.connections + 1, kind)
        }
        for thread in runs.map({ run in TestThread { run.run() } }) { thread.wait() }
        try judge(mix, runs, upstream.takeRequests())
    }

    private func judge(_ mix: Mix, _ runs: [IsolationRun], _ reached: [RecordedRequest]) throws {
        let cases = Dictionary(uniqueKeysWithValues: runs.flatMap(\.cases).map { ($0.number, $0) })
        let judge = IsolationJudge()
        var arrived: Set<Int> = []
        var faults = 0
        for request in reached {
            let sent = try #require(request.field("x-case").flatMap { Int($0) }.flatMap { cases[$0] }, "who sent \(request.text)?")
            arrived.insert(sent.number)
            guard let fault = judge.fault(of: request, sentAs: sent) else { continue }
            faults += 1
            if faults <= 20 {
                Issue.record("\(fault)\nsent:\n\(sent.text)\nreached the upstream:\n\(request.text)")
            }
        }
        #expect(faults == 0)
        let lost = cases.values.filter { $0.mustPass && !arrived.contains($0.number) }
        #expect(lost.isEmpty, "good neighbours were refused, for example \(lost.first.map(\.text) ?? "")")
        for run in runs { #expect(run.failures.isEmpty, "\(run.failures.prefix(3))") }
        let sent = runs.map(\.cases.count).reduce(0, +)
        let codes = runs.reduce(into: [String: Int]()) { $0.merge($1.codes) { $0 + $1 } }
        print("isolation: \(sent) requests, \(reached.count) reached an upstream, \(cases.values.count(where: \.mustPass)) had to")
        print("isolation: " + codes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        for kind in Set(runs.map(\.kind)) {
            let own = runs.filter { $0.kind == kind }
            let passed = own.reduce(0) { $0 + ($1.codes["passed"] ?? 0) }
            let asked = own.map(\.cases.count).reduce(0, +)
            print("isolation: \(kind.rawValue): \(asked) requests, \(passed) passed")
            #expect(asked >= mix.requests(of: kind))
            #expect(passed > Self.requests / 40, "too few \(kind.rawValue) pass for the test to mean anything")
        }
        #expect(reached.count > sent / 10, "too few requests pass for the test to mean anything")
        #expect(sent - reached.count > sent / 10, "too few requests are refused for the test to mean anything")
        for code in [
            "tenant_mismatch", "duplicate_header", "ambiguous_credential", "ambiguous_path", "insufficient_role", "insufficient_scope",
        ] {
            #expect(codes[code] ?? 0 > 0, "no request was refused with \(code)")
        }
    }

    /// Tokens of both directories, all issuers, several tenants; some valid nowhere.
    private static func tokens() -> [IsolationToken] {
        func token(
            _ forge: TokenForge, _ dialect: String?, _ user: String, _ tenants: [String], roles: [String] = [], scopes: [String] = [],
            _ claims: [String: Any] = [:], expiresIn: Int = 3600
        ) -> IsolationToken {
            var all: [String: Any] = ["roles": roles, "scope": scopes.joined(separator: " ")]
            if !tenants.isEmpty { all["tenant_id"] = tenants.count == 1 ? tenants[0] : tenants as Any }
            let text = forge.token(user: user, all.merging(claims) { $1 }, expiresIn: expiresIn)
            return IsolationToken(text: text, dialect: dialect, user: user, tenants: tenants, roles: roles, scopes: scopes)
        }
        let (acme, globex, north, south) = (TestIssuers.acme, TestIssuers.globex, TestIssuers.north, TestIssuers.south)
        let (jitsudo, rinne) = (TestIssuers.jitsudo, TestIssuers.rinne)
        let (ana, ben, carl) = (TestIssuers.acmeAdmin, TestIssuers.acmeMember, TestIssuers.globexAdmin)
        return [
            token(jitsudo, "jitsudo", ben, [acme], roles: ["member"]),
            token(jitsudo, "jitsudo", ana, [acme], roles: ["member", "admin"]),
            token(jitsudo, "jitsudo", ana, [acme], scopes: ["read", "export"]),
            token(jitsudo, "jitsudo", carl, [globex], roles: ["admin"]),
            token(jitsudo, "jitsudo", carl, [globex.uppercased()], scopes: ["exports"]),
            token(jitsudo, "jitsudo", ben, [acme, globex], roles: ["Admin"]),
            token(jitsudo, "jitsudo", ben, []),
            token(TestIssuers.globexOnly, "jitsudo", carl, [globex], roles: ["admin"], scopes: ["export"]),
            token(rinne, "rinne", "usr_ben", [north]),
            token(rinne, "rinne", "usr_ana", [north], roles: ["admin"], scopes: ["edge"]),
            token(rinne, "rinne", "usr_mia", [north, south], roles: ["admins"], scopes: ["edges"]),
            token(TestIssuers.southOnly, "rinne", "usr_mia", [south], roles: ["admin"]),
            token(TestIssuers.globexOnly, nil, carl, [acme], roles: ["admin"]),
            token(TestIssuers.southOnly, nil, "usr_mia", [north, south], roles: ["admin"]),
            token(TestIssuers.stranger, nil, ana, [acme], roles: ["admin"]),
            token(jitsudo, nil, ana, [acme], roles: ["admin"], expiresIn: -3600),
            token(jitsudo, nil, "not-a-uuid", [acme], roles: ["admin"]),
            token(jitsudo, nil, ana, [acme], roles: ["admin"], ["aud": "another-api"]),
        ]
    }
}

/// One connection's share of the requests.
final class IsolationRun: @unchecked Sendable {  // one thread at a time: first `run`'s, then the test's
    private let gateway: Gateway
    private var maker: IsolationCases
    private let count: Int
    let kind: Kind
    private(set) var cases: [IsolationCase] = []
    private(set) var codes: [String: Int] = [:]
    private(set) var failures: [String] = []

    enum Kind: String, Sendable {
        case messages = "HTTP/1.1"
        case streams = "HTTP/2"
        case openings = "WebSocket openings"
    }

    init(_ gateway: Gateway, _ maker: IsolationCases, count: Int, _ kind: Kind) {
        self.gateway = gateway
        self.kind = kind
        self.maker = maker
        self.count = count
    }

    func run() { if kind == .streams { runStreams() } else { runMessages() } }

    private func runMessages() {
        var client: WireClient?
        for _ in 0..<count {
            let next = maker.next()
            cases.append(next)
            do {
                let open = try client ?? gateway.client()
                client = open
                let answer = try open.exchange(Array(next.text.utf8), method: next.method)
                codes[answer.gatewayCode ?? "passed", default: 0] += 1
                let isOpened = kind == .openings && answer.status == 101
                if answer.gatewayCode == nil, answer.status != 200, !isOpened { failures.append("\(answer.status) for \(next.text)") }
                if answer.endsConnection || answer.isCut || isOpened {
                    open.stream.close()
                    client = nil
                }
            } catch {
                failures.append("\(error) for \(next.text)")
                client = nil
                if failures.count > 100 { return }
            }
        }
    }

    /// The same as streams of one connection, several at a time, so that one could be taken for another.
    private func runStreams() {
        var client: HTTP2Client?
        while cases.count < count {
            let batch = (0..<8).map { _ in maker.next() }
            cases += batch
            do {
                let open = try client ?? HTTP2Client(port: gateway.port)
                client = open
                let streams = try batch.map { try IsolationStream($0).begin(on: open) }
                for (next, id) in zip(batch, streams) {
                    let answer = try open.answer(on: id)
                    codes[answer.gatewayCode ?? "passed", default: 0] += 1
                    if answer.gatewayCode == nil, answer.status != 200 { failures.append("\(answer.status) for \(next.text)") }
                }
                open.forget(streams)
            } catch {
                failures.append("\(error), GOAWAY \(client?.goaway.map(String.init) ?? "none")")
                client = nil
                if failures.count > 100 { return }
            }
        }
    }
}
