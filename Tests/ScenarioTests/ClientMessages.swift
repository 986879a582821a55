import TestSupport

/// Malformed and ambiguous requests: RFC 9112, RFC 9110, and what request smuggling was built from.
enum ClientMessages {
    typealias Good = GoodRequest

    static let all: [WireCase] = [
        startLines, targets, lines, fieldLines, hosts, lengths, codings, connections, identities, bounds, chunks, trailers,
    ].flatMap { $0 }

    static let startLines: [WireCase] =
        [
            ("two spaces before the target", "GET  /v1/page HTTP/1.1"), ("two spaces before the version", "GET /v1/page  HTTP/1.1"),
            ("tab before the target", "GET\t/v1/page HTTP/1.1"), ("tab before the version", "GET /v1/page\tHTTP/1.1"),
            ("space before the method", " GET /v1/page HTTP/1.1"), ("space behind the version", "GET /v1/page HTTP/1.1 "),
            ("no version", "GET /v1/page"), ("no target", "GET HTTP/1.1"), ("only a method", "GET"),
            ("space in the target", "GET /v1/a page HTTP/1.1"),
            ("lower case protocol", "GET /v1/page http/1.1"), ("another protocol", "GET /v1/page HTTPS/1.1"),
            ("two minor digits", "GET /v1/page HTTP/1.10"),
            ("two major digits", "GET /v1/page HTTP/01.1"), ("no minor", "GET /v1/page HTTP/1"), ("no dot", "GET /v1/page HTTP/11"),
            ("a comma", "GET /v1/page HTTP/1,1"), ("a sign", "GET /v1/page HTTP/+1.1"), ("space in the version", "GET /v1/page HTTP/ 1.1"),
            ("NUL behind the version", "GET /v1/page HTTP/1.1\u{0}"), ("a method with @", "G@T /v1/page HTTP/1.1"),
            ("a method in braces", "{GET} /v1/page HTTP/1.1"), ("a method with a colon", "GET: /v1/page HTTP/1.1"),
            ("a method with NUL", "GE\u{0}T /v1/page HTTP/1.1"), ("a method with a slash", "GET/ /v1/page HTTP/1.1"),
            ("a method in quotes", "\"GET\" /v1/page HTTP/1.1"),
            ("a method that is a letter with a dot above", "G\u{117}T /v1/page HTTP/1.1"),
            ("a folded request line", "GET /v1/page\r\n HTTP/1.1"), ("vertical tab for space", "GET\u{B}/v1/page HTTP/1.1"),
            ("form feed for space", "GET /v1/page\u{C}HTTP/1.1"), ("no-break space", "GET\u{A0}/v1/page HTTP/1.1"),
        ].map { WireCase("request line: \($0.0)", Good.line($0.1)) }
        + [
            ("HTTP/1.0", "GET /v1/page HTTP/1.0"), ("HTTP/0.9 with a version", "GET /v1/page HTTP/0.9"),
            ("HTTP/1.2", "GET /v1/page HTTP/1.2"),
            ("HTTP/2.0", "GET /v1/page HTTP/2.0"), ("HTTP/9.9", "GET /v1/page HTTP/9.9"),
        ].map { WireCase("request line: \($0.0)", Good.line($0.1), ["http_version_not_supported"]) }
        + [
            WireCase("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ["http_version_not_supported", "bad_request"]),
            WireCase("two empty lines first", "\r\n\r\n" + Good.target("/v1/page")),
            WireCase("TLS inside TLS", [0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x00, 0x0D, 0x0A, 0x0D, 0x0A]),
            WireCase("TRACE", Good.target("/v1/page", method: "TRACE"), ["method_not_allowed"]),
            WireCase("CONNECT", Good.line("CONNECT gateway.test:443 HTTP/1.1"), ["method_not_allowed", "bad_request", "route_not_found"]),
        ]

    static let targets: [WireCase] =
        [
            ("no slash first", "v1/page"), ("asterisk", "*"), ("no scheme", "://gateway.test/v1/page"),
            ("another scheme", "ftp://gateway.test/v1/page"),
            ("a scheme without slashes", "http:/v1/page"), ("another host", "http://other.test/v1/page"),
            ("another port", "https://gateway.test:1/v1/page"),
            ("user info", "https://me@gateway.test/v1/page"), ("an empty host", "https:///v1/page"),
            ("a backslash host", "https://gateway.test\\@other.test/v1/page"),
        ].map { WireCase("target: \($0.0)", Good.target($0.1)) }
        + [WireCase("target: too long", Good.target("/v1/" + String(repeating: "a", count: 9000)), ["uri_too_long"])]

    static let lines: [WireCase] =
        [
            ("LF alone everywhere", Good.target("/v1/page").replacing("\r\n", with: "\n")),
            ("LF alone behind the request line", "GET /v1/page HTTP/1.1\nHost: gateway.test\r\n\(Good.identity)\r\n"),
            ("LF alone behind a field", Good.fields("X-A: 1\nX-B: 2")),
            ("LF alone for the empty line", Good.fields("X-A: 1").dropLast(2) + "\n"),
            ("CR alone behind a field", Good.fields("X-A: 1\rX-B: 2")), ("CR CR LF", Good.fields("X-A: 1\r")),
            ("CR alone everywhere", Good.target("/v1/page").replacing("\r\n", with: "\r") + "\r\n\r\n"),
            ("CR in a value", Good.fields("X-A: a\rb")), ("LF CR", Good.fields("X-A: 1\n\rX-B: 2")),
        ].map { WireCase("line ends: \($0.0)", String($0.1)) }

    static let fieldLines: [WireCase] =
        [
            ("a space before the colon", "X-A : 1"), ("a tab before the colon", "X-A\t: 1"), ("no colon", "X-A"), ("an empty name", ": 1"),
            ("a space in the name", "X A: 1"), ("a folded line with a space", "X-A: 1\r\n 2"),
            ("a folded line with a tab", "X-A: 1\r\n\t2"),
            ("a folded Transfer-Encoding", "Transfer-Encoding:\r\n chunked"), ("NUL in the name", "X\u{0}A: 1"),
            ("NUL in the value", "X-A: a\u{0}b"),
            ("a bell in the value", "X-A: a\u{7}b"), ("DEL in the value", "X-A: a\u{7F}b"), ("escape in the value", "X-A: \u{1B}[2J"),
            ("a vertical tab before the name", "\u{B}X-A: 1"), ("a vertical tab in the value", "X-A: a\u{B}b"),
            ("parentheses in the name", "X(A): 1"),
            ("a comma in the name", "X,A: 1"), ("a semicolon in the name", "X;A: 1"), ("a slash in the name", "X/A: 1"),
            ("quotes in the name", "\"X\": 1"),
            ("an at sign in the name", "X@A: 1"), ("brackets in the name", "[X]: 1"), ("braces in the name", "{X}: 1"),
            ("an umlaut in the name", "X-\u{E4}: 1"),
            ("an equals sign in the name", "X=A: 1"), ("a backslash in the name", "X\\A: 1"), ("a question mark in the name", "X?: 1"),
            ("a request line among the fields", "GET /v1/admin HTTP/1.1"),
        ].map { WireCase("fields: \($0.0)", Good.fields($0.1)) } + [
            WireCase("fields: a space before the first name", "GET /v1/page HTTP/1.1\r\n Host: gateway.test\r\n\(Good.identity)\r\n"),
            WireCase("fields: an unknown expectation", Good.fields("Expect: 200-ok")),
            WireCase("fields: Expect twice", Good.fields("Expect: 100-continue", "Expect: 100-continue"), ["duplicate_header"]),
        ]

    static let hosts: [WireCase] =
        [
            WireCase("Host: absent", Good.host()),
            WireCase("Host: twice", Good.host("Host: gateway.test", "Host: other.test"), ["duplicate_header"]),
            WireCase("Host: twice alike", Good.host("Host: gateway.test", "host: gateway.test"), ["duplicate_header"]),
            WireCase("Host: a space before the colon", Good.host("Host : gateway.test")),
            WireCase("Host: a second one folded", Good.host("Host: gateway.test", " Host: other.test")),
        ]
        + [
            ("empty", ""), ("two words", "gateway.test other.test"), ("a list", "gateway.test, other.test"),
            ("user info", "me@gateway.test"),
            ("a port that is a word", "gateway.test:https"), ("a port too large", "gateway.test:65536"),
            ("a port with a sign", "gateway.test:+443"),
            ("two ports", "gateway.test:443:443"), ("a path", "gateway.test/v1"), ("a query", "gateway.test?x"),
            ("a fragment", "gateway.test#x"),
            ("an open bracket", "[::1"), ("a scheme", "https://gateway.test"), ("a percent", "gate%77ay.test"),
            ("a backslash", "gateway.test\\x"),
            ("a dot at the end", "gateway.test."), ("a dot at the end, and a port", "gateway.test.:443"), ("two dots", "gateway..test"),
            ("only a port", ":443"), ("a tab inside", "gateway\t.test"), ("a semicolon", "gateway.test;x"),
        ].map { WireCase("Host: \($0.0)", Good.host("Host: \($0.1)")) }

    static let lengths: [WireCase] =
        [
            ("a sign", "+5"), ("negative", "-5"), ("hexadecimal", "0x5"), ("a letter behind", "5a"), ("a space inside", "1 5"),
            ("empty", ""),
            ("a fraction", "5.0"), ("an exponent", "5e0"), ("a list", "5, 5"), ("a list of two lengths", "5, 6"), ("a comma behind", "5,"),
            ("beyond 64 bits", "18446744073709551621"), ("far beyond 64 bits", "99999999999999999999999999"),
            ("beyond 63 bits", "9223372036854775808"),
            ("Arabic digits", "\u{665}"), ("quotes", "\"5\""), ("a semicolon", "5;"), ("an underscore", "1_0"), ("leading zeros", "005"),
        ].map { WireCase("Content-Length: \($0.0)", Good.post(["Content-Length: \($0.1)"], "hello")) }
        + [
            WireCase("Content-Length: twice", Good.post(["Content-Length: 5", "Content-Length: 6"], "hello"), ["duplicate_header"]),
            WireCase("Content-Length: twice alike", Good.post(["Content-Length: 5", "Content-Length: 5"], "hello"), ["duplicate_header"]),
            WireCase("Content-Length: in another spelling", Good.post(["Content_Length: 5"], "hello")),
            WireCase(
                "Content-Length: beside another spelling", Good.post(["Content-Length: 5", "Content_Length: 0"], "hello"),
                ["bad_request", "duplicate_header"]),
            WireCase("Content-Length: a space before the colon", Good.post(["Content-Length : 5"], "hello")),
            WireCase("Content-Length: larger than allowed", Good.post(["Content-Length: 11000000"], "hello"), ["body_too_large"]),
        ]

    static let codings: [WireCase] =
        [
            ("beside a length (TE.CL)", ["Transfer-Encoding: chunked", "Content-Length: 5"]),
            ("behind a length (CL.TE)", ["Content-Length: 5", "Transfer-Encoding: chunked"]),
            ("in another spelling", ["Transfer_Encoding: chunked"]),
            ("in another spelling beside a length", ["Content-Length: 0", "Transfer_Encoding: chunked"]),
            ("a space before the colon", ["Transfer-Encoding : chunked"]), ("empty", ["Transfer-Encoding:"]),
            ("NUL before the value", ["Transfer-Encoding: \u{0}chunked"]),
            ("a vertical tab before the value", ["Transfer-Encoding: \u{B}chunked"]),
            ("a control character behind the value", ["Transfer-Encoding: chunked\u{1}"]),
        ].map { WireCase("Transfer-Encoding: \($0.0)", Good.post($0.1, "0\r\n\r\n")) }
        + [
            "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "identity, chunked", "xchunked", "chunkedx",
            "chunked;q=1", "\"chunked\"",
            "chunked,", ", chunked", "cow", "deflate", "x-chunked", "chunked chunked",
        ].map {
            WireCase("Transfer-Encoding: \($0)", Good.post(["Transfer-Encoding: \($0)"], "0\r\n\r\n"), ["not_implemented", "bad_request"])
        }
        + [
            WireCase(
                "Transfer-Encoding: twice", Good.post(["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "0\r\n\r\n"),
                ["duplicate_header"]),
            WireCase(
                "Transfer-Encoding: twice, the second unknown",
                Good.post(["Transfer-Encoding: chunked", "Transfer-Encoding: cow"], "0\r\n\r\n"),
                ["duplicate_header"]),
            WireCase(
                "Transfer-Encoding: in HTTP/1.0", Good.chunked("0\r\n\r\n").replacing("HTTP/1.1", with: "HTTP/1.0"),
                ["http_version_not_supported"]),
        ]

    static let connections: [WireCase] =
        [
            "Content-Length", "Host", "Transfer-Encoding", "close, Host", "X-Tenant-ID", "x-tenant-id, close", "X_Tenant_ID",
            "X.Tenant.ID", "Authorization", "X-User-ID",
            "X-User-Roles", "close, authorization", "keep-alive,X-TENANT-ID",
        ].map { WireCase("Connection names \($0)", Good.fields("Connection: \($0)")) } + [
            WireCase("Connection names an identity field in its second line", Good.fields("Connection: close", "Connection: X-Tenant-ID")),
            WireCase("Connection: no token", Good.fields("Connection: a b")),
            WireCase("Connection: in quotes", Good.fields("Connection: \"close\"")),
        ]

    static let identities: [WireCase] = [
        WireCase("Authorization twice", Good.fields("Authorization: Bearer x"), ["duplicate_header"]),
        WireCase("X-Tenant-ID twice", Good.fields("X-Tenant-ID: \(TestIssuers.acme)"), ["duplicate_header"]),
        WireCase(
            "X-Tenant-ID beside another spelling", Good.fields("X_Tenant_ID: \(TestIssuers.globex)"), ["bad_request", "duplicate_header"]),
        WireCase("X-Tenant-ID in another spelling", Good.tenant("X-Tenant_ID: \(TestIssuers.acme)")),
        WireCase("X-Tenant-ID with dots", Good.tenant("X.Tenant.ID: \(TestIssuers.acme)")),
        WireCase("X-Tenant-ID with tildes", Good.tenant("X~Tenant~ID: \(TestIssuers.acme)")),
        WireCase("Content-Length with a dot", Good.fields("Content.Length: 5")),
        WireCase("X-Tenant-ID with a space before the colon", Good.tenant("X-Tenant-ID : \(TestIssuers.acme)")),
        WireCase("X-Tenant-ID as a list", Good.tenant("X-Tenant-ID: \(TestIssuers.acme),\(TestIssuers.acme)"), ["invalid_tenant_id"]),
        WireCase("X-Tenant-ID in braces", Good.tenant("X-Tenant-ID: {\(TestIssuers.acme)}"), ["invalid_tenant_id"]),
        WireCase("X-Tenant-ID empty", Good.tenant("X-Tenant-ID:"), ["invalid_tenant_id"]),
        WireCase("X-Tenant-ID absent", Good.tenant(), ["tenant_required"]),
        WireCase("X-Tenant-ID of another", Good.tenant("X-Tenant-ID: \(TestIssuers.globex)"), ["tenant_mismatch"]),
        WireCase("a cookie beside the token", Good.fields("Cookie: a=b"), ["ambiguous_credential"]),
        WireCase("a cookie and no token", "GET /v1/page HTTP/1.1\r\nHost: gateway.test\r\nCookie: a=b\r\n\r\n", ["unauthenticated"]),
        WireCase(
            "a cookie beside another scheme",
            "GET /v1/page HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Basic eDp5\r\nCookie: a=b\r\n\r\n", ["unauthenticated"]),
        WireCase("an API key beside the token", Good.fields("X-API-Key: a"), ["ambiguous_credential"]),
        WireCase("an API key in another spelling", Good.fields("x_api_key: a"), ["ambiguous_credential", "bad_request"]),
        WireCase("an API key with dots", Good.fields("X.API.Key: a"), ["ambiguous_credential", "bad_request"]),
        WireCase("Proxy-Authorization beside the token", Good.fields("Proxy-Authorization: Basic eDp5"), ["ambiguous_credential"]),
    ]

    static let bounds: [WireCase] = [
        WireCase("one long field", Good.fields("X-A: " + String(repeating: "a", count: 33_000)), ["headers_too_large"]),
        WireCase("a long name", Good.fields(String(repeating: "a", count: 33_000) + ": 1"), ["headers_too_large"]),
        WireCase("many fields", Good.fields((0..<200).map { "X-\($0): 1" }.joined(separator: "\r\n")), ["headers_too_large"]),
        WireCase("a long method", Good.line(String(repeating: "A", count: 9000) + " /v1/page HTTP/1.1"), ["bad_request", "uri_too_long"]),
        WireCase(
            "a chunked body larger than allowed", Good.chunked("A7D8C1\r\n" + String(repeating: "a", count: 0xA7D8C1)), ["body_too_large"],
            inBody: true),
    ]

    static let chunks: [WireCase] = [
        ("a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n"), ("a size with a sign", "+5\r\nhello\r\n0\r\n\r\n"),
        ("a negative size", "-5\r\nhello\r\n0\r\n\r\n"),
        ("a space before the size", " 5\r\nhello\r\n0\r\n\r\n"), ("a letter for the size", "g\r\nhello\r\n0\r\n\r\n"),
        ("an empty size", "\r\nhello\r\n0\r\n\r\n"),
        ("a size beyond 64 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("seventeen zeros before the size", "000000000000000005\r\nhello\r\n0\r\n\r\n"),
        ("LF alone behind the size", "5\nhello\r\n0\r\n\r\n"), ("CR alone behind the size", "5\rhello\r\n0\r\n\r\n"),
        ("LF alone behind the data", "5\r\nhello\n0\r\n\r\n"),
        ("nothing behind the data", "5\r\nhello0\r\n\r\n"), ("more data than the size", "5\r\nhello!\r\n0\r\n\r\n"),
        ("two bytes more", "5\r\nhelloXX0\r\n\r\n"),
        ("LF in an extension (TERM.EXT)", "5;a\nb\r\nhello\r\n0\r\n\r\n"), ("CR in an extension", "5;a\rb\r\nhello\r\n0\r\n\r\n"),
        ("NUL in an extension", "5;a\u{0}\r\nhello\r\n0\r\n\r\n"),
        ("a long extension", "5;a=\(String(repeating: "b", count: 400))\r\nhello\r\n0\r\n\r\n"),
        ("a comma behind the size", "5,5\r\nhello\r\n0\r\n\r\n"),
        ("a fraction", "5.0\r\nhello\r\n0\r\n\r\n"), ("LF alone behind the last chunk", "5\r\nhello\r\n0\n\r\n"),
        ("LF alone at the very end", "5\r\nhello\r\n0\r\n\n\r\n"),
        ("a folded trailer", "0\r\nX-A: 1\r\n 2\r\n\r\n"), ("a size line of spaces", "   \r\nhello\r\n0\r\n\r\n"),
        ("Arabic digits", "\u{665}\r\nhello\r\n0\r\n\r\n"),
    ].map { WireCase("chunks: \($0.0)", Good.chunked($0.1), inBody: true) }

    static let trailers: [WireCase] =
        [
            "Host: other.test", "Content-Length: 5", "Transfer-Encoding: chunked", "Authorization: Bearer x",
            "X-Tenant-ID: \(TestIssuers.acme)",
            "x-tenant-id: \(TestIssuers.globex)", "X_Tenant_ID: \(TestIssuers.globex)", "X.Tenant.ID: \(TestIssuers.globex)",
            "X-User-ID: x", "X-User-Roles: admin", "X.User.Roles: admin", "X.HTTP.Method.Override: DELETE",
            "Cookie: a=b", "X-API-Key: a",
            "Connection: close", "Content-Type: text/plain", "Trailer: X-A", "X-HTTP-Method-Override: DELETE", "NoColon", "X-A : 1",
            "X-A: a\u{0}b",
        ].map { WireCase("trailer \($0)", Good.chunked("5\r\nhello\r\n0\r\n\($0)\r\n\r\n"), inBody: true) } + [
            WireCase(
                "too many trailers",
                Good.chunked("0\r\n" + (0..<300).map { "X-\($0): \(String(repeating: "a", count: 60))\r\n" }.joined() + "\r\n"),
                ["bad_request", "headers_too_large"], inBody: true)
        ]

    /// Unusual, but right: each must reach the upstream.
    static let goodNeighbours: [(String, String)] = [
        ("plain", Good.target("/v1/page")), ("one empty line first", "\r\n" + Good.target("/v1/page")),
        ("an unknown method", Good.target("/v1/page", method: "PROPFIND")),
        ("absolute form", Good.target("https://gateway.test/v1/page")),
        ("absolute form in upper case", Good.target("HTTPS://GATEWAY.TEST/v1/page")),
        ("Host with a port", Good.host("Host: gateway.test:8443")), ("Host as an address", Good.host("Host: [::1]:8443")),
        ("names in any case", Good.host("hOsT: gateway.test")),
        ("no space behind the colon", Good.fields("X-A:1")), ("spaces and tabs around a value", Good.fields("X-A: \t 1 \t ")),
        ("an empty value", Good.fields("X-A:")),
        ("bytes beyond ASCII in a value", Good.fields("X-A: \u{E4}")), ("a tab in a value", Good.fields("X-A: a\tb")),
        ("every token character in a name", Good.fields("!#$%&'*+-.^_`|~09aZ: 1")),
        ("dots in a name that nobody knows", Good.fields("Foo.Bar: 1", "X.Tenant.Name: 2")),
        ("a field twice that may be", Good.fields("Accept: a/b", "Accept: c/d")), ("Connection: close", Good.fields("Connection: close")),
        ("Connection names a field of the client's", Good.fields("X-Hop: 1", "Connection: X-Hop")),
        ("an offer of h2c", Good.fields("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")),
        ("a length", Good.post(["Content-Length: 5"], "hello")), ("a length of nothing", Good.post(["Content-Length: 0"], "")),
        ("chunks", Good.chunked("5\r\nhello\r\n0\r\n\r\n")),
        ("Chunked in upper case", Good.post(["Transfer-Encoding: CHUNKED"], "5\r\nhello\r\n0\r\n\r\n")),
        ("hex digits in both cases", Good.chunked("a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n")),
        ("a chunk extension", Good.chunked("5;a=b;c=\"d\"\r\nhello\r\n0\r\n\r\n")),
        ("zeros before the size", Good.chunked("0005\r\nhello\r\n0000\r\n\r\n")),
        ("trailers", Good.chunked("5\r\nhello\r\n0\r\nX-Checksum: 1\r\n\r\n")), ("no body at all", Good.post([], "")),
        ("HEAD", Good.target("/v1/page", method: "HEAD")),
        ("a body with GET", "GET /v1/page HTTP/1.1\r\nHost: gateway.test\r\n\(Good.identity)Content-Length: 5\r\n\r\nhello"),
        ("many fields within the bound", Good.fields((0..<100).map { "X-\($0): 1" }.joined(separator: "\r\n"))),
        ("a tenant in upper case", Good.tenant("X-Tenant-ID: \(TestIssuers.acme.uppercased())")),
    ]
}
