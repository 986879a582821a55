import HTTPWire
import NIOCore
import Policy

/// Makes the head that goes upstream: the received lines as they came, less what must not pass, plus what the gateway vouches for.
///
/// Neighbouring lines that are kept are copied as one run. The result is one buffer.
struct RequestRewriter {
    let head: RequestHead
    let admission: Admission
    let snapshot: Snapshot
    let peer: Peer
    let id: RequestID

    /// Bytes that the added lines take, besides ids and roles: so much is reserved, more is grown.
    private static let added = 256

    func rewritten() -> ByteBuffer {
        let rules = snapshot.rules[admission.route]
        var out = ByteBufferAllocator().buffer(capacity: head.bytes.readableBytes + Self.added)
        writeRequestLine(into: &out)
        writeKeptFields(into: &out, rules.route)
        writeIdentity(into: &out)
        writeOrigin(into: &out)
        if admission.intent != nil || admission.observed != nil { out.writeField("Accept-Encoding", "identity") }
        // A suspend call's length is added with its body.
        if admission.intent != nil { return out }
        if head.framing == .chunked { out.writeField("Transfer-Encoding", "chunked") }
        out.writeStaticString("\r\n")
        return out
    }

    private func writeRequestLine(into out: inout ByteBuffer) {
        let bytes = head.bytes.readableBytesUInt8Span
        out.writeBytes(bytes.extracting(head.methodRange))
        out.writeStaticString(" ")
        if let path = admission.path { out.writeBytes(path) } else { out.writeBytes(bytes.extracting(head.pathRange)) }
        if let query = head.queryRange {
            out.writeStaticString("?")
            out.writeBytes(bytes.extracting(query))
        }
        out.writeStaticString(" HTTP/1.1\r\n")
    }

    private func writeKeptFields(into out: inout ByteBuffer, _ route: Route) {
        let dropped = dropped(route)
        out.writeLines(of: head.message) { field in
            !field.isHopByHop && (field.id == .other || !(dropped.contains(field.id) || (field.isVariantSpelling && Self.exact.contains(field.id))))
        }
    }

    /// What the gateway vouches for: tenant, user, roles.
    private func writeIdentity(into out: inout ByteBuffer) {
        if !admission.tenantHeader.isEmpty {
            out.writeStaticString("X-Tenant-ID: ")
            out.writeBytes(admission.tenantHeader)
            out.writeStaticString("\r\n")
        }
        guard let credential = admission.credential else { return }
        if let user = credential.userHeader {
            out.writeStaticString("X-User-ID: ")
            out.writeBytes(user)
            out.writeStaticString("\r\n")
        }
        guard let roles = credential.rolesHeader(in: admission.selectedTenant) else { return }
        out.writeStaticString("X-User-Roles: ")
        out.writeBytes(roles)
        out.writeStaticString("\r\n")
    }

    /// Where the request came from (RFC 9110 §7.6.3 for `Via`).
    private func writeOrigin(into out: inout ByteBuffer) {
        out.writeStaticString("X-Forwarded-For: ")
        out.writeBytes(peer.text)
        out.writeStaticString(peer.isTLS ? "\r\nX-Forwarded-Proto: https\r\nX-Request-ID: " : "\r\nX-Forwarded-Proto: http\r\nX-Request-ID: ")
        out.writeRequestID(id)
        out.writeStaticString("\r\nVia: 1.1 tenantgate\r\n")
    }

    /// Fields that a client never sets for the upstream.
    private static let always = FieldSet([
        .xTenantID, .xUserID, .xUserRoles, .methodOverride, .urlOverride, .xRequestID, .transferEncoding, .connection, .keepAlive,
        .proxyConnection, .te, .upgrade, .http2Settings,
    ])
    /// Fields that only trusted proxies set.
    private static let forwarding = FieldSet([.xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedOther, .forwarded])
    /// Fields that would make a suspend call's answer say less than the whole state.
    private static let partial = FieldSet([.acceptEncoding, .range, .conditional, .prefer, .expect, .contentLength])

    /// Known names of which only the true spelling goes on: another one is read as the true one by some servers.
    private static let exact = FieldSet([
        .authorization, .cookie, .proxyAuthorization, .xAPIKey, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedOther,
        .forwarded,
    ])

    private func dropped(_ route: Route) -> FieldSet {
        var set = Self.always
        if !peer.isTrusted { set = set.union(Self.forwarding) }
        if route.dropsAuthorization { set.insert(.authorization) }
        if admission.intent != nil { set = set.union(Self.partial) } else if admission.observed != nil { set.insert(.acceptEncoding) }
        return set
    }
}
