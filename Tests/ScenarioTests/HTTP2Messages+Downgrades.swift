import TestSupport

extension HTTP2Messages {
    private static func field(_ name: String, _ value: String) -> HTTP2Frame { GoodStream.with(HTTP2Field(name, value)) }

    private static func trailer(_ name: String, _ outcome: HTTP2Outcome, _ fields: [HTTP2Field], end: Bool = true) -> HTTP2Case {
        HTTP2Case(name, outcome, GoodStream.post(), .data(1, Array("hello".utf8), end: false), .headers(1, fields, end: end), late: true)
    }

    static let trailers: [HTTP2Case] = [
        trailer("8.1: trailers that don't end the stream", .malformed, [HTTP2Field("x-check", "1")], end: false),
        trailer("8.1: a pseudo-field in trailers", .malformed, [HTTP2Field(":path", "/v1/other")]),
        trailer("8.1: :status in trailers", .malformed, [HTTP2Field(":status", "200")]),
        trailer("8.2: capitals in trailers", .malformed, [HTTP2Field("X-Check", "1")]),
        trailer("8.2.1: a line end in a trailer", .malformed, [HTTP2Field("x-check", "1\r\n\r\nGET /v1/smuggled HTTP/1.1\r\n")]),
        trailer("8.2.2: transfer-encoding in trailers", .malformed, [HTTP2Field("transfer-encoding", "chunked")]),
        trailer("SPEC 3: the tenant's field in trailers", .refused("bad_request"), [HTTP2Field("x-tenant-id", TestIssuers.globex)]),
        trailer("SPEC 3: another spelling of it in trailers", .refused("bad_request"), [HTTP2Field("x_tenant_id", TestIssuers.globex)]),
        trailer("9110 6.5.1: content-length in trailers", .refused("bad_request"), [HTTP2Field("content-length", "5")]),
        trailer("9110 6.5.1: host in trailers", .refused("bad_request"), [HTTP2Field("host", "gateway.test")]),
        trailer("9110 6.5.1: authorization in trailers", .refused("bad_request"), [HTTP2Field("authorization", "Bearer x")]),
        trailer(
            "limits: trailers too large", .refused("headers_too_large"), [HTTP2Field("x-check", String(repeating: "x", count: 9000))]),
    ]

    /// What would be harmless in HTTP/2 and is not once it is HTTP/1.1, or the other way round.
    static let downgrades: [HTTP2Case] = [
        HTTP2Case(
            "downgrade: transfer_encoding", .refused("bad_request", reset: 0), GoodStream.post(HTTP2Field("transfer_encoding", "chunked"))),
        HTTP2Case("downgrade: content_length", .refused("bad_request", reset: 0), GoodStream.post(HTTP2Field("content_length", "5"))),
        HTTP2Case("downgrade: content.length", .refused("bad_request", reset: 0), GoodStream.post(HTTP2Field("content.length", "5"))),
        HTTP2Case("SPEC 3: the tenant's field twice", .refused("duplicate_header"), field("x-tenant-id", TestIssuers.acme)),
        HTTP2Case("SPEC 3: another tenant's beside it", .refused("duplicate_header"), field("x-tenant-id", TestIssuers.globex)),
        HTTP2Case("SPEC 3: x_tenant_id", .refused("duplicate_header"), field("x_tenant_id", TestIssuers.globex)),
        HTTP2Case(
            "SPEC 3: x.tenant.id alone", .refused("bad_request"),
            .headers(1, GoodStream.pseudo() + [GoodStream.identity[0], HTTP2Field("x.tenant.id", TestIssuers.acme)])),
        HTTP2Case("SPEC 2: authorization twice", .refused("duplicate_header"), field("authorization", "Bearer x")),
        HTTP2Case("SPEC 2: a cookie beside the token", .refused("ambiguous_credential"), field("cookie", "session=1")),
        HTTP2Case(
            "SPEC 2: crumbs of a cookie beside the token", .refused("ambiguous_credential"),
            GoodStream.with(HTTP2Field("cookie", "a=1"), HTTP2Field("cookie", "b=2"))),
        HTTP2Case("SPEC 2: x-api-key beside the token", .refused("ambiguous_credential"), field("x-api-key", "k")),
        HTTP2Case("SPEC 2: no token", .refused("unauthenticated"), .headers(1, GoodStream.pseudo())),
        HTTP2Case(
            "SPEC 3: another tenant", .refused("tenant_mismatch"),
            .headers(1, GoodStream.pseudo() + [GoodStream.identity[0], HTTP2Field("x-tenant-id", TestIssuers.globex)])),
        HTTP2Case("9110 10.1.1: an unknown expectation", .refused("bad_request"), field("expect", "200-ok")),
    ]

    static let limits: [HTTP2Case] = [
        HTTP2Case("limits: a path too long", .refused("uri_too_long"), GoodStream.target("/v1/" + String(repeating: "x", count: 8200))),
        HTTP2Case(
            "limits: too many fields", .refused("headers_too_large"),
            .headers(1, GoodStream.fields("GET", "/v1/page", (0..<130).map { HTTP2Field("x-\($0)", "1") }))),
        HTTP2Case(
            "limits: a head too large", .refused("headers_too_large"), bytes: split(GoodStream.fields("GET", "/v1/page", large(5)), 3)),
        HTTP2Case(
            "limits: a cookie of many crumbs", .refused("headers_too_large"),
            bytes: split(
                GoodStream.pseudo("GET", "/healthz") + (0..<40).map { _ in HTTP2Field("cookie", String(repeating: "c", count: 1000)) }, 3)),
        HTTP2Case(
            "limits: a header block far too large", .connection([HTTP2Codes.enhanceYourCalm]),
            bytes: split(GoodStream.fields("GET", "/v1/page", large(17)), 8)),
    ]

    private static func large(_ count: Int) -> [HTTP2Field] {
        (0..<count).map { HTTP2Field("x-large-\($0)", String(repeating: "x", count: 7900)) }
    }

    /// A request in HEADERS and `count` CONTINUATIONs.
    static func split(_ fields: [HTTP2Field], _ count: Int, stream: UInt32 = 1) -> [UInt8] {
        let block = HPACK.block(fields)
        let size = block.count / (count + 1) + 1
        let parts = stride(from: 0, to: block.count, by: size).map { Array(block[$0..<min($0 + size, block.count)]) }
        return parts.enumerated().flatMap { index, part in
            let isLast = index == parts.count - 1 ? HTTP2Frame.endHeaders : 0
            return index == 0
                ? HTTP2Frame(.headers, flags: HTTP2Frame.endStream | isLast, stream: stream, part).bytes
                : HTTP2Frame(.continuation, flags: isLast, stream: stream, part).bytes
        }
    }
}
