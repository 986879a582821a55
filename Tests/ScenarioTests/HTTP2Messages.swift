import TestSupport

/// Requests that RFC 9113 §8 calls malformed, that could be read in two ways once they are HTTP/1.1, or that are too large.
enum HTTP2Messages {
    static let all = pseudo + names + values + connectionSpecific + targets + hosts + lengths + trailers + downgrades + limits

    private static func raw(_ name: String, _ value: String = "x") -> HTTP2Frame { GoodStream.with(HTTP2Field(name, value)) }
    private static func raw(_ name: [UInt8], _ value: [UInt8]) -> HTTP2Frame { GoodStream.with(HTTP2Field(name, value)) }

    static let pseudo: [HTTP2Case] = [
        HTTP2Case("8.3: an unknown pseudo-field", .malformed, GoodStream.starting(GoodStream.pseudo() + [HTTP2Field(":test", "x")])),
        HTTP2Case("8.3: :status in a request", .malformed, GoodStream.starting(GoodStream.pseudo() + [HTTP2Field(":status", "200")])),
        HTTP2Case(
            "8.3: :protocol that was not offered", .malformed, GoodStream.starting(GoodStream.pseudo() + [HTTP2Field(":protocol", "x")])),
        HTTP2Case("8.3: a pseudo-field behind a field", .malformed, .headers(1, GoodStream.fields() + [HTTP2Field(":path", "/v1/other")])),
        HTTP2Case(
            "8.3: pseudo-fields behind fields", .malformed, .headers(1, GoodStream.identity + GoodStream.pseudo())),
        HTTP2Case("8.3: an empty pseudo-name", .malformed, GoodStream.starting(GoodStream.pseudo() + [HTTP2Field(":", "x")])),
        HTTP2Case("8.3: a pseudo-field in capitals", .malformed, GoodStream.starting(GoodStream.pseudo() + [HTTP2Field(":Path", "/x")])),
        HTTP2Case("8.3.1: no :method", .malformed, GoodStream.without(":method")),
        HTTP2Case("8.3.1: no :scheme", .malformed, GoodStream.without(":scheme")),
        HTTP2Case("8.3.1: no :path", .malformed, GoodStream.without(":path")),
        HTTP2Case("8.3.1: no pseudo-field at all", .malformed, .headers(1, GoodStream.identity)),
        HTTP2Case("8.3.1: an empty block", .malformed, .headers(1, [])),
        HTTP2Case("8.3.1: :method twice", .malformed, GoodStream.starting(GoodStream.pseudo() + [HTTP2Field(":method", "GET")])),
        HTTP2Case("8.3.1: :scheme twice", .malformed, GoodStream.starting(GoodStream.pseudo() + [HTTP2Field(":scheme", "https")])),
        HTTP2Case("8.3.1: :path twice", .malformed, GoodStream.starting(GoodStream.pseudo() + [HTTP2Field(":path", "/v1/auth/x")])),
        HTTP2Case(
            "8.3.1: :authority twice", .malformed, GoodStream.starting(GoodStream.pseudo() + [HTTP2Field(":authority", "gateway.test")])),
        HTTP2Case("8.3.1: an empty :path", .malformed, GoodStream.target("")),
        HTTP2Case("8.3.1: an empty :method", .malformed, GoodStream.target("/v1/page", method: "")),
        HTTP2Case("8.3.1: a method of two words", .malformed, GoodStream.target("/v1/page", method: "GET /v1/auth/x HTTP/1.1")),
        HTTP2Case("8.3.1: a method with a line end", .malformed, GoodStream.target("/v1/page", method: "GET\r\nx: y")),
        HTTP2Case("8.3.1: a method in lower case", .refused("method_not_allowed"), .headers(1, GoodStream.fields("get", "/healthz"))),
        HTTP2Case("8.3.1: TRACE", .refused("method_not_allowed"), GoodStream.target("/v1/page", method: "TRACE")),
        HTTP2Case("8.3.1: plain http", .refused("bad_request"), GoodStream.starting(GoodStream.pseudo(scheme: "http"))),
        HTTP2Case("8.3.1: an unknown scheme", .refused("bad_request"), GoodStream.starting(GoodStream.pseudo(scheme: "ftp"))),
        HTTP2Case(
            "8.5: CONNECT", .refused("method_not_allowed", reset: HTTP2Codes.noError),
            GoodStream.starting([HTTP2Field(":method", "CONNECT"), HTTP2Field(":authority", "gateway.test:443")], end: false)),
        HTTP2Case("8.5: CONNECT with a path", .malformed, GoodStream.target("/v1/page", method: "CONNECT")),
        HTTP2Case("8.5: CONNECT without :authority", .malformed, GoodStream.starting([HTTP2Field(":method", "CONNECT")])),
    ]

