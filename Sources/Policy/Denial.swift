/// Every way in which the gateway refuses a request: the one closed list of SPEC §1.
///
/// A stage throws a `Denial`; nothing else ends a request early. Status, code, stage and RFC 9209 error type are one table below.
package enum Denial: UInt8, Error, Sendable, CaseIterable {
    // 1 parse
    case badRequest, ambiguousPath, duplicateHeader, requestTimeout, bodyTooLarge, uriTooLong, headersTooLarge
    case notImplemented, httpVersionNotSupported
    // 2 route
    case routeNotFound, methodNotAllowed, misdirectedRequest
    // 3 authenticate
    case unauthenticated, invalidToken, tokenExpired, ambiguousCredential, keysUnavailable
    // 4 tenant
    case tenantRequired, invalidTenantID, tenantMismatch
    // 5 suspension
    case userSuspended, suspensionsBehind
    // 6 authorize
    case insufficientRole, insufficientScope, rateLimited
    // 7 forward
    case upstreamUnavailable, upstreamProtocolError, overloaded, upstreamTimeout
    case suspensionUnconfirmed, suspensionNotDurable, suspensionBusy
    // 9 respond
    case internalError
}

/// A stage in the life of a request (SPEC §1), named the same in code, logs, metrics and docs.
package enum Stage: String, Sendable, CaseIterable {
    case parse, route, authenticate, tenant, suspension, authorize, forward, observe, respond

    /// The name, without an allocation.
    package var name: StaticString {
        switch self {
        case .parse: "parse"
        case .route: "route"
        case .authenticate: "authenticate"
        case .tenant: "tenant"
        case .suspension: "suspension"
        case .authorize: "authorize"
        case .forward: "forward"
        case .observe: "observe"
        case .respond: "respond"
        }
    }
}

extension Denial {
    /// One row of the table: what the client, the log and `Proxy-Status` say.
    package struct Row: Sendable {
        /// HTTP status code.
        package let status: UInt16
        /// The stable machine-readable code of the answer's body and of the log.
        package let code: StaticString
        /// The stage that refuses with it.
        package let stage: Stage
        /// The proxy error type of RFC 9209 §2.3 for `Proxy-Status`.
        package let proxyError: StaticString
        /// What a person reads. Never echoes anything of the request.
        package let message: StaticString
    }

    /// The row of this refusal.
    package var row: Row {
        switch self {
        case .badRequest: .parse(400, "bad_request", "The request is malformed.")
        case .ambiguousPath: .parse(400, "ambiguous_path", "The path can be read in more than one way.")
        case .duplicateHeader: .parse(400, "duplicate_header", "A header that may be sent once was sent more than once.")
        case .requestTimeout: .parse(408, "request_timeout", "The request did not arrive in time.")
        case .bodyTooLarge: .parse(413, "body_too_large", "The request body is larger than allowed here.")
        case .uriTooLong: .parse(414, "uri_too_long", "The request target is longer than allowed here.")
        case .headersTooLarge: .parse(431, "headers_too_large", "The header section is larger than allowed here.")
        case .notImplemented: .parse(501, "not_implemented", "The transfer coding is not supported.")
        case .httpVersionNotSupported: .parse(505, "http_version_not_supported", "Use HTTP/1.1 or HTTP/2.")
        case .routeNotFound: Row(404, "route_not_found", .route, "destination_not_found", "No route serves this host and path.")
        case .methodNotAllowed: .denied(405, "method_not_allowed", .route, "This method is not allowed here.")
        case .misdirectedRequest:
            .denied(421, "misdirected_request", .route, "This host needs a connection of its own.")
        case .unauthenticated: .denied(401, "unauthenticated", .authenticate, "A bearer token is required.")
        case .invalidToken: .denied(401, "invalid_token", .authenticate, "The token is not valid here.")
        case .tokenExpired: .denied(401, "token_expired", .authenticate, "The token has expired.")
        case .ambiguousCredential:
            .denied(400, "ambiguous_credential", .authenticate, "Send one credential only, in the Authorization header.")
        case .keysUnavailable:
            Row(503, "keys_unavailable", .authenticate, "destination_unavailable", "The issuer's keys can't be had at the moment.")
        case .tenantRequired: .denied(400, "tenant_required", .tenant, "The header X-Tenant-ID is required.")
        case .invalidTenantID: .denied(400, "invalid_tenant_id", .tenant, "The header X-Tenant-ID is not a valid tenant id.")
        case .tenantMismatch:
            .denied(403, "tenant_mismatch", .tenant, "The tenant must match the tenant associated with the credential.")
        case .userSuspended: .denied(403, "user_suspended", .suspension, "This user is suspended.")
        case .suspensionsBehind:
            Row(
                503, "suspensions_behind", .suspension, "destination_unavailable",
                "This gateway doesn't know at the moment who is suspended. Try again shortly.")
        case .insufficientRole: .denied(403, "insufficient_role", .authorize, "The credential lacks a role that this route requires.")
        case .insufficientScope: .denied(403, "insufficient_scope", .authorize, "The credential lacks a scope that this route requires.")
        case .rateLimited: .denied(429, "rate_limited", .authorize, "Too many requests. Try again later.")
        case .upstreamUnavailable:
            Row(502, "upstream_unavailable", .forward, "destination_unavailable", "The service can't be reached.")
        case .upstreamProtocolError:
            Row(502, "upstream_protocol_error", .forward, "http_protocol_error", "The service's answer is malformed.")
        case .overloaded: Row(503, "overloaded", .forward, "connection_limit_reached", "Too much is going on. Try again shortly.")
        case .upstreamTimeout: Row(504, "upstream_timeout", .forward, "http_response_timeout", "The service did not answer in time.")
        case .suspensionUnconfirmed:
            Row(
                502, "suspension_unconfirmed", .forward, "http_protocol_error",
                "The service did not confirm the change. Its state is unknown.")
        case .suspensionNotDurable:
            Row(503, "suspension_not_durable", .forward, "proxy_internal_error", "Not yet durable here. Repeat the call.")
        case .suspensionBusy:
            Row(
                503, "suspension_busy", .forward, "proxy_internal_response", "Other calls for this user are in progress. Try again shortly."
            )
        case .internalError: Row(500, "internal_error", .respond, "proxy_internal_error", "Something went wrong in the gateway.")
        }
    }

    package var status: UInt16 { row.status }
    package var code: StaticString { row.code }
    package var stage: Stage { row.stage }
}

extension Denial.Row {
    fileprivate init(_ status: UInt16, _ code: StaticString, _ stage: Stage, _ proxyError: StaticString, _ message: StaticString) {
        self.init(status: status, code: code, stage: stage, proxyError: proxyError, message: message)
    }

    fileprivate static func parse(_ status: UInt16, _ code: StaticString, _ message: StaticString) -> Self {
        Self(status, code, .parse, "http_request_error", message)
    }

    fileprivate static func denied(_ status: UInt16, _ code: StaticString, _ stage: Stage, _ message: StaticString) -> Self {
        Self(status, code, stage, "http_request_denied", message)
    }
}
