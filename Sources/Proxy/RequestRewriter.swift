import HTTPWire
import NIOCore
import Policy

/// Makes the head that goes upstream: the received lines as they came, less what must not pass, plus what the gateway vouches for.
///
/// Neighbouring lines that are kept are copied as one run. The result is one buffer.
enum RequestRewriter {
    /// Bytes that the added lines take besides ids, roles and addresses.
    private static let fixedSize = 400 + TraceContext.fieldSize

    /// The head that goes upstream for `admission`, made of the received one.
    static func rewritten(
        _ head: borrowing RequestHead, _ admission: borrowing Admission, _ route: borrowing Route, _ peer: borrowing Peer,
        _ record: borrowing AccessRecord, upgrades: Bool
    ) -> ByteBuffer {
        let trace = record.trace
        var dropped = dropped(admission, route, peer)
        // What belongs to a trace that is not continued must not stay (§3.3.1.5).
        if trace.isMade { dropped = dropped.union(Self.trace) }
        if admission.subprotocols != nil { dropped.insert(.secWebSocketProtocol) }
        let user = admission.credential?.userHeader
        let roles = admission.credential?.rolesHeader(in: admission.selectedTenant)
        // Who reads `Forwarded` of trusted proxies goes by its last element, which is ours to say.
        let forwarded = peer.isTrusted && head.present.contains(.forwarded) ? peer.forwarded : nil
        let bound =
            head.message.bytes.readableBytes + fixedSize + (admission.path?.count ?? 0) + admission.tenantHeader.count
            + (admission.subprotocols?.count ?? 0) + (peer.client?.header?.count ?? 0)
            + (user?.count ?? 0) + (roles?.count ?? 0) + peer.text.count + (forwarded?.count ?? 0) + record.id.count
        var out = ByteBufferAllocator().buffer(capacity: bound)
        out.compose(atMost: bound) { line in
            putRequestLine(head, path: admission.path, into: &line)
            putKeptFields(head, without: dropped, into: &line)
            line.putField("X-Tenant-ID: ", admission.tenantHeader)
            line.putField("X-User-ID: ", user)
            line.putField("X-User-Roles: ", roles)
            putOrigin(head, peer, record, into: &line)
            line.putField("Forwarded: ", forwarded)
            line.putField("Client-Cert: ", peer.client?.header)
            if trace.isMade { line.put(trace) }
            if admission.intent != nil || admission.observed != nil { line.put("Accept-Encoding: identity\r\n") }
            line.putField("Sec-WebSocket-Protocol: ", admission.subprotocols)
            if upgrades { line.put("Connection: Upgrade\r\nUpgrade: websocket\r\n") }
            // A suspend call's length is added with its body.
            if admission.intent == nil { line.put(head.framing == .chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n") }
        }
        return out
    }

    private static func putRequestLine(_ head: borrowing RequestHead, path: [UInt8]?, into line: inout Composer) {
        let bytes = head.message.bytes.readableBytesUInt8Span
        line.put(bytes.extracting(head.methodRange))
        line.put(byte: UInt8(ascii: " "))
        if let path { line.put(path) } else { line.put(bytes.extracting(head.pathRange)) }
        if let query = head.queryRange {
            line.put(byte: UInt8(ascii: "?"))
            line.put(bytes.extracting(query))
        }
        line.put(" HTTP/1.1\r\n")
    }

    private static func putKeptFields(_ head: borrowing RequestHead, without dropped: FieldSet, into line: inout Composer) {
        line.put(linesOf: head.message) { field in
            !field.isHopByHop
                && (field.id == .other || !(dropped.contains(field.id) || (field.isVariantSpelling && exact.contains(field.id))))
        }
    }

    /// Where the request came from (RFC 9110 §7.6.3 for `Via`). How it came to a trusted proxy, that one knows better.
    private static func putOrigin(
        _ head: borrowing RequestHead, _ peer: borrowing Peer, _ record: borrowing AccessRecord, into line: inout Composer
    ) {
        line.putField("X-Forwarded-For: ", peer.text)
        let isKnown =
            peer.isTrusted && head.present.contains(.xForwardedProto) && !head.variants.contains(.xForwardedProto)
            && !head.message.connection.named.contains(.xForwardedProto)
        if !isKnown { line.put(peer.isTLS ? "X-Forwarded-Proto: https\r\n" : "X-Forwarded-Proto: http\r\n") }
        line.put("X-Request-ID: ")
        line.put(record.id)
        line.put(record.isHTTP2 ? "\r\nVia: 2.0 tenantgate\r\n" : "\r\nVia: 1.1 tenantgate\r\n")
    }

    /// Fields that a client never sets for the upstream.
    private static let always = FieldSet([
        .xTenantID, .xUserID, .xUserRoles, .methodOverride, .urlOverride, .xRequestID, .transferEncoding, .connection, .keepAlive,
        .proxyConnection, .te, .upgrade, .http2Settings, .clientCertificate,
    ])
    /// Fields of a trace that was not to be read.
    private static let trace = FieldSet([.traceparent, .tracestate])
    /// Fields that only trusted proxies set.
    private static let forwarding = FieldSet([.xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedOther, .forwarded])
    /// Fields that would make a suspend call's answer say less than the whole state.
    private static let partial = FieldSet([.acceptEncoding, .range, .conditional, .prefer, .expect, .contentLength])

    /// Known names of which only the true spelling goes on: another one is read as the true one by some servers.
    private static let exact = FieldSet([
        .authorization, .cookie, .proxyAuthorization, .xAPIKey, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedOther,
        .forwarded,
    ])

    /// What of the client's fields does not go upstream.
    private static func dropped(_ admission: borrowing Admission, _ route: borrowing Route, _ peer: borrowing Peer) -> FieldSet {
        var set = always
        if !peer.isTrusted { set = set.union(forwarding) }
        if route.dropsAuthorization { set.insert(.authorization) }
        if admission.intent != nil { set = set.union(partial) } else if admission.observed != nil { set.insert(.acceptEncoding) }
        return set
    }
}

extension Composer {
    /// A field line; none for an absent or empty value.
    fileprivate mutating func putField(_ name: StaticString, _ value: [UInt8]?) {
        guard let value, !value.isEmpty else { return }
        put(name)
        put(value)
        put("\r\n")
    }
}
