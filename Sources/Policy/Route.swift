/// One route of the file, with all its rules resolved (defaults of the dialect filled in).
package struct Route: Sendable {
    /// Its place in the file's list: `routes[3]` in `details.rule`.
    package var index: Int
    package var host: HostPattern
    package var pattern: PathPattern
    /// Exact method names; empty means every method but TRACE and CONNECT.
    package var methods: [[UInt8]]
    /// Index into the file's upstreams.
    package var upstream: Int
    /// The upstream's directory; nil where the upstream has none (then `credential` is `none`).
    package var directory: DirectoryIndex?
    package var credential: CredentialRule
    package var tenant: TenantRule
    /// With `credential: none|upstream`: the client's `X-Tenant-ID` goes on unverified.
    package var tenantUnverified: Bool
    package var requirement: Requirement
    /// `suspended: allow`: suspended users may use it (logout, data export).
    package var allowsSuspended: Bool
    /// `authorization: drop`: the token stays here.
    package var dropsAuthorization: Bool
    /// Second credentials allowed by name, lower case.
    package var allowedCredentials: [String]
    /// Path prefix taken off before forwarding, canonical, no trailing slash; empty for none.
    package var stripPrefix: [UInt8]
    /// The envelope of refusals.
    package var errors: Envelope
    /// `on_unknown: suspend`: an unconfirmed suspension blocks.
    package var suspendsOnUnknown: Bool
    /// Bytes of a request body.
    package var bodyLimit: Int
    /// Milliseconds until the first byte of the upstream's answer.
    package var timeoutMilliseconds: Int64
    /// `outlive_token: true`: long answers don't end with the token.
    package var outlivesToken: Bool
    /// `mode: observe, until: DATE`: before this second (Unix time) stages 3 to 6 only note what they would refuse.
    package var observesUntil: Int64?
    /// `token_from: subprotocol`: where the token stands.
    package var tokenSource = TokenSource.authorization
    /// Which pages of other origins may use it from a browser; nil for none.
    package var cors: CORSRule?
    /// The rate limits that its requests count for: its own, then the file's.
    package var rates: [RateRule] = []

    package init(
        index: Int, host: HostPattern = .any, pattern: PathPattern, methods: [[UInt8]] = [], upstream: Int, directory: DirectoryIndex?,
        credential: CredentialRule = .jwt, tenant: TenantRule = .required, tenantUnverified: Bool = false,
        requirement: Requirement = .nothing, allowsSuspended: Bool = false, dropsAuthorization: Bool = false,
        allowedCredentials: [String] = [], stripPrefix: [UInt8] = [], errors: Envelope = .flat, suspendsOnUnknown: Bool = false,
        bodyLimit: Int = Limits.body, timeoutMilliseconds: Int64 = 30_000, outlivesToken: Bool = false, observesUntil: Int64? = nil
    ) {
        self.index = index
        self.host = host
        self.pattern = pattern
        self.methods = methods
        self.upstream = upstream
        self.directory = directory
        self.credential = credential
        self.tenant = tenant
        self.tenantUnverified = tenantUnverified
        self.requirement = requirement
        self.allowsSuspended = allowsSuspended
        self.dropsAuthorization = dropsAuthorization
        self.allowedCredentials = allowedCredentials
        self.stripPrefix = stripPrefix
        self.errors = errors
        self.suspendsOnUnknown = suspendsOnUnknown
        self.bodyLimit = bodyLimit
        self.timeoutMilliseconds = timeoutMilliseconds
        self.outlivesToken = outlivesToken
        self.observesUntil = observesUntil
    }
}

extension Route {
    /// Whether it only observes at `now` (Unix seconds).
    package func observes(at now: Int64) -> Bool { observesUntil.map { now < $0 } ?? false }
}

/// Which hosts a route serves. Lower case, without port.
package enum HostPattern: Hashable, Sendable {
    case exact([UInt8])
    /// `*.example.com`: one or more labels before this suffix, which starts with a dot.
    case wildcard([UInt8])
    case any

    /// As the file writes it; empty for any host.
    package var text: String {
        switch self {
        case .any: ""
        case .exact(let name): String(decoding: name, as: UTF8.self)
        case .wildcard(let suffix): "*" + String(decoding: suffix, as: UTF8.self)
        }
    }
}

/// Who judges the caller.
package enum CredentialRule: String, Sendable, CaseIterable {
    case jwt, none, upstream
}

/// What the caller must have (stage 6).
package enum Requirement: Sendable, Equatable {
    case nothing
    /// `require: upstream`: the upstream decides.
    case upstream
    /// At least one of `roles` (where there are any) and every one of `scopes`.
    case credential(roles: [[UInt8]], scopes: [[UInt8]])
}

/// Where a request's token stands.
package enum TokenSource: String, CaseIterable, Sendable {
    /// In `Authorization: Bearer` (RFC 6750 §2.1).
    case authorization
    /// Among the subprotocols that a browser's WebSocket offers, which is all that a page can set there.
    case subprotocol
}
