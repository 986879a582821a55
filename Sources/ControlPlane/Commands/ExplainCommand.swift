import Foundation
import HTTPWire
import NIOCore
import Policy
import Proxy
import Suspensions
import Tokens

/// `tenantgate explain`: walks the stages for one request and says each verdict with its rule. Nothing is forwarded.
package struct ExplainCommand: Sendable {
    package var config: String
    /// The file with the token; nil sends none.
    package var tokenFile: String?
    package var method: String
    /// Path and query, as the client sends them.
    package var target: String
    package var tenant: String?
    package var host = "localhost"
    /// Further header lines, `Name: value`.
    package var headers: [String] = []

    package init(config: String, method: String, target: String) {
        self.config = config
        self.method = method
        self.target = target
    }

    /// Good where the request would be forwarded. `now` is in Unix seconds.
    package func run(now: Int64) throws(CommandFailure) -> CommandResult {
        let checked = Configuration.read(path: config)
        guard let configuration = checked.configuration else {
            return CommandResult(errors: CheckReport.problems(checked.problems), isGood: false)
        }
        let token = try readToken()
        var input = ByteBuffer(bytes: rawHead(token))
        var head = RequestHead()
        var parser = RequestParser(limits: WireLimits(head: configuration.limits.headers))
        switch parser.parse(&input, into: &head) {
        case .complete: break
        case .failed(let error): return refusedByParser(String(describing: error.reason))
        case .needMore: return refusedByParser("the head doesn't end")
        }
        let ledger = LedgerGlance(configuration)
        let snapshot: Snapshot
        do { snapshot = try ledger.snapshot(of: configuration) } catch {
            throw CommandFailure("The request can't be judged: \(error).")
        }
        var trial = Trial(head, snapshot: snapshot, now: now)
        var keys: ExplainedKeys?
        if trial.denial == .keysUnavailable, let token,
            let directory = trial.findings.route.flatMap({ configuration.routes[$0].directory }),
            let origin = snapshot.authority.origin(for: token.span, directory: directory)
        {
            let fetched = try ExplainedKeys(origin)
            trial = Trial(head, snapshot: snapshot, keys: fetched.table, now: now)
            keys = fetched
        }
        let report = ExplainReport(
            configuration: configuration, trial: trial, ledger: ledger, keys: keys, token: token, tenant: tenant, now: now)
        return CommandResult("\(method) \(target)\n" + report.text, isGood: trial.denial == nil)
    }

    /// The token without the newline that files end in.
    private func readToken() throws(CommandFailure) -> [UInt8]? {
        guard let tokenFile else { return nil }
        var token = try FileBytes.read(tokenFile, limit: 1024 * 1024, called: "The token file")
        while let last = token.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { token.removeLast() }
        return token
    }

    private func rawHead(_ token: [UInt8]?) -> [UInt8] {
        var head = Array("\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n".utf8)
        if let token { head += Array("Authorization: Bearer ".utf8) + token + Array("\r\n".utf8) }
        if let tenant { head += Array("X-Tenant-ID: \(tenant)\r\n".utf8) }
        for header in headers { head += Array("\(header)\r\n".utf8) }
        return head + Array("\r\n".utf8)
    }

    private func refusedByParser(_ reason: String) -> CommandResult {
        CommandResult("\(method) \(target)\n" + ExplainReport.line(.parse, "REFUSED", reason), isGood: false)
    }
}

/// The keys of the token's issuer, fetched once for `explain`, as `serve` would.
struct ExplainedKeys {
    let table: KeyTable
    let status: KeyStatus?

    init(_ origin: KeyOrigin) throws(CommandFailure) {
        let service = KeyService(say: { _ in })
        do throws(StartFailure) { try service.follow([origin]) } catch { throw CommandFailure(error.description) }
        service.waitForFirst(milliseconds: 2 * origin.timeout + 1000)
        (table, status) = (service.table, service.statuses.first)
        service.end()
    }

    /// What came of it, in words.
    var words: String {
        guard let status else { return "" }
        if let error = status.error { return "the keys of \(status.origin.shown) can't be fetched: \(error)" }
        guard status.isAvailable else { return "the keys of \(status.origin.shown) don't come" }
        return "\(status.keyCount) key\(status.keyCount == 1 ? "" : "s") fetched now from \(status.origin.shown)"
    }
}
