/// The fields that somebody here looks at, changes or drops; every other name is `other`.
///
/// An id may stand for several names with one meaning (`methodOverride`). At most 64, so that a `FieldSet` is one word.
package enum FieldID: UInt8, Sendable, CaseIterable {
    case other
    // Message framing and routing.
    case host, contentLength, transferEncoding, trailer, expect
    // Hop by hop (RFC 9110 §7.6.1) and its old companions.
    case connection, keepAlive, proxyConnection, te, upgrade, http2Settings, proxyAuthenticate
    // Credentials and identity.
    case authorization, cookie, setCookie, proxyAuthorization, wwwAuthenticate
    case xTenantID, xUserID, xUserRoles, xAPIKey
    // Where a request came from.
    case xRequestID, traceparent, tracestate, via, forwarded
    case xForwardedFor, xForwardedProto, xForwardedHost
    /// `X-Real-IP`, `X-Forwarded-Port`, `X-Forwarded-Client-Cert` and their like.
    case xForwardedOther
    /// `Client-Cert` and `Client-Cert-Chain` (RFC 9440): whom a TLS handshake has verified.
    case clientCertificate
    /// `X-HTTP-Method-Override`, `X-HTTP-Method`, `X-Method-Override`, `X-Original-Method`.
    case methodOverride
    /// `X-Original-URL`, `X-Rewrite-URL` and their like.
    case urlOverride
    // What is asked for and answered.
    case accept, acceptEncoding, range, prefer, maxForwards, origin, userAgent
    /// `If-Match`, `If-None-Match`, `If-Modified-Since`, `If-Unmodified-Since`, `If-Range`.
    case conditional
    case contentType, contentEncoding, contentRange
    case date, server, location, allow, retryAfter, cacheControl, vary, etag, altSvc, proxyStatus
    /// What this gateway says of a suspension's reach.
    case suspensionReach
    case strictTransportSecurity
    /// `Access-Control-*`: what browsers ask and are told of other origins' pages (Fetch).
    case accessControl
    case secWebSocketKey, secWebSocketProtocol, secWebSocketVersion, secWebSocketExtensions, secWebSocketAccept
}

extension FieldID {
    /// Every known name in lower case, with what it stands for. Tests hold it to the enumeration.
    static let names: [(StaticString, FieldID)] = [
        ("host", .host), ("content-length", .contentLength), ("transfer-encoding", .transferEncoding),
        ("trailer", .trailer), ("expect", .expect),
        ("connection", .connection), ("keep-alive", .keepAlive), ("proxy-connection", .proxyConnection), ("te", .te),
        ("upgrade", .upgrade), ("http2-settings", .http2Settings), ("proxy-authenticate", .proxyAuthenticate),
        ("authorization", .authorization), ("cookie", .cookie), ("set-cookie", .setCookie),
        ("proxy-authorization", .proxyAuthorization), ("www-authenticate", .wwwAuthenticate),
        ("x-tenant-id", .xTenantID), ("x-user-id", .xUserID), ("x-user-roles", .xUserRoles), ("x-api-key", .xAPIKey),
        ("x-request-id", .xRequestID), ("traceparent", .traceparent), ("tracestate", .tracestate), ("via", .via),
        ("forwarded", .forwarded), ("x-forwarded-for", .xForwardedFor), ("x-forwarded-proto", .xForwardedProto),
        ("x-forwarded-host", .xForwardedHost),
        ("x-real-ip", .xForwardedOther), ("x-client-ip", .xForwardedOther), ("true-client-ip", .xForwardedOther),
        ("x-forwarded-port", .xForwardedOther), ("x-forwarded-prefix", .xForwardedOther),
        ("x-forwarded-server", .xForwardedOther), ("x-forwarded-scheme", .xForwardedOther),
        ("x-forwarded-ssl", .xForwardedOther), ("x-forwarded-by", .xForwardedOther), ("x-forwarded", .xForwardedOther),
        ("x-forwarded-client-cert", .xForwardedOther), ("x-ssl-client-cert", .xForwardedOther), ("x-client-cert", .xForwardedOther),
        ("client-cert", .clientCertificate), ("client-cert-chain", .clientCertificate),
        ("x-http-method-override", .methodOverride), ("x-http-method", .methodOverride),
        ("x-method-override", .methodOverride), ("x-original-method", .methodOverride),
        ("x-original-url", .urlOverride), ("x-rewrite-url", .urlOverride), ("x-original-uri", .urlOverride),
        ("x-original-host", .urlOverride), ("x-forwarded-uri", .urlOverride), ("x-forwarded-path", .urlOverride),
        ("accept", .accept), ("accept-encoding", .acceptEncoding), ("range", .range), ("prefer", .prefer),
        ("max-forwards", .maxForwards), ("origin", .origin), ("user-agent", .userAgent),
        ("if-match", .conditional), ("if-none-match", .conditional), ("if-modified-since", .conditional),
        ("if-unmodified-since", .conditional), ("if-range", .conditional),
        ("content-type", .contentType), ("content-encoding", .contentEncoding), ("content-range", .contentRange),
        ("date", .date), ("server", .server), ("location", .location), ("allow", .allow), ("retry-after", .retryAfter),
        ("cache-control", .cacheControl), ("vary", .vary), ("etag", .etag), ("alt-svc", .altSvc),
        ("proxy-status", .proxyStatus), ("suspension-reach", .suspensionReach),
        ("strict-transport-security", .strictTransportSecurity),
        ("access-control-request-method", .accessControl), ("access-control-request-headers", .accessControl),
        ("access-control-allow-origin", .accessControl), ("access-control-allow-methods", .accessControl),
        ("access-control-allow-headers", .accessControl), ("access-control-allow-credentials", .accessControl),
        ("access-control-expose-headers", .accessControl), ("access-control-max-age", .accessControl),
        ("sec-websocket-key", .secWebSocketKey), ("sec-websocket-protocol", .secWebSocketProtocol),
        ("sec-websocket-version", .secWebSocketVersion), ("sec-websocket-extensions", .secWebSocketExtensions),
        ("sec-websocket-accept", .secWebSocketAccept),
    ]
}