    static let names: [HTTP2Case] = [
        HTTP2Case("8.2: a name in capitals", .malformed, raw("X-Name")),
        HTTP2Case("8.2: one capital in the tenant's field", .malformed, raw("x-Tenant-id", TestIssuers.globex)),
        HTTP2Case("8.2.1: an empty name", .malformed, raw("")),
        HTTP2Case("8.2.1: a space in a name", .malformed, raw("x name")),
        HTTP2Case("8.2.1: a space behind a name", .malformed, raw("x-tenant-id ", TestIssuers.globex)),
        HTTP2Case("8.2.1: a colon in a name", .malformed, raw("x-name: y")),
        HTTP2Case("8.2.1: a line end in a name", .malformed, raw("x-name: y\r\nx-tenant-id")),
        HTTP2Case("8.2.1: a bare LF in a name", .malformed, raw("x\nname")),
        HTTP2Case("8.2.1: NUL in a name", .malformed, raw([0x78, 0], [0x79])),
        HTTP2Case("8.2.1: DEL in a name", .malformed, raw([0x78, 0x7F], [0x79])),
        HTTP2Case("8.2.1: a name beyond ASCII", .malformed, raw([0x78, 0xE4], [0x79])),
    ]

    static let values: [HTTP2Case] = [
        HTTP2Case("8.2.1: CR LF in a value", .malformed, raw("x-name", "a\r\nx-tenant-id: \(TestIssuers.globex)")),
        HTTP2Case("8.2.1: a whole head in a value", .malformed, raw("x-name", "a\r\n\r\nGET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n")),
        HTTP2Case("8.2.1: a bare LF in a value", .malformed, raw("x-name", "a\nb")),
        HTTP2Case("8.2.1: a bare CR in a value", .malformed, raw("x-name", "a\rb")),
        HTTP2Case("8.2.1: NUL in a value", .malformed, raw("x-name", "a\u{0}b")),
        HTTP2Case("8.2.1: a space before a value", .malformed, raw("x-name", " a")),
        HTTP2Case("8.2.1: a tab behind a value", .malformed, raw("x-name", "a\t")),
        HTTP2Case("8.2.1: a line end in :authority", .malformed, GoodStream.starting(GoodStream.pseudo(authority: "gateway.test\r\nx: y"))),
        HTTP2Case("8.2.1: a line end in :path", .malformed, GoodStream.target("/v1/page HTTP/1.1\r\nx-tenant-id: x\r\nx: y")),
        HTTP2Case("9110 5.5: a control character in a value", .refused("bad_request"), raw("x-name", "a\u{1}b")),
        HTTP2Case("9110 5.5: DEL in a value", .refused("bad_request"), raw("x-name", "a\u{7F}b")),
    ]

    static let connectionSpecific: [HTTP2Case] = [
        HTTP2Case("8.2.2: connection", .malformed, raw("connection", "keep-alive")),
        HTTP2Case("8.2.2: connection that names the tenant's field", .malformed, raw("connection", "x-tenant-id")),
        HTTP2Case("8.2.2: keep-alive", .malformed, raw("keep-alive", "timeout=5")),
        HTTP2Case("8.2.2: proxy-connection", .malformed, raw("proxy-connection", "keep-alive")),
        HTTP2Case("8.2.2: transfer-encoding: chunked", .malformed, GoodStream.post(HTTP2Field("transfer-encoding", "chunked"))),
        HTTP2Case("8.2.2: transfer-encoding: identity", .malformed, GoodStream.post(HTTP2Field("transfer-encoding", "identity"))),
        HTTP2Case("8.2.2: upgrade", .malformed, raw("upgrade", "websocket")),
        HTTP2Case("8.2.2: te: gzip", .malformed, raw("te", "gzip")),
        HTTP2Case("8.2.2: te: trailers, gzip", .malformed, raw("te", "trailers, gzip")),
    ]

