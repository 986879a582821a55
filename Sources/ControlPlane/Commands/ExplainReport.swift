import Foundation
import Policy
import Proxy
import StrictJSON
import Suspensions
import Tokens

/// One line for each stage that a request reaches, up to the one that refuses it.
struct ExplainReport {
    let configuration: Configuration
    let trial: Trial
    let ledger: LedgerGlance
    /// Nil where no key had to be fetched.
    let keys: ExplainedKeys?
    let token: [UInt8]?
    let tenant: String?
    let now: Int64

    private static let stages: [Stage] = [.parse, .route, .authenticate, .tenant, .suspension, .authorize, .forward]

    var text: String {
        var lines = ""
        for stage in Self.stages {
            if let denial = trial.denial, denial.stage == stage { return lines + refusal(denial) }
            if let denial = trial.findings.observed, stage.isJudging, stage.position >= denial.stage.position {
                if stage == denial.stage { lines += observation(denial) }
                continue
            }
            let (verdict, words) = passed(stage)
            lines += Self.line(stage, verdict, words)
            if stage == .route { lines += corsLine }
            if trial.preflight != nil, stage == .route { return lines }
        }
        return lines
    }

    static func line(_ stage: Stage, _ verdict: String, _ words: String) -> String {
        func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(1, width - text.count)) }
        return padded(stage.rawValue, 14) + padded(verdict, 9) + words + "\n"
    }

    /// What a browser is told; nothing for a route without CORS.
    private var corsLine: String {
        guard let cors = route?.cors else { return "" }
        let verdict =
            trial.allowedOrigin.map { "a page of \(text($0)) may read the answer" } ?? "no page of another origin may read the answer"
        let preflight = trial.preflight == nil ? "" : "a preflight: answered 204 by the gateway, nothing goes upstream; "
        let indent = String(repeating: " ", count: 23)
        return "\(indent)\(preflight)\(verdict) (\(rule).cors: \(cors.originsText))\n"
    }

    // MARK: refused

    private func refusal(_ denial: Denial) -> String {
        var words = "\(denial.status) \(denial.code): \(denial.row.message)"
        if let rule = trial.rule { words += " Rule: \(rule)\(place)." }
        let why = reason(denial).map { "\n" + String(repeating: " ", count: 23) + $0 } ?? ""
        return Self.line(denial.stage, "REFUSED", words + why)
    }

    /// What a route that observes lets pass. The stages after it were not asked.
    private func observation(_ denial: Denial) -> String {
        let why = reason(denial).map { " (\($0))" } ?? ""
        return Self.line(
            denial.stage, "OBSERVED",
            "would be \(denial.status) \(denial.code): \(denial.row.message)\(why) Passes by \(rule).mode\(place).")
    }

    /// What the client isn't told.
    private func reason(_ denial: Denial) -> String? {
        switch denial {
        case .badRequest where trial.isBadOpening: "it opens a WebSocket without a good Sec-WebSocket-Key"
        case .badRequest where trial.findings.isOriginRefused: "a WebSocket of a page whose Origin isn't listed there"
        case .badRequest where route != nil:
            "the path is one of the dialect's calls, but holds no user id in the directory's id_format (\(rule)\(place))"
        case .ambiguousPath where route != nil: "it differs only in its spelling from one of the dialect's calls (\(rule)\(place))"
        case .bodyTooLarge: "\(rule)\(place) takes bodies of \(route?.bodyLimit ?? 0) bytes"
        case .tokenExpired where trial.findings.staleFor != nil: staleness
        case .invalidToken where trial.findings.alias != nil: aliasWords
        case .invalidToken, .tokenExpired: [tokenFault, keys?.words].compactMap(\.self).joined(separator: "; ")
        case .keysUnavailable: keys?.words
        case .methodNotAllowed: trial.findings.allow.map { "allowed here: \($0)" }
        case .tenantMismatch: "the credential's tenant: \(tenants(trial.findings.credential))"
        case .userSuspended: blocks
        case .insufficientRole: "the credential's roles: \(roles)"
        case .insufficientScope: "the credential's scopes: \(list(trial.findings.credential?.scopes ?? []))"
        default: nil
        }
    }

    private var tokenFault: String? {
        guard let token, let directory = route?.directory,
            let authority = try? TokenAuthority(blocks: configuration.credentials, tokenLimit: configuration.limits.token)
        else { return nil }
        do throws(TokenFault) {
            _ = try authority.examine(token.span, directory: directory, keys: keys?.table ?? .empty, now: now)
            return nil
        } catch {
            return error.rawValue
        }
    }

    /// Why nobody is known by the alias that the token names its user by.
    private var aliasWords: String {
        guard let found = trial.findings.alias, let directory = route?.directory else { return "" }
        let alias = found.question.alias
        let whose = "\(alias.rule.name) \(text(alias.value))"
        let name = configuration.directories[directory].name
        if let problem = ledger.problem { return "whose \(whose) is was not asked: \(problem)" }
        if found.answer?.verdict == .contested { return "two users of \(name) have the \(whose) at once" }
        let asks = configuration.aliases(of: directory).contains { $0.rule == alias.rule && $0.search != nil }
        let service = configuration.directories[directory].service
        return "the ledger \(configuration.ledger) knows no user of \(name) by the verified \(whose)"
            + (asks && service != nil ? "; a running gateway would ask the service" : "")
    }

    private var blocks: String {
        guard let credential = trial.findings.credential, let directory = route?.directory else { return "" }
        let found = ledger.blocks(of: [credential.user] + credential.actors, in: directory)
        return found.isEmpty ? "" : found.joined(separator: "; ")
    }

    private var staleness: String {
        guard let credential = trial.findings.credential, let issued = credential.freshFrom, let directory = route?.directory else {
            return ""
        }
        let found = ledger.reactivations(of: [credential.user] + credential.actors, in: directory, since: issued)
        return (["the token was issued at \(date(issued))"] + found).joined(separator: "; ")
    }

    private func date(_ seconds: Int64) -> String { Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601) }

    // MARK: passed

    private func passed(_ stage: Stage) -> (verdict: String, words: String) {
        switch stage {
        case .parse: return ("ok", "well-formed, one way to read it")
        case .route: return ("ok", routeWords)
        case .authenticate: return credentialWords
        case .tenant: return ("ok", tenantWords)
        case .suspension: return suspensionWords
        case .authorize: return ("ok", requirementWords)
        default: return ("would go", forwardWords)
        }
    }

    private var route: Route? { trial.findings.route.map { configuration.routes[$0] } }
    private var rule: String { "routes[\(route?.index ?? 0)]" }
    private var place: String { route.map { " (\($0.pattern.text))" } ?? "" }

    private var routeWords: String {
        guard let route else { return "" }
        let methods = route.methods.isEmpty ? "every method" : list(route.methods)
        return "\(rule)\(place), \(methods), upstream \(configuration.upstreams[route.upstream].name)"
    }

    private var credentialWords: (String, String) {
        guard let credential = trial.findings.credential else {
            return ("not asked", "\(rule).credential: \(route?.credential.rawValue ?? "")")
        }
        let block = configuration.credentials[credential.block]
        let issuer = block.issuer.map { "issuer \(text($0))" } ?? "issuer absent"
        let until = date(credential.expires)
        let name = configuration.directories[block.directory].name
        let from = keys.map { "; \($0.words)" } ?? ""
        let alias = credential.knownBy.map { ", known by the \($0.rule.name) \(text($0.value))" } ?? ""
        return (
            "ok",
            "credentials[\(credential.block)] (\(issuer), \(keyWords(credential))\(from)); user \(text(credential.user.id.canonical)) of \(name)\(alias), until \(until)"
        )
    }

    /// The algorithm that the header names, which it was signed with since it is verified, and the key that has verified it.
    private func keyWords(_ credential: Credential) -> String {
        guard let token, let part = token.split(separator: UInt8(ascii: ".")).first,
            let bytes = Base64URL.decode(Array(part).span), let header = try? JSONDocument(bytes, limits: .token)
        else { return "" }
        func member(_ name: String) -> String? {
            header.value(at: [Array(name.utf8)], from: header.root).flatMap { header.string($0) }.map(text)
        }
        return (member("alg") ?? "") + (credential.keyName.map { ", key \(KeyStatus.readable($0))" } ?? ", a key without kid")
    }

    private var tenantWords: String {
        guard let credential = trial.findings.credential else {
            return route?.tenantUnverified == true
                ? "\(rule).tenant: unverified, passed on as sent" : "no credential, so none goes upstream"
        }
        let selected = trial.findings.tenant.map { "tenant \(text($0.spelling))" } ?? "no tenant is selected"
        let sent = tenant == nil ? "no header was sent" : "the header matches the credential"
        return "\(selected): \(sent) (\(rule).tenant: \(route?.tenant.rawValue ?? ""); credential: \(tenants(credential)))"
    }

    private var suspensionWords: (String, String) {
        guard trial.findings.credential != nil else { return ("not asked", "no user is known") }
        if route?.allowsSuspended == true { return ("not asked", "\(rule).suspended: allow") }
        if let problem = ledger.problem { return ("not asked", problem) }
        let fresh = trial.findings.credential?.freshFrom.map { "; the token, of \(date($0)), is from after every reactivation" } ?? ""
        return ("ok", "no block stands for the user here (ledger \(configuration.ledger))\(fresh)")
    }

    private var requirementWords: String {
        let rates = route?.rates.map(\.text) ?? []
        return rates.isEmpty ? requirementAlone : "\(requirementAlone); rate limits, not counted now: \(rates.joined(separator: "; "))"
    }

    private var requirementAlone: String {
        switch route?.requirement {
        case .upstream: "\(rule).require: upstream: the service decides"
        case .credential(let roles, let scopes): "\(rule).require is met (roles \(list(roles)), scopes \(list(scopes)))"
        default: "\(rule) requires nothing more"
        }
    }

    private var forwardWords: String {
        guard let forwarding = trial.forwarding, let route else { return "" }
        let upstream = configuration.upstreams[route.upstream]
        let header = forwarding.tenant.map { "with X-Tenant-ID: \(text($0))" } ?? "without X-Tenant-ID"
        let call =
            switch forwarding.call {
            case .suspends: "; a suspend or reactivate call: its answer is held back until it is settled"
            case .teaches: "; its answer teaches who is suspended"
            case .other: ""
            }
        return "to upstream \(upstream.name) as \(text(forwarding.path)) \(header)\(call); nothing was sent"
    }

    // MARK: words

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    private func list(_ texts: [[UInt8]]) -> String { texts.isEmpty ? "none" : texts.map(text).joined(separator: ", ") }

    private func tenants(_ credential: Credential?) -> String {
        switch credential?.tenants {
        case .one(let tenant): text(tenant.spelling)
        case .many(let tenants): list(tenants.map(\.spelling))
        default: "none"
        }
    }

    private var roles: String {
        switch trial.findings.credential?.roles {
        case .flat(let names): list(names)
        case .byTenant(let entries): entries.map { "\(text($0.tenant.spelling)): \(list($0.roles))" }.joined(separator: "; ")
        case nil: "none"
        }
    }
}

extension Stage {
    /// One of 3 to 6.
    fileprivate var isJudging: Bool { [.authenticate, .tenant, .suspension, .authorize].contains(self) }

    fileprivate var position: Int { Stage.allCases.firstIndex(of: self) ?? 0 }
}