/// A set of known fields in one word.
package struct FieldSet: Hashable, Sendable {
    private(set) var bits: UInt64

    package init() { bits = 0 }

    /// A literal's ids: folded to a constant by the compiler.
    @inline(__always)
    package init<let count: Int>(_ ids: InlineArray<count, FieldID>) {
        bits = 0
        for index in ids.indices { insert(ids[index]) }
    }

    package var isEmpty: Bool { bits == 0 }

    @inline(__always)
    package func contains(_ id: FieldID) -> Bool { bits &>> UInt64(id.rawValue) & 1 == 1 }

    @inline(__always)
    package mutating func insert(_ id: FieldID) { bits |= 1 &<< UInt64(id.rawValue) }

    package func union(_ other: Self) -> Self { Self(bits: bits | other.bits) }

    package func intersection(_ other: Self) -> Self { Self(bits: bits & other.bits) }

    private init(bits: UInt64) { self.bits = bits }
}

// Computed, not stored: a stored static is looked up through a lock-like check on every use, a constant is not.
extension FieldSet {
    /// Fields that say where a message ends or where it goes.
    package static var framing: Self { Self([.host, .contentLength, .transferEncoding]) }

    /// Fields that an intermediary removes whether `Connection` names them or not (RFC 9110 §7.6.1).
    package static var hopByHop: Self {
        Self([.connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade, .http2Settings])
    }

    /// Fields that may be sent once. A second line lets two readers pick two values.
    package static var singletons: Self {
        Self([
            .host, .contentLength, .transferEncoding, .expect, .authorization, .proxyAuthorization, .xTenantID, .xAPIKey, .contentType,
            .contentRange, .maxForwards, .range, .location, .etag, .secWebSocketKey,
        ])
    }

    /// Fields that must not come after a body (RFC 9110 §6.5.1): framing, routing, credentials and identity, what says how to read
    /// the body, and what a reader that merges trailers into the head would act on.
    package static let forbiddenInTrailers = Self([
        .host, .contentLength, .transferEncoding, .trailer, .expect,
        .connection, .keepAlive, .proxyConnection, .te, .upgrade, .http2Settings, .proxyAuthenticate,
        .authorization, .cookie, .setCookie, .proxyAuthorization, .wwwAuthenticate,
        .xTenantID, .xUserID, .xUserRoles, .xAPIKey,
        .xRequestID, .traceparent, .tracestate, .via, .forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedOther,
        .clientCertificate, .methodOverride, .urlOverride, .acceptEncoding, .range, .prefer, .maxForwards, .origin, .conditional,
        .contentType, .contentEncoding, .contentRange, .location, .allow, .retryAfter, .cacheControl, .vary, .altSvc, .proxyStatus,
        .suspensionReach, .strictTransportSecurity, .accessControl,
        .secWebSocketKey, .secWebSocketProtocol, .secWebSocketVersion, .secWebSocketExtensions, .secWebSocketAccept,
    ])
}