    static let targets: [HTTP2Case] = [
        HTTP2Case("8.3.1: a path without its slash", .malformed, GoodStream.target("v1/page")),
        HTTP2Case("8.3.1: an absolute URL as :path", .malformed, GoodStream.target("https://gateway.test/v1/page")),
        HTTP2Case("8.3.1: * for GET", .malformed, GoodStream.target("*")),
        HTTP2Case("8.3.1: a space in :path", .malformed, GoodStream.target("/v1/a b")),
        HTTP2Case("8.3.1: another version in :path", .malformed, GoodStream.target("/v1/page HTTP/1.1")),
        HTTP2Case("8.3.1: a tab in :path", .malformed, GoodStream.target("/v1/a\tb")),
        HTTP2Case("8.3.1: a path beyond ASCII", .malformed, GoodStream.target("/v1/ä")),
        HTTP2Case("SPEC 5: a fragment", .refused("ambiguous_path"), GoodStream.target("/v1/page#x")),
        HTTP2Case("SPEC 5: dot segments", .refused("ambiguous_path"), GoodStream.target("/v1/auth/../page")),
        HTTP2Case("SPEC 5: escaped dot segments", .refused("ambiguous_path"), GoodStream.target("/v1/auth/%2e%2e/page")),
        HTTP2Case("SPEC 5: an escaped slash", .refused("ambiguous_path"), GoodStream.target("/v1/auth%2Fpage")),
        HTTP2Case("SPEC 5: a double slash", .refused("ambiguous_path"), GoodStream.target("//v1/page")),
        HTTP2Case("SPEC 5: an unknown route", .refused("route_not_found"), GoodStream.target("/nowhere")),
        HTTP2Case("SPEC 5: a method in the query", .refused("bad_request"), GoodStream.target("/v1/page?_method=DELETE")),
    ]

    static let hosts: [HTTP2Case] = [
        HTTP2Case("8.3.1: host that differs from :authority", .malformed, raw("host", "other.test")),
        HTTP2Case("8.3.1: host with another port", .malformed, raw("host", "gateway.test:444")),
        HTTP2Case(
            "8.3.1: neither :authority nor host", .refused("bad_request"), GoodStream.starting(GoodStream.pseudo(authority: nil))),
        HTTP2Case(
            "8.3.1: host twice", .refused("duplicate_header"),
            .headers(
                1,
                GoodStream.pseudo(authority: nil) + GoodStream.identity
                    + [HTTP2Field("host", "gateway.test"), HTTP2Field("host", "gateway.test")])),
        HTTP2Case(
            "8.3.1: user info in :authority", .refused("bad_request"), GoodStream.starting(GoodStream.pseudo(authority: "a@gateway.test"))),
        HTTP2Case("8.3.1: an empty :authority", .refused("bad_request"), GoodStream.starting(GoodStream.pseudo(authority: ""))),
        HTTP2Case(
            "8.3.1: a space in :authority", .refused("bad_request"), GoodStream.starting(GoodStream.pseudo(authority: "gateway.test x"))),
        HTTP2Case(
            "8.3.1: a path in :authority", .refused("bad_request"),
            GoodStream.starting(GoodStream.pseudo(authority: "gateway.test/v1/auth"))),
    ]

    static let lengths: [HTTP2Case] = [
        HTTP2Case("8.1.1: content-length without DATA", .malformed, raw("content-length", "5")),
        HTTP2Case(
            "8.1.1: less DATA than content-length", .malformed, GoodStream.post(HTTP2Field("content-length", "5")), .data(1, [65, 66]),
            late: true),
        HTTP2Case(
            "8.1.1: more DATA than content-length", .malformed, GoodStream.post(HTTP2Field("content-length", "1")), .data(1, [65, 66]),
            late: true),
        HTTP2Case(
            "8.1.1: more DATA than content-length, and more to come", .malformed, GoodStream.post(HTTP2Field("content-length", "1")),
            .data(1, [65, 66], end: false), late: true),
        HTTP2Case(
            "8.1.1: DATA with content-length 0", .malformed, GoodStream.post(HTTP2Field("content-length", "0")), .data(1, [65]), late: true),
        HTTP2Case(
            "8.1.1: an empty end before content-length", .malformed, GoodStream.post(HTTP2Field("content-length", "5")),
            .data(1, [65, 66, 67], end: false), .data(1, []), late: true),
        HTTP2Case(
            "8.6: content-length twice", .refused("duplicate_header", reset: 0),
            GoodStream.post(HTTP2Field("content-length", "1"), HTTP2Field("content-length", "1"))),
        HTTP2Case("8.6: a list of lengths", .refused("bad_request", reset: 0), GoodStream.post(HTTP2Field("content-length", "1, 1"))),
        HTTP2Case("8.6: a length with a sign", .refused("bad_request", reset: 0), GoodStream.post(HTTP2Field("content-length", "+1"))),
        HTTP2Case("8.6: a length in hex", .refused("bad_request", reset: 0), GoodStream.post(HTTP2Field("content-length", "0x1"))),
        HTTP2Case(
            "8.6: a length with a zero before it", .refused("bad_request", reset: 0), GoodStream.post(HTTP2Field("content-length", "01"))),
        HTTP2Case(
            "8.6: a length beyond all reason", .refused("bad_request", reset: 0),
            GoodStream.post(HTTP2Field("content-length", "99999999999999999999"))),
        HTTP2Case("8.6: an empty length", .refused("bad_request", reset: 0), GoodStream.post(HTTP2Field("content-length", ""))),
    ]
}
