import TestSupport

/// Good messages, each next to a bad one.
enum HTTP2Neighbours {
    private typealias Frame = HTTP2Frame

    private static func with(_ name: String, _ value: String) -> HTTP2Frame { GoodStream.with(HTTP2Field(name, value)) }

    private static func good(_ name: String, _ frames: HTTP2Frame...) -> HTTP2Case {
        HTTP2Case(name, .passes, bytes: frames.flatMap(\.bytes))
    }

    private static let get = HTTP2Frame.headers(1, GoodStream.fields())
    private static let hello = Array("hello".utf8)

    private static func padded(_ payload: [UInt8], _ padding: Int, _ kind: HTTP2Frame.Kind, flags: UInt8) -> HTTP2Frame {
        Frame(kind, flags: flags | Frame.padded, stream: 1, [UInt8(padding)] + payload + Array(repeating: 0, count: padding))
    }

    static let all = heads + framing + bodies

    private static let heads: [HTTP2Case] = [
        good("a plain request", get),
        good("8.2.2: te: trailers", with("te", "trailers")),
        good("8.3.1: host that says the same", with("host", "gateway.test")),
        good("8.3.1: pseudo-fields in another order", .headers(1, Array(GoodStream.pseudo().reversed()) + GoodStream.identity)),
        good(
            "8.3.1: host in place of :authority",
            .headers(1, GoodStream.pseudo(authority: nil) + [HTTP2Field("host", "gateway.test")] + GoodStream.identity)),
        good("a query, byte for byte", GoodStream.target("/v1/page?a=%20b&c")),
        good("an empty value", with("x-empty", "")),
        good("text beyond ASCII in a value", .headers(1, GoodStream.fields() + [HTTP2Field(Array("x-text".utf8), [0xC3, 0xA4])])),
        good("a tab inside a value", with("x-text", "a\tb")),
        good("a path of 8 KiB", GoodStream.target("/v1/" + String(repeating: "x", count: 8000))),
        good("100 fields", .headers(1, GoodStream.fields("GET", "/v1/page", (0..<100).map { HTTP2Field("x-\($0)", "1") }))),
        HTTP2Case(
            "a head of 24 KiB", .passes,
            bytes: HTTP2Messages.split(
                GoodStream.fields("GET", "/v1/page", (0..<3).map { HTTP2Field("x-large-\($0)", String(repeating: "x", count: 7900)) }), 3)),
    ]

    private static let framing: [HTTP2Case] = [
        good("6.2: padded HEADERS", padded(HPACK.block(GoodStream.fields()), 100, .headers, flags: 5)),
        good("6.2: HEADERS with a priority", Frame(.headers, flags: 0x25, stream: 1, [0, 0, 0, 0, 15] + HPACK.block(GoodStream.fields()))),
        good("4.1: flags that mean nothing", Frame(.headers, flags: 5 | 0x50, stream: 1, HPACK.block(GoodStream.fields()))),
        HTTP2Case("6.10: CONTINUATION", .passes, bytes: HTTP2Messages.split(GoodStream.fields(), 5)),
        good(
            "6.10: empty CONTINUATION", Frame(.headers, flags: 1, stream: 1, HPACK.block(GoodStream.fields())),
            Frame(.continuation, stream: 1), Frame(.continuation, flags: 4, stream: 1)),
        good("5.5: an unknown frame", Frame(.unknown, flags: 0xFF, stream: 1, hello), get),
        good("6.5.2: an unknown setting", .settings([(0x0F0F, 7)]), get),
        good("6.5.2: a table of no bytes", .settings([(1, 0)]), get),
        good("6.3: PRIORITY", Frame(.priority, stream: 1, [0, 0, 0, 3, 200]), get),
        good(
            "6.3: a stream that depends on itself, where priorities are not looked at", Frame(.priority, stream: 1, [0, 0, 0, 1, 200]), get),
        good("6.9: WINDOW_UPDATE", .window(0, 1), get, .window(1, 1)),
        good("6.7: PING", .ping(), get, .ping()),
        good("5.1.1: streams are left out", get, .headers(77, GoodStream.pseudo("GET", "/nowhere"))),
        good("7541 6.3: a table's size before the fields", Frame(.headers, flags: 5, stream: 1, [0x20] + HPACK.block(GoodStream.fields()))),
        good(
            "6.4: another stream is reset", .headers(1, GoodStream.fields()), .headers(3, GoodStream.pseudo("POST", "/v1/x"), end: false),
            .reset(3)),
    ]

    private static let bodies: [HTTP2Case] = [
        good("8.1: a body", GoodStream.post(), .data(1, hello)),
        good("8.1.1: as many bytes as content-length says", GoodStream.post(HTTP2Field("content-length", "5")), .data(1, hello)),
        good("8.1.1: content-length 0 without DATA", GoodStream.with(HTTP2Field("content-length", "0"))),
        good("8.1.1: content-length 0 and an empty end", GoodStream.post(HTTP2Field("content-length", "0")), .data(1, [])),
        good("8.1: an empty end", GoodStream.post(), .data(1, [])),
        good("8.1: a body in pieces", GoodStream.post(), .data(1, [65], end: false), .data(1, [], end: false), .data(1, [66])),
        good("6.1: padded DATA", GoodStream.post(HTTP2Field("content-length", "5")), padded(hello, 200, .data, flags: 1)),
        good("8.1: trailers", GoodStream.post(), .data(1, hello, end: false), .headers(1, [HTTP2Field("x-check", "1")])),
        good("8.1: trailers and nothing else", GoodStream.post(), .headers(1, [HTTP2Field("x-check", "1")])),
        good(
            "8.1.1: content-length and trailers", GoodStream.post(HTTP2Field("content-length", "5")), .data(1, hello, end: false),
            .headers(1, [HTTP2Field("x-check", "1")])),
    ]
}
